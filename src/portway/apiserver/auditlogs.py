"""The file of the audit log: a JSON document a line, moved aside when it has grown, the oldest removed.

A line is handed to the kernel before its request is answered, so it survives the end of this process.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from portway.apiserver import clocks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    bytes: int = 100 * 1024 * 1024
    """Of one file; it is moved aside before it grows beyond."""
    files: int = 10
    """Moved aside files that are kept; what kube-apiserver's documentation recommends."""


class AuditLog:
    def __init__(self, file: Path, limits: Limits | None = None, now: clocks.Now = clocks.utc_now) -> None:
        self._file = file
        self._limits = limits or Limits()
        self._now = now
        self._size = 0
        self._descriptor = -1
        self._failing = False

    def write(self, line: bytes) -> None:
        """Never raises: that a request was served is not undone by a full disk."""
        try:
            if self._descriptor < 0:
                self._open()
            if self._size and self._size + len(line) > self._limits.bytes:
                self._rotate()
            self._size += os.write(self._descriptor, line)
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.warning("the audit log cannot be written", extra={"file": str(self._file), "error": str(error)})
            self._failing = True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        self.close()
        moment = self._now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
        self._file.rename(self._file.with_name(f"{self._file.stem}-{moment}{self._file.suffix}"))
        moved = sorted(self._file.parent.glob(f"{self._file.stem}-*{self._file.suffix}"))
        for old in moved[: -self._limits.files or None]:
            with contextlib.suppress(FileNotFoundError):
                old.unlink()
        self._open()
