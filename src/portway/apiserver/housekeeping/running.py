"""All engines over one watch of everything. Bootstrap runs it, in one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.context import Context
from portway.apiserver.housekeeping.aggregating import AggregatedRoles
from portway.apiserver.housekeeping.bindings import BindingEnd, BindingUpkeep
from portway.apiserver.housekeeping.collecting import GarbageCollector, Locate
from portway.apiserver.housekeeping.contested import ContestedNames
from portway.apiserver.housekeeping.contract import Engine
from portway.apiserver.housekeeping.defaultbindings import DefaultBindings
from portway.apiserver.housekeeping.definitions import DefinitionEnd
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.housekeeping.expiring import EventExpiry
from portway.apiserver.housekeeping.namespaces import NamespaceEnd
from portway.apiserver.housekeeping.phases import WorkspacePhases
from portway.apiserver.housekeeping.provisioning import NamespaceProvisioning
from portway.apiserver.housekeeping.quotas import QuotaUsage
from portway.apiserver.housekeeping.slices import SliceUpkeep
from portway.apiserver.housekeeping.worklists import Worklist
from portway.apiserver.housekeeping.workspaces import WorkspaceEnd
from portway.apiserver.registry import Registry
from portway.store.caching import Cache
from portway.store.contract import Compacted, Event, Key, Record
from portway.store.watching import Subscription

log = logging.getLogger(__name__)
T = TypeVar("T")

_LOAD_SLICE = 2_000
"""Objects looked at between two turns of the event loop."""


class Housekeeping:
    """``run`` until cancelled; it can be run again."""

    def __init__(self, cache: Cache, context: Context) -> None:
        self._cache = cache
        self._context = context
        self._worklists: list[Worklist] = []

    @property
    def is_idle(self) -> bool:
        return all(worklist.is_idle for worklist in self._worklists)

    async def run(self) -> None:
        """Ends when the cache is closed."""
        while not await self._term():
            log.warning("housekeeping fell behind and looks at everything again")

    async def _term(self) -> bool:
        """False when events were missed: they are found by looking at everything again."""
        engines = engines_of(self._cache, self._context)
        self._worklists = [Worklist(engine) for engine in engines]
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(worklist.run()) for worklist in self._worklists]
            watch = self._cache.watch_everything(self._cache.revision)
            await self._load(engines)
            try:
                await self._follow(watch, engines)
            except Compacted:
                return False
            finally:
                for task in running:
                    task.cancel()
        return True

    async def _load(self, engines: Sequence[Engine]) -> None:
        for count, record in enumerate(list(self._cache.all())):
            for engine, worklist in zip(engines, self._worklists, strict=True):
                _tell(engine.load, record, worklist)
            if count % _LOAD_SLICE == 0:
                await asyncio.sleep(0)

    async def _follow(self, watch: Subscription, engines: Sequence[Engine]) -> None:
        async for event in watch:
            if not isinstance(event, Event):
                continue
            for engine, worklist in zip(engines, self._worklists, strict=True):
                _tell(engine.observe, event, worklist)


def _tell(listen: Callable[[T], Iterable[Key]], news: T, worklist: Worklist) -> None:
    try:
        if keys := listen(news):
            worklist.add_all(keys)
    except Exception:  # the loop's edge: an object nobody can read must not stop the rest
        log.exception("an object could not be understood", extra={"key": str(_key_of(news))})


def _key_of(news: object) -> Key | None:
    record = news.record if isinstance(news, Event) else news
    return record.key if isinstance(record, Record) else None


def engines_of(cache: Cache, context: Context) -> list[Engine]:
    editor = Editor(context.storage, context.now)
    return [
        GarbageCollector(editor, _locating(context.registry), context.storage.opened),
        NamespaceEnd(cache, editor, context.now),
        DefinitionEnd(cache, editor, context.registry, context.now),
        WorkspacePhases(editor, context.now),
        WorkspaceEnd(cache, editor, _builtin(context.registry), context.now),
        NamespaceProvisioning(editor, context.settings.ca_certificate, context.now),
        EventExpiry(editor, context.now),
        BindingUpkeep(editor, context.registry, BindingStatuses(context.registry, context.now)),
        BindingEnd(cache, editor),
        SliceUpkeep(cache, editor, context.registry, settings=context.settings, now=context.now),
        DefaultBindings(editor, context.tenants, context.types, context.registry, now=context.now),
        QuotaUsage(editor, context.storage),
        ContestedNames(editor, context.registry, context.now),
        AggregatedRoles(editor, context.authorizer.grants),
    ]


def _builtin(registry: Registry) -> frozenset[str]:
    return frozenset(resource.key for resource in registry.builtin.resources)


def _locating(registry: Registry) -> Locate:
    def locate(cluster: str, group: str, kind: str) -> tuple[str, bool] | None:
        resource = registry.serving(cluster).of_kind(group, kind)
        return (resource.key, resource.served.namespaced) if resource is not None else None

    return locate
