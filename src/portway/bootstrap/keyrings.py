"""The file with the keys that encrypt Secrets: ``<home>/keys/secrets.json``, readable by its owner only.

The first key encrypts, all of them decrypt. ``portway keys rotate`` puts a new one in front; a running control plane
sees the change of the file and encrypts its Secrets anew. Several processes on one store share one such file.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from portway.apiserver.sealing import MasterKey
from portway.bootstrap.errors import StartError
from portway.kit.locks import exclusively

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Entry:
    id: str
    key: bytes
    created: str
    """RFC 3339."""
    settled: str = ""
    """When everything current was found to be under this key."""
    prepared: bool = False
    """Made to be spread to all processes before the first of them uses it."""


class FileKeyring:
    """The ``Keyring`` of a file, read again whenever it changes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._stamp: tuple[int, int] = (0, 0)
        self._entries: tuple[Entry, ...] = ()
        self._by_id: dict[bytes, MasterKey] = {}
        self._read()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Newest first."""
        self._refresh()
        return self._entries

    def primary(self) -> MasterKey:
        self._refresh()
        return self._by_id[bytes.fromhex(self._entries[0].id)]

    def find(self, identifier: bytes) -> MasterKey | None:
        found = self._by_id.get(identifier)
        if found is None:
            self._refresh()
            found = self._by_id.get(identifier)
        return found

    def settled(self) -> None:
        with exclusively(self.file):
            self._read()
            first, *others = self._entries
            if not first.settled:
                self._write((replace(first, settled=_now()), *others))

    def rotate(self) -> Entry:
        """Put a new key in front."""
        with exclusively(self.file):
            self._read()
            ready = [entry for entry in self._entries if entry.prepared][-1:]
            first = replace(ready[0], prepared=False) if ready else _new()
            self._write((first, *(entry for entry in self._entries if entry.id != first.id)))
        return self._entries[0]

    def prepare(self) -> Entry:
        """Make a key that ``rotate`` will put in front, on any machine that has this file by then."""
        with exclusively(self.file):
            self._read()
            self._write((*self._entries, replace(_new(), prepared=True)))
        return self._entries[-1]

    def forget(self) -> tuple[Entry, ...]:
        """Drop all keys but the first. Raises StartError while Secrets may still need them."""
        with exclusively(self.file):
            self._read()
            first, *rest = self._entries
            others = [entry for entry in rest if not entry.prepared]
            if others and not first.settled:
                raise StartError(
                    f"{self.file}: not all Secrets are encrypted with key {first.id} yet. `portway up`, "
                    "which encrypts them anew, and try again."
                )
            self._write((first, *(entry for entry in rest if entry.prepared)))
        return tuple(others)

    def _refresh(self) -> None:
        try:
            if _stamp(self.file) != self._stamp:
                self._read()
        except (OSError, StartError):
            if not self._entries:  # else it goes on with the keys it knows: the file is somebody's to put back
                raise

    def _read(self) -> None:
        stamp = _stamp(self.file)
        try:
            document = json.loads(self.file.read_text())
            entries = tuple(
                Entry(
                    each["id"],
                    base64.b64decode(each["key"]),
                    each["created"],
                    each.get("settled", ""),
                    each.get("prepared", False),
                )
                for each in document["keys"]
            )
            found = {bytes.fromhex(entry.id): MasterKey(bytes.fromhex(entry.id), entry.key) for entry in entries}
            if not entries or any(len(k.id) != 8 or len(k.key) != 32 for k in found.values()):
                raise ValueError("no keys in it")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StartError(f"{self.file} cannot be read as a key file: {error}. Put it back from a backup.") from None
        self._stamp, self._entries, self._by_id = stamp, entries, found

    def _write(self, entries: Sequence[Entry]) -> None:
        _write(self.file, entries)
        self._read()


def open_keyring(home: Path) -> FileKeyring:
    """The keyring of an installation, made at the first start. Raises StartError."""
    file = home / "keys" / "secrets.json"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusively(file):
        if not file.exists():
            _write(file, (_new(),))
    return FileKeyring(file)


def _entry(each: Mapping[str, Any]) -> Entry:
    key = base64.b64decode(each["key"])
    return Entry(each["id"], key, each["created"], each.get("settled", ""), bool(each.get("prepared")))


def _new() -> Entry:
    return Entry(secrets.token_hex(8), secrets.token_bytes(32), _now())


def _write(file: Path, entries: Sequence[Entry]) -> None:
    keys = [
        {
            "id": entry.id,
            "key": base64.b64encode(entry.key).decode(),
            "created": entry.created,
            **({"settled": entry.settled} if entry.settled else {}),
            **({"prepared": True} if entry.prepared else {}),
        }
        for entry in entries
    ]
    scratch = file.with_suffix(".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(json.dumps({"keys": keys}, indent=2) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    scratch.replace(file)


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_ino


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
