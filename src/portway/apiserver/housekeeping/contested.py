"""CRDs whose names were taken when they were written: they are established when the other CRD goes or is renamed."""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver import clocks, crds
from portway.apiserver.crds import CRDS
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.registry import Registry
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record

_REFUSED = b'"reason":"NameConflict"'


class ContestedNames:
    name = "contested names"

    def __init__(self, editor: Editor, registry: Registry, now: clocks.Now) -> None:
        self._editor = editor
        self._registry = registry
        self._now = now
        self._waiting: dict[str, set[Key]] = {}
        """CRDs that were refused their names, by cluster."""
        self._seen = 0

    def load(self, record: Record) -> Iterable[Key]:
        key = record.key
        if key.resource == CRDS and _REFUSED in record.value:
            self._waiting.setdefault(key.cluster, set()).add(key)
        return ()

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if key.resource != CRDS:
            return ()
        self._seen = event.record.revision
        waiting = self._waiting.get(key.cluster, set())
        waiting.discard(key)
        if event.type is not EventType.DELETED:
            self.load(event.record)
        return [other for other in waiting if other != key]

    async def work(self, key: Key, /) -> float | None:
        await self._registry.crds.reached(self._seen)
        definitions = self._registry.crds.of(key.cluster)
        others = [definition for (_, name), definition in definitions.items() if name != key.name]

        def settle(manifest: Manifest) -> bool:
            before = str(manifest.get("status"))
            crds.settle(manifest, others, clocks.stamp(self._now()))
            return str(manifest["status"]) != before

        await self._editor.edit(key, settle)
        return None
