"""Log files of processes: last lines, following, and rotation that the writing process does not notice."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

LIMIT_BYTES = 10_000_000
_BLOCK = 65536
_POLL_SECONDS = 0.15
MARK = "[portway] "
"""Begins the lines that the agent itself writes."""


def tail(path: Path, count: int) -> list[str]:
    """The last lines, those of the rotated file before included where needed."""
    if count <= 0:
        return []
    lines = _last_lines(path, count, _size(path))
    if len(lines) < count:
        older = _rotated(path)
        lines = _last_lines(older, count - len(lines), _size(older)) + lines
    return lines


def last_words(path: Path, count: int = 5, since: str = "") -> str:
    """What the program itself said last, on one line; only after the agent's last note that ``since`` names."""
    said: list[str] = []
    for line in tail(path, count * 4):
        if since and line == f"{MARK}{since}":
            said.clear()
        elif line.strip() and not line.startswith(MARK):
            said.append(line.strip()[:300])
    return " / ".join(said[-count:])


async def follow(path: Path, count: int, until: Callable[[], bool] | None = None) -> AsyncIterator[str]:
    """The last lines, then new ones, until ``until`` is true and all was read. A line is given when it is whole."""
    position = _size(path)
    lines = _last_lines(path, count + 1, position)
    # Without the line that is still being written: it comes when it is whole.
    begun = lines.pop() if lines and not _ends_line(path, position) else ""
    for line in lines[-count:] if count > 0 else []:
        yield line
    rest = begun.encode(errors="surrogateescape")
    while True:
        over = until is not None and until()
        size = _size(path)
        if size < position:  # rotated
            position, rest = 0, b""
        if size > position:
            with path.open("rb") as log:
                log.seek(position)
                data = log.read(_BLOCK)
            position += len(data)
            *whole, rest = (rest + data).split(b"\n")
            for one in whole:
                yield one.decode(errors="replace")
            continue
        if over:
            if rest:
                yield rest.decode(errors="replace")
            return
        await asyncio.sleep(_POLL_SECONDS)


def note(path: Path, text: str) -> None:
    with path.open("a") as log:
        log.write(f"{MARK}{text}\n")


def rotate(path: Path, limit: int = LIMIT_BYTES) -> None:
    """Copy, then truncate: the writer appends (O_APPEND), so it goes on at the new end of the same file."""
    if _size(path) <= limit:
        return
    shutil.copyfile(path, _rotated(path))
    os.truncate(path, 0)


def _rotated(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _ends_line(path: Path, end: int) -> bool:
    if not end:
        return True
    with path.open("rb") as log:
        log.seek(end - 1)
        return log.read(1) == b"\n"


def _last_lines(path: Path, count: int, end: int) -> list[str]:
    """The last lines before byte ``end``."""
    data = b""
    if end:
        with path.open("rb") as log:
            while end and data.count(b"\n") <= count:
                step = min(_BLOCK, end)
                end -= step
                log.seek(end)
                data = log.read(step) + data
    return [line.decode(errors="replace") for line in data.removesuffix(b"\n").split(b"\n")[-count:]] if data else []
