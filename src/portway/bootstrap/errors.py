"""What can keep Portway from starting: one clear sentence each, with the way out."""

from __future__ import annotations


class StartError(Exception):
    """Portway cannot start or stop; the message names the thing and what to do."""
