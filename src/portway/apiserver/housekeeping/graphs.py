"""Who owns whom: only objects with owner references are in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from portway.krm.identity import GroupVersion, Manifest
from portway.store.contract import Key


class Owner(NamedTuple):
    """One owner reference."""

    group: str
    kind: str
    name: str
    uid: str
    blocks: bool
    """The owner's foreground deletion waits for this dependent."""


def owners_of(manifest: Manifest) -> tuple[Owner, ...]:
    return tuple(
        Owner(
            GroupVersion.parse(reference.get("apiVersion", "")).group,
            reference.get("kind", ""),
            reference.get("name", ""),
            reference.get("uid", ""),
            bool(reference.get("blockOwnerDeletion")),
        )
        for reference in manifest["metadata"].get("ownerReferences") or ()
    )


class Graph:
    """References by dependent, and dependents by the uid of their owner. A uid counts within its cluster only."""

    def __init__(self) -> None:
        self._owners: dict[Key, tuple[Owner, ...]] = {}
        self._dependents: dict[tuple[str, str], set[Key]] = {}

    def owners(self, key: Key) -> Sequence[Owner]:
        return self._owners.get(key, ())

    def dependents(self, cluster: str, uid: str) -> Iterable[Key]:
        return sorted(self._dependents.get((cluster, uid), ()))

    def blocking(self, cluster: str, uid: str) -> list[Key]:
        """Dependents that a foreground deletion of the owner waits for."""
        return [
            key
            for key in self.dependents(cluster, uid)
            if any(owner.uid == uid and owner.blocks for owner in self._owners[key])
        ]

    def put(self, key: Key, owners: tuple[Owner, ...]) -> bool:
        """False when nothing changed."""
        before = self._owners.get(key, ())
        if before == owners:
            return False
        for owner in before:
            self._unlink(key, owner)
        if owners:
            self._owners[key] = owners
        else:
            self._owners.pop(key, None)
        for owner in owners:
            self._dependents.setdefault((key.cluster, owner.uid), set()).add(key)
        return True

    def _unlink(self, key: Key, owner: Owner) -> None:
        where = (key.cluster, owner.uid)
        keys = self._dependents.get(where)
        if keys is not None:
            keys.discard(key)
            if not keys:
                del self._dependents[where]
