"""What a command tells its user when it cannot do what was asked."""

from __future__ import annotations


class CommandError(Exception):
    """Shown as one sentence; the program ends with status 1."""
