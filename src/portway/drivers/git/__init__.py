"""Portway's own git hosting: the driver for type ``repository``, commits made by the server, and git over HTTP."""
