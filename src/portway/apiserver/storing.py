"""The API server's way to the cache: reads, atomic writes that wait for the indexes, and the place of encryption."""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from portway.apiserver.following import Follower
from portway.apiserver.sealing import KeyMissing, SealError
from portway.store.contract import Change, Encode, Entry, Event, Key, Observed, Page, Record

log = logging.getLogger(__name__)

KEY_SECONDS = 1.0
"""Between two looks for a key that an event needs."""
SEALED = frozenset(("secrets",))


class Sealer(Protocol):
    """Encrypts the bytes of objects whose resource is in SEALED, bound to their key."""

    def seal(self, key: Key, value: bytes) -> bytes: ...

    def open(self, key: Key, sealed: bytes) -> bytes: ...


class Storage:
    """``cache`` with sealing; every commit is in all ``followers`` before it returns."""

    def __init__(self, cache: Observed, sealer: Sealer | None = None) -> None:
        self.cache = cache
        self._sealer = sealer
        self._followers: dict[str, list[Follower[Any]]] = {}
        self._expected: dict[Follower[Any], int] = {}
        """The revisions that followers have not been seen to reach."""
        cache.observe(self._expect)

    def follow(self, follower: Follower[Any]) -> None:
        self._followers.setdefault(follower.resource, []).append(follower)

    @property
    def followers(self) -> list[Follower[Any]]:
        return [follower for group in self._followers.values() for follower in group]

    @property
    def revision(self) -> int:
        return self.cache.revision

    def revision_of(self, cluster: str | None) -> int:
        return self.cache.revision_of(cluster)

    def get(self, key: Key) -> Record | None:
        record = self.cache.get(key)
        return record if record is None else self.opened(record)

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
        sealer = self._sealer_of(resource)
        if sealer is None:
            return page
        return page._replace(records=[_opened(sealer, record) for record in page.records])

    def watch(
        self, resource: str, cluster: str | None, namespace: str | None, after: int
    ) -> AsyncIterator[Event | int]:
        events = self.cache.watch(resource, cluster, namespace, after)
        sealer = self._sealer_of(resource)
        return events if sealer is None else _opened_events(sealer, events)

    async def fresh(self) -> None:
        """Wait until reads and all followers know what any process had acknowledged. Raises store Unavailable."""
        await self.cache.fresh()
        for follower, revision in list(self._expected.items()):
            await follower.reached(revision)
            if self._expected.get(follower) == revision:
                del self._expected[follower]

    async def history(self, key: Key, limit: int) -> builtins.list[Entry]:
        """The newest retained changes of what had the key, oldest first, as far back as their keys are there.

        Raises store Unavailable.
        """
        entries = await self.cache.history(key, limit)
        sealer = self._sealer_of(key.resource)
        if sealer is None:
            return entries
        opened: builtins.list[Entry] = []
        for entry in reversed(entries):
            try:
                opened.insert(0, Entry(_opened_event(sealer, entry.event), entry.user, entry.written))
            except SealError:  # its master key was forgotten
                break
        return opened

    async def commit(self, changes: Sequence[Change], user: str = "") -> builtins.list[Record]:
        """One atomic request of a user. Raises store Conflict and Unavailable."""
        records = await self.cache.commit([self._prepared(change, user) for change in changes])
        for record in records:
            for follower in self._followers.get(record.key.resource, ()):
                if follower.covers(record.key):
                    await follower.reached(record.revision)
        return [self.opened(record) for record in records]

    def _sealer_of(self, resource: str) -> Sealer | None:
        return self._sealer if resource in SEALED else None

    def opened(self, record: Record) -> Record:
        """A record of the cache as it was before sealing."""
        sealer = self._sealer_of(record.key.resource)
        return record if sealer is None else _opened(sealer, record)

    def _prepared(self, change: Change, user: str) -> Change:
        sealer = self._sealer_of(change.key.resource)
        encode = change.encode if sealer is None else _sealing(sealer, change.key, change.encode)
        return type(change)(change.key, encode, change.expect, change.user or user)

    def _expect(self, event: Event) -> None:
        for follower in self._followers.get(event.record.key.resource, ()):
            if follower.covers(event.record.key):
                self._expected[follower] = event.record.revision


def _sealing(sealer: Sealer, key: Key, encode: Encode) -> Encode:
    return lambda revision: sealer.seal(key, encode(revision))


def _opened(sealer: Sealer, record: Record) -> Record:
    return Record(record.key, record.revision, sealer.open(record.key, record.value))


async def _opened_events(sealer: Sealer, events: AsyncIterator[Event | int]) -> AsyncIterator[Event | int]:
    async for event in events:
        if isinstance(event, int):
            yield event
            continue
        while True:
            try:
                yield _opened_event(sealer, event)
            except KeyMissing as error:  # another process uses a new key already; the file with it is to come
                log.error("waiting for a key", extra={"error": str(error)})
                await asyncio.sleep(KEY_SECONDS)
            else:
                break


def _opened_event(sealer: Sealer, event: Event) -> Event:
    previous = sealer.open(event.record.key, event.previous) if event.previous is not None else None
    return Event(event.type, _opened(sealer, event.record), previous, event.previous_revision)
