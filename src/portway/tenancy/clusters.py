"""Logical cluster names: the short, never reused names under which a workspace's objects are stored.

A path can be given again to another workspace after a deletion, a logical cluster name cannot; so whatever is kept
under it can never show up in a later workspace.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from portway.tenancy import paths

ROOT_CLUSTER = "root"
"""The root workspace's logical cluster."""

LENGTH = 14
"""Base-32 characters, 70 bits: a collision among a million workspaces has a chance of 4 in 10^10."""

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

RandomBytes = Callable[[int], bytes]


def generate(random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """A new name: a DNS label that begins with a letter and holds no characters that look alike."""
    letters = [_ALPHABET[byte % 32] for byte in random_bytes(LENGTH)]
    letters[0] = _ALPHABET[_ALPHABET.index(letters[0]) % 24]
    return "".join(letters)


def is_path(text: str) -> bool:
    """Whether the word after ``/clusters/`` is a workspace path rather than a logical cluster name."""
    return paths.SEPARATOR in text or text == paths.ROOT_NAME
