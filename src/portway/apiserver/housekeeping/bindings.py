"""APIBindings after their creation: their status follows exports, schemas and conflicts, their end takes along what
is bound.

What a binding serves does not wait for this (the registry looks itself); only its status does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from portway.apiserver import crds, exportforms, objects
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.exporting import BINDING_FINALIZER, BINDINGS, EXPORTS, SCHEMAS
from portway.apiserver.housekeeping import conditions, editing
from portway.apiserver.housekeeping.editing import AT_ONCE, Editor
from portway.apiserver.registry import Registry
from portway.krm.identity import Manifest
from portway.store.caching import Cache
from portway.store.contract import Event, EventType, Key, Record

_ALL = Key(EXPORTS, "", "", "")
"""Stands for every binding whose status may be behind."""


class BindingUpkeep:
    name = "binding upkeep"

    def __init__(self, editor: Editor, registry: Registry, statuses: BindingStatuses) -> None:
        self._editor = editor
        self._registry = registry
        self._statuses = statuses
        self._exports_at = 0
        self._schemas_at = 0

    def load(self, record: Record) -> Iterable[Key]:
        return (_ALL,) if record.key.resource == EXPORTS else ()

    def observe(self, event: Event) -> Iterable[Key]:
        key, revision = event.record.key, event.record.revision
        if key.resource == EXPORTS:
            self._exports_at = revision
            return (_ALL,)
        if key.resource == SCHEMAS:
            self._schemas_at = revision
            return (_ALL,)
        if event.type is EventType.DELETED and key.resource in (BINDINGS, crds.CRDS):
            # Names are free again.
            return [Key(BINDINGS, key.cluster, *place) for place in self._registry.bindings.of(key.cluster)]
        return ()

    async def work(self, key: Key, /) -> float | None:
        if key != _ALL:
            await self._settle(key)
            return None
        await self._registry.exports.reached(self._exports_at)
        await self._registry.schemas.reached(self._schemas_at)
        late = await self._late()
        for start in range(0, len(late), AT_ONCE):
            await asyncio.gather(*(self._settle(each) for each in late[start : start + AT_ONCE]))
        return None

    async def _late(self) -> list[Key]:
        found: list[Key] = []
        for count, cluster in enumerate(self._registry.bindings.clusters()):
            for place, binding in self._registry.bindings.of(cluster).items():
                if not binding.terminating and self._statuses.is_stale(cluster, place[1], binding):
                    found.append(Key(BINDINGS, cluster, *place))
            if count % 100 == 0:
                await asyncio.sleep(0)
        return found

    async def _settle(self, key: Key) -> None:
        def change(manifest: Manifest) -> bool:
            if manifest["metadata"].get("deletionTimestamp"):
                return False
            whole = exportforms.current(manifest)
            status = self._statuses.of(key.cluster, whole)
            changed = whole.get("status") != status
            manifest.update({**whole, "status": status})
            return changed

        await self._editor.edit(key, change)


class BindingEnd:
    name = "binding end"

    def __init__(self, cache: Cache, editor: Editor) -> None:
        self._cache = cache
        self._editor = editor
        self._ending: dict[str, dict[str, Key]] = {}
        """Bindings on their way out: by cluster, then by the resources bound."""

    def load(self, record: Record) -> Iterable[Key]:
        if record.key.resource != BINDINGS or b'"deletionTimestamp"' not in record.value:
            return ()
        manifest = objects.decode(record.value)
        if not editing.is_deleting(manifest, BINDING_FINALIZER):
            return ()
        bound = self._ending.setdefault(record.key.cluster, {})
        bound.update(dict.fromkeys(bound_resources(manifest), record.key))
        return (record.key,)

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if event.type is not EventType.DELETED:
            return self.load(event.record)
        ending = self._ending.get(key.cluster)
        if ending is None:
            return ()
        if key.resource == BINDINGS:
            left = {resource: binding for resource, binding in ending.items() if binding != key}
            if left:
                self._ending[key.cluster] = left
            else:
                del self._ending[key.cluster]
            return ()
        binding = ending.get(key.resource)
        return () if binding is None else (binding,)

    async def work(self, key: Key, /) -> float | None:
        manifest = self._editor.read(key)
        if manifest is None or not editing.is_deleting(manifest, BINDING_FINALIZER):
            return None
        remaining = 0
        for resource in bound_resources(manifest):
            page = await self._cache.list(resource, key.cluster, None)
            remaining += await self._editor.remove_all(record.key for record in page.records)
        if remaining:
            message = f"ensuring resource deletion: {remaining} objects wait for their finalizers"
            waiting = conditions.condition("BindingResourceDeleteSuccess", "SomeResourcesRemain", message)
            await self._editor.edit(key, conditions.setting([waiting], manifest["metadata"]["deletionTimestamp"]))
            return 5.0
        await self._editor.edit(key, editing.without_finalizer(BINDING_FINALIZER))
        return None


def bound_resources(manifest: Manifest) -> list[str]:
    """Of an APIBinding, as in store keys."""
    bound = (manifest.get("status") or {}).get("boundResources") or ()
    return [f"{entry['resource']}.{entry['group']}" if entry["group"] else entry["resource"] for entry in bound]
