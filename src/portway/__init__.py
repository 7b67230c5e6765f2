"""Portway: the internal developer platform and portal in one."""

__version__ = "0.1.0"
