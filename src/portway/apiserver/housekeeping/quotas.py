"""Keeps ``status.used`` of quotas right where no creation did: after deletions, and after changes of the quota."""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver.admission import quota
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.storing import Storage
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record


class QuotaUsage:
    name = "quota usage"

    def __init__(self, editor: Editor, storage: Storage) -> None:
        self._editor = editor
        self._storage = storage
        self._quotas: dict[tuple[str, str], set[Key]] = {}
        """By (cluster, namespace)."""

    def load(self, record: Record) -> Iterable[Key]:
        if record.key.resource != quota.QUOTAS:
            return ()
        self._of(record.key).add(record.key)
        return (record.key,)

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if key.resource == quota.QUOTAS:
            if event.type is EventType.DELETED:
                self._of(key).discard(key)
                return ()
            self._of(key).add(key)
            return (key,)
        if event.type is EventType.MODIFIED or not key.namespace:
            return ()
        return tuple(self._quotas.get((key.cluster, key.namespace)) or ())

    def _of(self, key: Key) -> set[Key]:
        return self._quotas.setdefault((key.cluster, key.namespace), set())

    async def work(self, key: Key) -> float | None:
        def change(manifest: Manifest) -> bool:
            status = quota.status_of(self._storage, key.cluster, key.namespace, manifest)
            if manifest.get("status") == status:
                return False
            manifest["status"] = status
            return True

        await self._editor.edit(key, change)
        return None
