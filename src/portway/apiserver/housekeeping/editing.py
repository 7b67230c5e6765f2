"""Changes to stored objects by the server itself: read, change, write if nobody wrote in between, else again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum

from portway.apiserver import clocks, objects
from portway.apiserver.storing import Storage
from portway.apiserver.users import SYSTEM
from portway.krm.identity import Manifest
from portway.store.contract import Conflict, Delete, Key, Put, Record

ATTEMPTS = 50
AT_ONCE = 256
"""Removals under way together; they share transactions."""

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
NAMESPACES = "namespaces"

Change = Callable[[Manifest], bool]
"""Changes the object in place; False when there is nothing to do."""


class Propagation(StrEnum):
    """What a removal does about dependents; ASIS leaves the finalizers that say so alone."""

    ASIS = ""
    BACKGROUND = "Background"
    FOREGROUND = "Foreground"


class Contended(Exception):
    """Others wrote the object every time; the caller comes back later."""


class Editor:
    def __init__(self, storage: Storage, now: clocks.Now) -> None:
        self._storage = storage
        self._now = now

    def read(self, key: Key) -> Manifest | None:
        record = self._storage.get(key)
        return objects.decode(record.value) if record is not None else None

    def exists(self, key: Key) -> bool:
        return self._storage.cache.get(key) is not None

    async def create(self, key: Key, manifest: Manifest) -> None:
        """An object that is there already stays as it is."""
        try:
            await self._storage.commit([Put(key, objects.encoder(manifest, key.cluster), 0)], SYSTEM.name)
        except Conflict:
            return

    async def edit(self, key: Key, change: Change) -> Record | None:
        """The object as it is now, None when it is gone. Raises Contended, store Unavailable."""
        for _ in range(ATTEMPTS):
            record = self._storage.get(key)
            if record is None:
                return None
            manifest = objects.decode(record.value)
            if not change(manifest):
                return record
            encode = objects.encoder(manifest, key.cluster)
            gone = is_gone(key, manifest)
            try:
                [written] = await self._storage.commit(
                    [Delete(key, encode, record.revision) if gone else Put(key, encode, record.revision)],
                    SYSTEM.name,
                )
            except Conflict:
                continue
            return None if gone else written
        raise Contended(f"{key} is written by others all the time")

    async def remove(self, key: Key, propagation: Propagation = Propagation.ASIS, *, uid: str = "") -> bool:
        """Delete or mark for deletion; True when it is gone. Another object of that name (by uid) is left alone."""
        now = clocks.stamp(self._now())

        def mark(manifest: Manifest) -> bool:
            if uid and manifest["metadata"].get("uid") != uid:
                return False
            return mark_deleted(key, manifest, propagation, now)

        return await self.edit(key, mark) is None

    async def remove_all(self, keys: Iterable[Key]) -> int:
        """How many are still there because of their finalizers."""
        todo, remaining = list(keys), 0
        for start in range(0, len(todo), AT_ONCE):
            gone = await asyncio.gather(*(self.remove(key) for key in todo[start : start + AT_ONCE]))
            remaining += gone.count(False)
        return remaining


def is_gone(key: Key, manifest: Manifest) -> bool:
    """Marked for deletion with nothing left to wait for."""
    fields = manifest["metadata"]
    if not fields.get("deletionTimestamp") or fields.get("finalizers"):
        return False
    return key.resource != NAMESPACES or not (manifest.get("spec") or {}).get("finalizers")


def mark_deleted(key: Key, manifest: Manifest, propagation: Propagation, now: str) -> bool:
    """Set deletionTimestamp and the finalizers of the propagation; False when that is so already."""
    fields = manifest["metadata"]
    old = list(fields.get("finalizers") or ())
    new = old
    if propagation:
        new = [name for name in old if name not in (FOREGROUND, ORPHAN)]
        if propagation is Propagation.FOREGROUND:
            new.append(FOREGROUND)
    marked = bool(fields.get("deletionTimestamp"))
    if marked and new == old and not is_gone(key, manifest):
        return False
    fields["finalizers"] = new
    if not marked:
        fields["deletionTimestamp"] = now
        fields["deletionGracePeriodSeconds"] = 0
        if fields.get("generation") is not None:
            fields["generation"] += 1
        if key.resource == NAMESPACES:
            manifest.setdefault("status", {})["phase"] = "Terminating"
    return True


def without_finalizer(name: str) -> Change:
    """A change that takes a finalizer off."""

    def change(manifest: Manifest) -> bool:
        finalizers = manifest["metadata"].get("finalizers") or []
        if name not in finalizers:
            return False
        manifest["metadata"]["finalizers"] = [each for each in finalizers if each != name]
        return True

    return change


def is_deleting(manifest: Manifest, finalizer: str) -> bool:
    """Marked for deletion and waiting for the one who takes that finalizer off."""
    fields = manifest["metadata"]
    return bool(fields.get("deletionTimestamp")) and finalizer in (fields.get("finalizers") or ())
