"""Decisions about what to make: which definition, with which inputs, in which order. Pure; called by controllers,
portal and CLI. What touches the outside belongs to ``drivers``, what touches the API to ``controllers``."""
