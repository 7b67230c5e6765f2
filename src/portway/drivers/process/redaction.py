"""Secrets that a program prints are not shown to whoever may read its log or its status."""

from __future__ import annotations

from collections.abc import Iterable

_SHORTEST = 6
STRUCK = "•••••"


def strike_out(text: str, secrets: Iterable[str]) -> str:
    """Longest first, so that a URI goes as a whole; very short values would strike out ordinary words."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, STRUCK)
    return text
