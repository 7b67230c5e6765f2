"""Logging of a process: JSON lines to a file, short lines for people to the console.

A message is a constant text; what varies are keys, given as ``extra``. Bootstrap calls ``set_up`` once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import orjson

from portway.telemetry import traces

_FILE_BYTES = 20 * 1024 * 1024
_FILES_KEPT = 3
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_QUIET = ("httpx", "httpcore", "uvicorn.access", "asyncio")
"""Libraries that are heard from warnings on."""


def set_up(
    file: Path | None, *, console: TextIO | None = None, level: int = logging.INFO, console_level: int = logging.WARNING
) -> None:
    """Replaces what was set up before. ``console`` None means standard error."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    shown = logging.StreamHandler(console or sys.stderr)
    shown.setFormatter(ShortFormatter())
    shown.setLevel(console_level)
    root.addHandler(shown)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8")
        kept.setFormatter(JsonFormatter())
        root.addHandler(kept)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """``{"time", "level", "logger", "message", …keys, "trace", "exception"}``, one line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_keys(record),
        }
        if trace := traces.current():
            line.setdefault("trace", trace)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class ShortFormatter(logging.Formatter):
    """``12:00:00 warning: watch interrupted (resource=configmaps)``; the traceback is in the file."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        keys = ", ".join(f"{key}={value}" for key, value in _keys(record).items() if value not in ("", None))
        cause = f" {type(record.exc_info[1]).__name__}: {record.exc_info[1]}" if record.exc_info else ""
        said = f"{time} {record.levelname.lower()}: {record.getMessage()}{cause}"
        return f"{said} ({keys})" if keys else said


def _keys(record: logging.LogRecord) -> Mapping[str, Any]:
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
