"""One process at a time on one state directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from portway.store.contract import Unavailable


class FileLock:
    """An advisory lock beside the store's file, held from construction to ``release`` or the process's end."""

    def __init__(self, store: Path) -> None:
        """Raises Unavailable, naming the holder, when another process has it."""
        self._path = store.with_name(store.name + ".lock")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unavailable(
                f"cannot open {self._path}: {error.strerror}; make its directory writable or set PORTWAY_HOME"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise Unavailable(
                f"{store} is in use by another Portway (process {holder}): "
                "stop it with `portway down`, or give this one another PORTWAY_HOME"
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        os.close(self._file)
