"""The API server's way to the cache: reads, atomic writes that wait for the indexes, and the place of encryption."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from portway.apiserver.following import Follower
from portway.store.contract import Change, Delete, Encode, Event, Key, Page, Put, Reads, Record

SEALED = frozenset(("secrets",))


class Sealer(Protocol):
    """Encrypts the bytes of objects whose resource is in SEALED, bound to their key."""

    def seal(self, key: Key, value: bytes) -> bytes: ...

    def open(self, key: Key, sealed: bytes) -> bytes: ...


class Storage:
    """``cache`` with sealing; every commit is in all ``followers`` before it returns."""

    def __init__(self, cache: Reads, sealer: Sealer | None = None) -> None:
        self.cache = cache
        self._sealer = sealer
        self._followers: dict[str, list[Follower[Any]]] = {}

    def follow(self, follower: Follower[Any]) -> None:
        self._followers.setdefault(follower.resource, []).append(follower)

    @property
    def followers(self) -> list[Follower[Any]]:
        return [follower for group in self._followers.values() for follower in group]

    @property
    def revision(self) -> int:
        return self.cache.revision

    def get(self, key: Key) -> Record | None:
        record = self.cache.get(key)
        return record if record is None or not self._seals(key.resource) else self._opened(record)

    async def list(
        self,
        resource: str,
        cluster: str | None,
        namespace: str | None,
        *,
        revision: int | None = None,
        after: Key | None = None,
        limit: int = 0,
    ) -> Page:
        page = await self.cache.list(resource, cluster, namespace, revision=revision, after=after, limit=limit)
        if not self._seals(resource):
            return page
        return page._replace(records=[self._opened(record) for record in page.records])

    def watch(
        self, resource: str, cluster: str | None, namespace: str | None, after: int
    ) -> AsyncIterator[Event | int]:
        events = self.cache.watch(resource, cluster, namespace, after)
        return self._opened_events(events) if self._seals(resource) else events

    async def commit(self, changes: Sequence[Change]) -> list[Record]:
        """One atomic request. Raises store Conflict and Unavailable."""
        if self._sealer is not None:
            changes = [self._sealed(change) if change.key.resource in SEALED else change for change in changes]
        records = await self.cache.commit(changes)
        for record in records:
            for follower in self._followers.get(record.key.resource, ()):
                if follower.covers(record.key):
                    await follower.reached(record.revision)
        return [self._opened(r) if self._seals(r.key.resource) else r for r in records]

    def _seals(self, resource: str) -> bool:
        return self._sealer is not None and resource in SEALED

    def _opened(self, record: Record) -> Record:
        assert self._sealer is not None
        return Record(record.key, record.revision, self._sealer.open(record.key, record.value))

    async def _opened_events(self, events: AsyncIterator[Event | int]) -> AsyncIterator[Event | int]:
        async for event in events:
            if isinstance(event, int):
                yield event
                continue
            assert self._sealer is not None
            key = event.record.key
            previous = self._sealer.open(key, event.previous) if event.previous is not None else None
            yield Event(event.type, self._opened(event.record), previous)

    def _sealed(self, change: Change) -> Change:
        sealer, key, inner = self._sealer, change.key, change.encode
        assert sealer is not None

        def encode(revision: int) -> bytes:
            return sealer.seal(key, inner(revision))

        sealing: Encode = encode
        if isinstance(change, Put):
            return Put(key, sealing, change.expect)
        return Delete(key, sealing, change.expect)
