"""The end of a workspace: all objects of its logical cluster go, then the cluster, then the Workspace in its parent.

Before that the controllers of its type clean up, if it has terminators. Then first what other controllers have to undo
(custom kinds, workspaces below), while all they need is still there; then the rest. What is there is asked of the
store, so that nothing stays behind, served or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from portway.apiserver import clocks, objects
from portway.apiserver.admission.workspacecreation import FINALIZER, WORKSPACES
from portway.apiserver.housekeeping import conditions, editing
from portway.apiserver.housekeeping.editing import NAMESPACES, Editor
from portway.apiserver.tenants import LOGICAL_CLUSTERS
from portway.krm.identity import Manifest
from portway.store.caching import Cache
from portway.store.contract import Event, EventType, Key, Record

_LOOK_AGAIN = 5.0
_CONDITION = "WorkspaceContentDeleted"


class WorkspaceEnd:
    name = "workspace end"

    def __init__(self, cache: Cache, editor: Editor, builtin: Collection[str], now: clocks.Now) -> None:
        """``builtin``: resources (as in store keys) that no controller outside the server has to undo."""
        self._cache = cache
        self._editor = editor
        self._late = frozenset(builtin) - {WORKSPACES}
        self._now = now
        self._ending: dict[str, Key] = {}
        """Workspaces on their way out, by their logical cluster."""

    def load(self, record: Record) -> Iterable[Key]:
        if record.key.resource != WORKSPACES or b'"deletionTimestamp"' not in record.value:
            return ()
        manifest = objects.decode(record.value)
        if not editing.is_deleting(manifest, FINALIZER):
            return ()
        self._ending[_cluster_of(manifest)] = record.key
        return (record.key,)

    def observe(self, event: Event) -> Iterable[Key]:
        record = event.record
        if event.type is not EventType.DELETED:
            if record.key.resource == LOGICAL_CLUSTERS and record.key.cluster in self._ending:
                return (self._ending[record.key.cluster],)  # a terminator may be done
            return self.load(record)
        if record.key.resource == WORKSPACES:
            self._ending.pop(_cluster_of(objects.decode(record.value)), None)
        workspace = self._ending.get(record.key.cluster)
        return () if workspace is None else (workspace,)

    async def work(self, key: Key, /) -> float | None:
        manifest = self._editor.read(key)
        if manifest is None or not editing.is_deleting(manifest, FINALIZER):
            return None
        cluster = _cluster_of(manifest)
        if cluster:
            await self._editor.edit(_inner(cluster), _marked(clocks.stamp(self._now())))
            if self._has_terminators(cluster):
                return None  # the change of their list wakes us
            remaining = await self._empty(cluster)
            if remaining:
                now = clocks.stamp(self._now())
                await self._editor.edit(key, _deleting((), now))
                await self._editor.edit(_inner(cluster), _deleting(remaining, now))
                return _LOOK_AGAIN
        await self._editor.edit(key, editing.without_finalizer(FINALIZER))
        return None

    def _has_terminators(self, cluster: str) -> bool:
        """Whether controllers still have to clean up; they see the logical cluster marked for deletion."""
        manifest = self._editor.read(_inner(cluster)) or {}
        return bool((manifest.get("status") or {}).get("terminators"))

    async def _empty(self, cluster: str) -> list[Key]:
        """What is still there."""
        early = [key for key in await self._contents(cluster) if key.resource not in self._late]
        if await self._editor.remove_all(early):
            return await self._contents(cluster)
        rest = [key for key in await self._contents(cluster) if key.resource != LOGICAL_CLUSTERS]
        await self._editor.remove_all(key for key in rest if key.resource == NAMESPACES)
        await self._editor.remove_all(key for key in rest if key.resource != NAMESPACES)
        remaining = await self._contents(cluster)
        if any(key.resource != LOGICAL_CLUSTERS for key in remaining):
            return remaining
        await self._editor.edit(_inner(cluster), editing.without_finalizer(FINALIZER))
        await self._editor.remove_all(key for key in remaining if self._editor.exists(key))
        return await self._contents(cluster)  # written before the door closed

    async def _contents(self, cluster: str) -> list[Key]:
        found: list[Key] = []
        for resource in self._cache.resources():
            if self._cache.count(resource, cluster):
                found += [record.key for record in (await self._cache.list(resource, cluster, None)).records]
        return found


def _cluster_of(manifest: Manifest) -> str:
    return str((manifest.get("spec") or {}).get("cluster", ""))


def _inner(cluster: str) -> Key:
    return Key(LOGICAL_CLUSTERS, cluster, "", "cluster")


def _marked(now: str) -> editing.Change:
    def change(manifest: Manifest) -> bool:
        fields = manifest["metadata"]
        if fields.get("deletionTimestamp"):
            return False
        fields |= {"deletionTimestamp": now, "deletionGracePeriodSeconds": 0}
        fields["finalizers"] = [*(fields.get("finalizers") or ()), FINALIZER]
        return True

    return change


def _deleting(remaining: Iterable[Key], now: str) -> editing.Change:
    """``remaining`` is told inside only: readers of the parent need not see the contents."""
    counts = Counter(key.resource for key in remaining)
    listed = ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
    message = f"Some content in the workspace is remaining{': ' if listed else ''}{listed}"
    return conditions.setting([conditions.condition(_CONDITION, "SomeResourcesRemain", message)], now)
