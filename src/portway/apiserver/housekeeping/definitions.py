"""The end of a CustomResourceDefinition: its instances go first, then its finalizer, then the CRD."""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver import clocks, crds, objects
from portway.apiserver.housekeeping import conditions, editing
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.registry import Registry
from portway.store.caching import Cache
from portway.store.contract import Event, EventType, Key, Record

_LOOK_AGAIN = 5.0


class DefinitionEnd:
    name = "definition end"

    def __init__(self, cache: Cache, editor: Editor, registry: Registry, now: clocks.Now) -> None:
        self._cache = cache
        self._registry = registry
        self._editor = editor
        self._now = now
        self._ending: dict[tuple[str, str], Key] = {}
        """CRDs on their way out by cluster and the resource they define (which is the CRD's name)."""

    def load(self, record: Record) -> Iterable[Key]:
        key = record.key
        if key.resource != crds.CRDS or b'"deletionTimestamp"' not in record.value:
            return ()
        if not editing.is_deleting(objects.decode(record.value), crds.CLEANUP_FINALIZER):
            return ()
        self._ending[(key.cluster, key.name)] = key
        return (key,)

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if event.type is not EventType.DELETED:
            return self.load(event.record)
        if key.resource == crds.CRDS:
            self._ending.pop((key.cluster, key.name), None)
            return ()
        definition = self._ending.get((key.cluster, key.resource))
        return () if definition is None else (definition,)

    async def work(self, key: Key, /) -> float | None:
        manifest = self._editor.read(key)
        if manifest is None or not editing.is_deleting(manifest, crds.CLEANUP_FINALIZER):
            return None
        if await self._has_instances(key):
            waiting = conditions.condition(
                "Terminating",
                "InstanceDeletionInProgress",
                f"CustomResource deletion is in progress, {self._cache.count(key.name, key.cluster)} instances remain",
                status="True",
            )
            await self._editor.edit(key, conditions.setting([waiting], clocks.stamp(self._now())))
            return _LOOK_AGAIN
        await self._editor.edit(key, editing.without_finalizer(crds.CLEANUP_FINALIZER))
        return None

    async def _has_instances(self, key: Key) -> int:
        """After they were told to go. What is built in or bound under the CRD's name is not the CRD's to take along."""
        plural, _, group = key.name.partition(".")
        if self._registry.is_builtin(group, plural) or key.name in self._registry.serving(key.cluster).sources:
            return 0
        page = await self._cache.list(key.name, key.cluster, None)
        return await self._editor.remove_all(record.key for record in page.records)
