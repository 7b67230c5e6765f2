"""The backup file: the current objects of a store at one revision, in a form that every store can take back.

gzip over lines of JSON (docs/how-to/backup-and-restore.md describes them): a header, one line an object, and an end
with count and checksum, so that a file that was cut off is not taken for a whole one.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from portway.store.contract import Key, Record, StoreError

FORMAT = "portway-backup"
VERSION = 1
_LEVEL = 6


class ArchiveError(StoreError):
    """The file is not a whole backup of a version known here."""


class NotEmpty(StoreError):
    """The store to restore into has a state already."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A current object with who wrote it last, and when (milliseconds since 1970)."""

    record: Record
    user: str
    written: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All current objects as they were at one revision."""

    revision: int
    kept: AsyncIterator[Kept]


class Archivable(Protocol):
    """A store whose whole state can be read and replaced by another process than the one that serves it."""

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Consistent, while the store is in use or not. Raises Unavailable."""

    async def restore(self, revision: int, kept: Iterator[Kept], *, replace: bool) -> int:
        """In one transaction, with the store not in use. The new revision is not below either state's.

        Raises NotEmpty unless ``replace``, Unavailable.
        """


@dataclass(frozen=True, slots=True)
class Summary:
    revision: int
    objects: int
    taken: str


async def write(file: Path, snapshot: Snapshot, taken: str) -> Summary:
    """A new file, readable by its owner only, in place of one that is there; ``taken`` is an RFC 3339 time."""
    scratch = file.with_name(file.name + ".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    digest, count = hashlib.sha256(), 0
    with os.fdopen(descriptor, "wb") as raw:
        with gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed:

            def put(line: dict[str, Any]) -> None:
                encoded = orjson.dumps(line) + b"\n"
                digest.update(encoded)
                packed.write(encoded)

            put({"format": FORMAT, "version": VERSION, "revision": snapshot.revision, "taken": taken})
            async for kept in snapshot.kept:
                put(_line(kept))
                count += 1
            put({"end": {"objects": count, "sha256": digest.hexdigest()}})
        raw.flush()
        os.fsync(raw.fileno())
    scratch.replace(file)
    return Summary(snapshot.revision, count, taken)


def verify(file: Path) -> Summary:
    """Read the whole file once. Raises ArchiveError."""
    header = _header(file)
    return Summary(header["revision"], sum(1 for _ in read(file)), header["taken"])


def read(file: Path) -> Iterator[Kept]:
    """The objects. Raises ArchiveError, at the latest at the end."""
    _header(file)
    digest, count = hashlib.sha256(), 0
    for number, (raw, line) in enumerate(_lines(file)):
        if "end" in line:
            if line["end"] != {"objects": count, "sha256": digest.hexdigest()}:
                raise ArchiveError(f"{file} is damaged: its checksum does not fit; use another backup")
            return
        digest.update(raw)
        if number:
            count += 1
            yield _kept(line)
    raise ArchiveError(f"{file} is cut off: its end is missing; use another backup")


def _header(file: Path) -> dict[str, Any]:
    _, line = next(_lines(file), (b"", {}))
    if line.get("format") != FORMAT:
        raise ArchiveError(f"{file} is not a Portway backup")
    if line.get("version") != VERSION:
        raise ArchiveError(f"{file} has format version {line.get('version')}, this Portway knows {VERSION}")
    return line


def _lines(file: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    try:
        with gzip.open(file, "rb") as packed:
            for raw in packed:
                yield raw, orjson.loads(raw)
    except EOFError as error:
        raise ArchiveError(f"{file} is cut off: its end is missing; use another backup") from error
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{file} cannot be read as a backup: {error}") from error


def _line(kept: Kept) -> dict[str, Any]:
    record = kept.record
    line: dict[str, Any] = {"key": list(record.key), "revision": record.revision}
    try:
        line["value"] = record.value.decode()
    except UnicodeDecodeError:  # encrypted
        line["base64"] = base64.b64encode(record.value).decode()
    return {**line, "user": kept.user, "written": kept.written}


def _kept(line: dict[str, Any]) -> Kept:
    value = base64.b64decode(line["base64"]) if "base64" in line else line["value"].encode()
    return Kept(Record(Key(*line["key"]), line["revision"], value), line["user"], line["written"])
