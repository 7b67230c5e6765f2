"""In-memory indexes that follow the store: every object of a resource, parsed once to what requests need of it.

A writer waits with ``reached`` until its own write is in the index, so that what it wrote holds for its next request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

import orjson

from portway.krm.identity import Manifest
from portway.store.contract import Compacted, Event, EventType, Key, Reads, Record

log = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE_SECONDS = 5.0

Parse = Callable[[Key, int, Manifest], T | None]
Changed = Callable[[Key], None]


class Follower(Generic[T]):
    """``of(cluster)`` holds the parsed objects by (namespace, name)."""

    def __init__(
        self,
        cache: Reads,
        resource: str,
        parse: Parse[T],
        changed: Changed | None = None,
        *,
        cluster: str | None = None,
        namespace: str | None = None,
    ) -> None:
        self.resource = resource
        self._cache = cache
        self._parse = parse
        self._changed = changed
        self._cluster = cluster
        self._namespace = namespace
        self._items: dict[str, dict[tuple[str, str], T]] = {}
        self._revision = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    def of(self, cluster: str) -> dict[tuple[str, str], T]:
        return self._items.get(cluster) or {}

    def get(self, cluster: str, name: str, namespace: str = "") -> T | None:
        items = self._items.get(cluster)
        return items.get((namespace, name)) if items else None

    def clusters(self) -> list[str]:
        return list(self._items)

    def covers(self, key: Key) -> bool:
        return (
            key.resource == self.resource
            and (self._cluster is None or key.cluster == self._cluster)
            and (self._namespace is None or key.namespace == self._namespace)
        )

    async def start(self) -> None:
        """Load the current state; ``run`` goes on from there."""
        page = await self._cache.list(self.resource, self._cluster, self._namespace)
        found = {record.key for record in page.records}
        for record in page.records:
            self._put(record)
        stale = [
            Key(self.resource, cluster, *place)
            for cluster, items in self._items.items()
            for place in items
            if Key(self.resource, cluster, *place) not in found
        ]
        for key in stale:
            self._drop(key)
        self._advance(page.revision)

    async def run(self) -> None:
        """Follow until the cache closes; starts over when the log no longer has what was missed."""
        while True:
            try:
                await self._follow(self._cache.watch(self.resource, self._cluster, self._namespace, self._revision))
            except Compacted:
                await self.start()
            else:
                return

    async def _follow(self, events: AsyncIterator[Event | int]) -> None:
        async for event in events:
            if isinstance(event, int):
                self._advance(event)
                continue
            if event.type is EventType.DELETED:
                self._drop(event.record.key)
            else:
                self._put(event.record)
            self._advance(event.record.revision)

    async def reached(self, revision: int) -> None:
        if self._revision >= revision:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((revision, waiter))
        try:
            await asyncio.wait_for(waiter, _PATIENCE_SECONDS)
        except TimeoutError:
            # The write is durable; only its effect on later requests is late.
            log.error("an index is behind the store", extra={"resource": self.resource, "revision": revision})

    def _put(self, record: Record) -> None:
        key = record.key
        try:
            parsed = self._parse(key, record.revision, orjson.loads(record.value))
        except (KeyError, TypeError, ValueError, AttributeError):
            log.exception("an object is left out of the index", extra={"key": str(key)})
            parsed = None
        if parsed is None:
            self._drop(key)
            return
        self._items.setdefault(key.cluster, {})[(key.namespace, key.name)] = parsed
        if self._changed is not None:
            self._changed(key)

    def _drop(self, key: Key) -> None:
        items = self._items.get(key.cluster)
        if not items or items.pop((key.namespace, key.name), None) is None:
            return
        if not items:
            del self._items[key.cluster]
        if self._changed is not None:
            self._changed(key)

    def _advance(self, revision: int) -> None:
        self._revision = max(self._revision, revision)
        if not self._waiters:
            return
        waiting = []
        for wanted, waiter in self._waiters:
            if wanted > self._revision:
                waiting.append((wanted, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._waiters = waiting
