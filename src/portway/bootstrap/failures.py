"""Expected failures as one sentence each, whatever library they come from."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from portway.bootstrap.errors import StartError
from portway.cli.errors import CommandError
from portway.kit import lazily
from portway.krm.errors import StatusError
from portway.store.contract import StoreError

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


def sentence(error: BaseException) -> str | None:
    """What to tell the user; None for what is a defect of the program and deserves its traceback."""
    if isinstance(error, BaseExceptionGroup):
        found = [text for text in map(sentence, error.exceptions) if text is not None]
        return found[0] if len(found) == len(error.exceptions) else None
    if isinstance(error, StartError | CommandError):
        return str(error)
    if isinstance(error, StatusError):
        return error.message
    if isinstance(error, StoreError):
        return f"The store cannot be used: {error}."
    if isinstance(error, httpx.TimeoutException):
        return "Portway did not answer in time; see `portway status`."
    if isinstance(error, httpx.HTTPError | ConnectionError):
        return "Portway does not answer. Start it with `portway up`, or see `portway status`."
    if isinstance(error, OSError):
        return _of_system(error)
    return None


def _of_system(error: OSError) -> str | None:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _FULL:
        return f"The disk is full{where}. Make room, or choose another PORTWAY_HOME, and start again."
    if error.errno in _NOT_WRITABLE:
        return f"A file of the state cannot be written{where}: {error.strerror}. Choose another PORTWAY_HOME."
    return None
