"""The end of a namespace: all that is in it goes, then finalizer ``kubernetes``, then the namespace.

What is in it is asked of the store, not of discovery: objects of kinds no longer served go too. Conditions and their
texts are those of kube-controller-manager (pkg/controller/namespace/deletion/status_condition_utils.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from portway.apiserver import clocks, objects
from portway.apiserver.housekeeping import conditions
from portway.apiserver.housekeeping.conditions import condition
from portway.apiserver.housekeeping.editing import NAMESPACES, Editor
from portway.krm.identity import Manifest
from portway.store.caching import Cache
from portway.store.contract import Event, EventType, Key, Record

FINALIZER = "kubernetes"
_LOOK_AGAIN = 5.0
"""Seconds; a content's end is also seen as an event."""


class NamespaceEnd:
    name = "namespace end"

    def __init__(self, cache: Cache, editor: Editor, now: clocks.Now) -> None:
        self._cache = cache
        self._editor = editor
        self._now = now
        self._ending: set[Key] = set()

    def load(self, record: Record) -> Iterable[Key]:
        return self._ended(record) if record.key.resource == NAMESPACES else ()

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if key.resource == NAMESPACES:
            if event.type is EventType.DELETED:
                self._ending.discard(key)
                return ()
            return self._ended(event.record)
        if key.namespace and self._ending:
            holder = Key(NAMESPACES, key.cluster, "", key.namespace)
            return (holder,) if holder in self._ending else ()
        return ()

    def _ended(self, record: Record) -> Iterable[Key]:
        if b'"deletionTimestamp"' not in record.value or not is_ending(objects.decode(record.value)):
            return ()
        self._ending.add(record.key)
        return (record.key,)

    async def work(self, key: Key) -> float | None:
        manifest = self._editor.read(key)
        if manifest is None or not is_ending(manifest):
            return None
        remaining = await self._empty(key)
        if remaining:
            waiting = conditions_of(*self._census(remaining))
            await self._editor.edit(key, conditions.setting(waiting, clocks.stamp(self._now())))
            return _LOOK_AGAIN
        await self._editor.edit(key, _finalized)
        return None

    async def _empty(self, key: Key) -> list[Key]:
        """What is still there after all of it was asked to go."""
        for _ in range(3):  # removals may bring about new objects (events)
            found = await self._contents(key)
            if not found or not await self._editor.remove_all(found):
                break
        return await self._contents(key)

    async def _contents(self, key: Key) -> list[Key]:
        found: list[Key] = []
        for resource in self._cache.resources():
            if self._cache.count(resource, key.cluster, key.name):
                page = await self._cache.list(resource, key.cluster, key.name)
                found += [record.key for record in page.records]
        return found

    def _census(self, keys: Iterable[Key]) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Remaining objects by resource, and by finalizer."""
        resources, finalizers = Counter[str](), Counter[str]()
        for key in keys:
            resources[key.resource] += 1
            manifest = self._editor.read(key)
            finalizers.update((manifest or {"metadata": {}})["metadata"].get("finalizers") or ())
        return resources, finalizers


def is_ending(manifest: Manifest) -> bool:
    finalizers = (manifest.get("spec") or {}).get("finalizers") or ()
    return bool(manifest["metadata"].get("deletionTimestamp")) and FINALIZER in finalizers


def conditions_of(resources: Mapping[str, int], finalizers: Mapping[str, int]) -> list[Manifest]:
    """Of a namespace that waits for its contents."""
    found = [
        condition("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        condition(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
    ]
    texts = [f"{name}{'' if '.' in name else '.'} has {count} resource instances" for name, count in resources.items()]
    message = f"Some resources are remaining: {', '.join(sorted(texts))}"
    found.append(condition("NamespaceContentRemaining", "SomeResourcesRemain", message, status="True"))
    if finalizers:
        texts = [f"{name} in {count} resource instances" for name, count in finalizers.items()]
        message = f"Some content in the namespace has finalizers remaining: {', '.join(sorted(texts))}"
        found.append(condition("NamespaceFinalizersRemaining", "SomeFinalizersRemain", message, status="True"))
    return found


def _finalized(manifest: Manifest) -> bool:
    spec = manifest.get("spec") or {}
    finalizers = spec.get("finalizers") or []
    spec["finalizers"] = [name for name in finalizers if name != FINALIZER]
    manifest["spec"] = spec
    return FINALIZER in finalizers
