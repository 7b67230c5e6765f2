"""One id for everything that follows from one cause: in log lines, and in the calls it makes."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("trace", default="")


def current() -> str:
    """Empty outside of any trace."""
    return _current.get()


def new_id() -> str:
    """16 hex digits."""
    return secrets.token_hex(8)


@contextlib.contextmanager
def trace(id_: str = "") -> Iterator[str]:
    """All that runs inside has this id (a new one when empty), tasks begun inside as well."""
    token = _current.set(id_ or new_id())
    try:
        yield _current.get()
    finally:
        _current.reset(token)
