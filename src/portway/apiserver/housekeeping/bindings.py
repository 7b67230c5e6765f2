"""APIBindings that were made before the export they name: they become Bound when it is there.

What a binding serves does not wait for this (the registry looks itself); only its status does.
"""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.registry import BINDINGS, EXPORTS, SCHEMAS, Registry
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record

_ALL = Key(EXPORTS, "", "", "")
"""Stands for every binding that waits."""


class LateBindings:
    name = "late bindings"

    def __init__(self, editor: Editor, registry: Registry) -> None:
        self._editor = editor
        self._registry = registry
        self._exports_at = 0
        self._schemas_at = 0

    def load(self, record: Record) -> Iterable[Key]:
        waits = record.key.resource == BINDINGS and b'"phase":"Binding"' in record.value
        return (record.key,) if waits else ()

    def observe(self, event: Event) -> Iterable[Key]:
        resource, revision = event.record.key.resource, event.record.revision
        if event.type is EventType.DELETED:
            return ()
        if resource == EXPORTS:
            self._exports_at = revision
            return (_ALL,)
        if resource == SCHEMAS:
            self._schemas_at = revision
            return (_ALL,)
        return self.load(event.record)

    async def work(self, key: Key, /) -> float | None:
        await self._registry.exports.reached(self._exports_at)
        await self._registry.schemas.reached(self._schemas_at)
        for late in self._registry.late_bindings() if key == _ALL else (key,):
            await self._settle(late)
        return None

    async def _settle(self, key: Key) -> None:
        def change(manifest: Manifest) -> bool:
            status = self._registry.binding_status(key.cluster, manifest)
            changed = status["phase"] == "Bound" and manifest.get("status") != status
            if changed:
                manifest["status"] = status
            return bool(changed)

        await self._editor.edit(key, change)
