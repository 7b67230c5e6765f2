"""The garbage collector: what is owned goes with its last owner.

Semantics are those of kube-controller-manager's (pkg/controller/garbagecollector): background, foreground with
blockOwnerDeletion, orphan; owners that never existed; circles. An owner is looked up in the dependent's workspace,
in its namespace or cluster-wide. Owners of a kind that is not served are taken to exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto

from portway.apiserver import objects
from portway.apiserver.housekeeping import editing, graphs
from portway.apiserver.housekeeping.editing import FOREGROUND, ORPHAN, Editor, Propagation
from portway.apiserver.housekeeping.graphs import Graph, Owner
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record

REMEMBERED = 10_000
"""Owners known to be gone, for dependents whose owner's kind is gone too."""

Locate = Callable[[str, str, str], tuple[str, bool] | None]
"""(cluster, group, kind) to (resource of the store key, whether namespaced); None when it is not served."""


class State(Enum):
    SOLID = auto()
    ABSENT = auto()
    WAITING = auto()
    """Being deleted in the foreground."""


class GarbageCollector:
    name = "garbage collector"

    def __init__(self, editor: Editor, locate: Locate, open_record: Callable[[Record], Record]) -> None:
        self._editor = editor
        self._locate = locate
        self._open = open_record
        self._graph = Graph()
        self._waiting: dict[tuple[str, str], Key] = {}
        """Owners in foreground deletion, by cluster and uid."""
        self._gone: dict[tuple[str, str], None] = {}

    def load(self, record: Record) -> Iterable[Key]:
        return self._present(self._open(record), new=True)

    def observe(self, event: Event) -> Iterable[Key]:
        record = self._open(event.record)
        if event.type is EventType.DELETED:
            return self._deleted(record)
        return self._present(record, new=event.type is EventType.ADDED)

    def _present(self, record: Record, *, new: bool) -> Iterable[Key]:
        key, value = record.key, record.value
        owned = b'"ownerReferences"' in value
        deleting = b'"deletionTimestamp"' in value and (b'"foregroundDeletion"' in value or b'"orphan"' in value)
        if not owned and not deleting:
            return self._relinked(key, ()) if self._graph.owners(key) else ()
        manifest = objects.decode(value)
        if editing.is_deleting(manifest, FOREGROUND):
            self._waiting[(key.cluster, manifest["metadata"]["uid"])] = key
        found = [*self._relinked(key, graphs.owners_of(manifest))]
        if new or deleting:
            found.append(key)
        return found

    def _relinked(self, key: Key, owners: tuple[Owner, ...]) -> Iterable[Key]:
        before = self._graph.owners(key)
        if not self._graph.put(key, owners):
            return ()
        return (*self._waiting_owners(key, before), key)

    def _deleted(self, record: Record) -> Iterable[Key]:
        key = record.key
        before = self._graph.owners(key)
        self._graph.put(key, ())
        where = (key.cluster, objects.decode(record.value)["metadata"].get("uid", ""))
        self._waiting.pop(where, None)
        dependents = list(self._graph.dependents(*where))
        if dependents:
            self._gone[where] = None
            if len(self._gone) > REMEMBERED:
                del self._gone[next(iter(self._gone))]
        return (*dependents, *self._waiting_owners(key, before))

    def _waiting_owners(self, key: Key, owners: Iterable[Owner]) -> Iterable[Key]:
        found = (self._waiting.get((key.cluster, owner.uid)) for owner in owners)
        return [owner for owner in found if owner is not None]

    async def work(self, key: Key) -> float | None:
        manifest = self._editor.read(key)
        if manifest is None:
            return None
        if editing.is_deleting(manifest, ORPHAN):
            await self._orphan(key, manifest)
        elif editing.is_deleting(manifest, FOREGROUND):
            await self._finish_foreground(key, manifest)
        elif not manifest["metadata"].get("deletionTimestamp"):
            await self._collect(key, manifest)
        return None

    async def _orphan(self, key: Key, manifest: Manifest) -> None:
        uid = manifest["metadata"]["uid"]
        for dependent in list(self._graph.dependents(key.cluster, uid)):
            await self._editor.edit(dependent, _without_owners({uid}))
        await self._editor.edit(key, editing.without_finalizer(ORPHAN))

    async def _finish_foreground(self, key: Key, manifest: Manifest) -> None:
        uid = manifest["metadata"]["uid"]
        blocking = self._graph.blocking(key.cluster, uid)
        for dependent in self._graph.dependents(key.cluster, uid):
            live = self._editor.read(dependent)
            if live is not None and not live["metadata"].get("deletionTimestamp"):
                await self._collect(dependent, live)
        if not blocking:
            await self._editor.edit(key, editing.without_finalizer(FOREGROUND))

    async def _collect(self, key: Key, manifest: Manifest) -> None:
        owners = graphs.owners_of(manifest)
        if not owners:
            return
        states = [self._state(key, owner) for owner in owners]
        unneeded = {owner.uid for owner, state in zip(owners, states, strict=True) if state is not State.SOLID}
        if not unneeded:
            return
        if State.SOLID in states:
            await self._editor.edit(key, _without_owners(unneeded))
            return
        uid = manifest["metadata"]["uid"]
        propagation = _inherited(manifest)
        if State.WAITING in states:
            dependents = list(self._graph.dependents(key.cluster, uid))
            if any(self._is_waiting(dependent) for dependent in dependents):
                await self._editor.edit(key, _unblocked)  # a circle would wait for itself
            if dependents:
                propagation = Propagation.FOREGROUND
        await self._editor.remove(key, propagation, uid=uid)

    def _is_waiting(self, key: Key) -> bool:
        manifest = self._editor.read(key)
        return manifest is not None and editing.is_deleting(manifest, FOREGROUND)

    def _state(self, key: Key, owner: Owner) -> State:
        if (key.cluster, owner.uid) in self._gone:
            return State.ABSENT
        place = self._locate(key.cluster, owner.group, owner.kind)
        if place is None:
            return State.SOLID
        resource, namespaced = place
        if namespaced and not key.namespace:
            return State.SOLID  # cannot be told: a cluster-scoped object cannot name its owner's namespace
        manifest = self._editor.read(Key(resource, key.cluster, key.namespace if namespaced else "", owner.name))
        if manifest is None or manifest["metadata"].get("uid") != owner.uid:
            return State.ABSENT
        return State.WAITING if editing.is_deleting(manifest, FOREGROUND) else State.SOLID


def _inherited(manifest: Manifest) -> Propagation:
    """As the dependent's own finalizers say; background without one."""
    finalizers: Sequence[str] = manifest["metadata"].get("finalizers") or ()
    return Propagation.ASIS if ORPHAN in finalizers or FOREGROUND in finalizers else Propagation.BACKGROUND


def _without_owners(uids: set[str]) -> editing.Change:
    def change(manifest: Manifest) -> bool:
        fields = manifest["metadata"]
        references = fields.get("ownerReferences") or []
        kept = [reference for reference in references if reference.get("uid") not in uids]
        fields["ownerReferences"] = kept
        return len(kept) < len(references)

    return change


def _unblocked(manifest: Manifest) -> bool:
    changed = False
    for reference in manifest["metadata"].get("ownerReferences") or ():
        if reference.get("blockOwnerDeletion"):
            reference["blockOwnerDeletion"] = False
            changed = True
    return changed
