"""APIExportEndpointSlices follow the export they name: it may go, come later, or be served elsewhere after a restart.

Whoever made a slice was allowed to bind the export, see ``admission.publishing``. So in another workspace than the
export's only what the slice told once is told again: what comes later under the path may be somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver import clocks
from portway.apiserver.admission import publishing
from portway.apiserver.admission.publishing import SLICES
from portway.apiserver.exporting import EXPORTS, Reference
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.registry import Registry
from portway.apiserver.resources import Source
from portway.apiserver.settings import Settings
from portway.krm.identity import Manifest
from portway.store.caching import Cache
from portway.store.contract import Event, EventType, Key, Record

_ALL = Key(EXPORTS, "", "", "")
"""Stands for every slice."""


class SliceUpkeep:
    name = "slice upkeep"

    def __init__(
        self, cache: Cache, editor: Editor, registry: Registry, *, settings: Settings, now: clocks.Now
    ) -> None:
        self._cache = cache
        self._editor = editor
        self._registry = registry
        self._settings = settings
        self._now = now
        self._at = 0
        """Revision of the last coming or going of an export."""

    def load(self, record: Record) -> Iterable[Key]:
        return (record.key,) if record.key.resource == SLICES else ()

    def observe(self, event: Event) -> Iterable[Key]:
        if event.record.key.resource != EXPORTS or event.type is EventType.MODIFIED:
            return ()
        self._at = event.record.revision
        return (_ALL,)

    async def work(self, key: Key) -> float | None:
        if key != _ALL:
            await self._settle(key)
            return None
        await self._registry.exports.reached(self._at)
        for record in (await self._cache.list(SLICES, None, None)).records:
            await self._settle(record.key)
        return None

    async def _settle(self, key: Key) -> None:
        def change(manifest: Manifest) -> bool:
            before, status = manifest.get("status") or {}, self._status(key.cluster, manifest)
            if _told(before) == _told(status):
                return False
            manifest["status"] = status
            return True

        await self._editor.edit(key, change)

    def _status(self, cluster: str, manifest: Manifest) -> Manifest:
        named, now = (manifest.get("spec") or {}).get("export") or {}, clocks.stamp(self._now())
        reference = Reference(named.get("path") or "", named.get("name") or "")
        found = self._registry.export(cluster, reference)
        told = [each["url"] for each in (manifest.get("status") or {}).get("endpoints") or ()]
        if found is not None and (found[0].cluster == cluster or any(_is_of(url, found[0]) for url in told)):
            return publishing.served_at(publishing.url_of(self._settings, *found[0]), now)
        return publishing.missing(f"{reference.path or cluster}|{reference.name}", now)


def _is_of(url: str, source: Source) -> bool:
    return url.endswith(f"/{source.cluster}/{source.export}")


def _told(status: Manifest) -> Manifest:
    """A status without its times."""
    conditions = [(each["type"], each["status"], each.get("message")) for each in status.get("conditions") or ()]
    return {"endpoints": status.get("endpoints"), "conditions": conditions}
