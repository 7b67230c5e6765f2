"""Random identifiers, made often: each request has one."""

from __future__ import annotations

import os
from collections import deque

_BATCH = 256
"""Identifiers whose randomness is asked of the system at once."""
_HEX_DIGITS = 32

_ready: deque[str] = deque()


def random_uuid() -> str:
    """Version 4; as ``str(uuid.uuid4())`` in a tenth of its time."""
    try:
        text = _ready.pop()
    except IndexError:
        text = _more()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def _more() -> str:
    random = os.urandom(_BATCH * _HEX_DIGITS // 2).hex()
    _ready.extend(random[at : at + _HEX_DIGITS] for at in range(_HEX_DIGITS, len(random), _HEX_DIGITS))
    return random[:_HEX_DIGITS]


os.register_at_fork(after_in_child=_ready.clear)
