"""Watches over the cache: recent events in rings, one inbox a reader, and the readers' side of it.

An event is handed to the readers whose selector it matches and to no other, so idle readers cost nothing but memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from portway.store.contract import Compacted, Event, Key


class Selector(NamedTuple):
    """What a reader sees; None means all."""

    resource: str
    """Empty for all resources."""
    cluster: str | None
    namespace: str | None

    def matches(self, key: Key) -> bool:
        return (
            self.resource in ("", key.resource)
            and (self.cluster is None or key.cluster == self.cluster)
            and (self.namespace is None or key.namespace == self.namespace)
        )


EVERYTHING = Selector("", None, None)


class Ring:
    """The latest events of one resource; complete for revisions greater than ``floor``."""

    __slots__ = ("_bytes", "_events", "_max_bytes", "_max_events", "floor")

    def __init__(self, floor: int, max_events: int, max_bytes: int) -> None:
        self.floor = floor
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes

    @property
    def newest(self) -> int:
        """Revision of the last event, or ``floor`` when there is none."""
        return self._events[-1].record.revision if self._events else self.floor

    def append(self, event: Event) -> None:
        self._events.append(event)
        self._bytes += _size(event)
        while len(self._events) > self._max_events or (self._bytes > self._max_bytes and len(self._events) > 1):
            gone = self._events.popleft()
            self._bytes -= _size(gone)
            self.floor = gone.record.revision

    def since(self, revision: int) -> list[Event]:
        """Events after ``revision``, oldest first. Asked only for revisions not below ``floor``."""
        found = []
        for event in reversed(self._events):
            if event.record.revision <= revision:
                break
            found.append(event)
        found.reverse()
        return found


def _size(event: Event) -> int:
    """Bytes that the event holds alone."""
    return len(event.record.begin) + len(event.previous or b"")


class Inbox:
    """What waits for one reader. The registry holds it; the reader holds it too and may vanish at any time."""

    __slots__ = (
        "closed",
        "events",
        "limit",
        "overflown",
        "progress_at",
        "progress_due",
        "selector",
        "waiter",
    )

    def __init__(self, selector: Selector, limit: int) -> None:
        self.selector = selector
        self.limit = limit
        self.events: list[Event] = []
        self.waiter: asyncio.Future[None] | None = None
        self.overflown = False
        self.closed = False
        self.progress_at = 0.0
        self.progress_due = False

    def offer(self, event: Event) -> bool:
        """False when the reader is too far behind; it is then lost."""
        if len(self.events) >= self.limit:
            self.lose()
            return False
        self.events.append(event)
        self.wake()
        return True

    def lose(self) -> None:
        """End the watch as one that is too old."""
        self.overflown = True
        self.events = []
        self.wake()

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class Registry:
    """All live inboxes, found by what they select."""

    def __init__(self) -> None:
        self._inboxes: dict[Selector, dict[Inbox, None]] = {}
        self._closed = False

    def __len__(self) -> int:
        return sum(len(found) for found in self._inboxes.values())

    def add(self, inbox: Inbox) -> None:
        if self._closed:
            inbox.closed = True
            return
        self._inboxes.setdefault(inbox.selector, {})[inbox] = None

    def remove(self, inbox: Inbox) -> None:
        """Absent is fine."""
        found = self._inboxes.get(inbox.selector)
        if found is not None and found.pop(inbox, self) is None and not found:
            del self._inboxes[inbox.selector]

    def deliver(self, event: Event) -> None:
        resource, cluster, namespace, _ = event.record.key
        for selector in (
            Selector(resource, cluster, namespace),
            Selector(resource, cluster, None),
            Selector(resource, None, None),
            Selector(resource, None, namespace),
            EVERYTHING,
        ):
            found = self._inboxes.get(selector)
            if found is None:
                continue
            lost = [inbox for inbox in found if not inbox.offer(event)]
            for inbox in lost:
                self.remove(inbox)

    def announce_progress(self, now: float, every: float) -> None:
        """Wake the readers whose bookmark is due."""
        for inbox in self._all():
            if inbox.progress_at <= now:
                inbox.progress_at = now + every
                inbox.progress_due = True
                inbox.wake()

    def lose_all(self) -> None:
        """End all watches as too old."""
        for inbox in list(self._all()):
            inbox.lose()
        self._inboxes.clear()

    def close(self) -> None:
        """End all watches, and those that come later at once."""
        self._closed = True
        for inbox in list(self._all()):
            inbox.closed = True
            inbox.wake()
        self._inboxes.clear()

    def _all(self) -> Iterable[Inbox]:
        return (inbox for found in self._inboxes.values() for inbox in found)


class Source(NamedTuple):
    """What a subscription asks of the cache."""

    attach: Callable[[Inbox, int], bool]
    """Put the events after a revision into the inbox and register it; False when they are only in the log."""
    read_log: Callable[[int], Awaitable[list[Event]]]
    """Some events of all resources after a revision, never none; raises Compacted."""
    detach: Callable[[Inbox], None]
    settled: Callable[[], int]
    """A revision that is past, and that tells the time only."""


class Subscription:
    """One reader's watch: an asynchronous iterator of events and, now and then, an int (see ``Reads.watch``).

    A cancelled ``__anext__`` loses nothing: the next call goes on where it was.
    """

    __slots__ = ("__weakref__", "_attached", "_cursor", "_inbox", "_ready", "_source")

    def __init__(self, source: Source, inbox: Inbox, after: int) -> None:
        self._source = source
        self._inbox = inbox
        self._cursor = after
        self._attached = False
        self._ready: list[Event | int] = []
        """Newest first, so that taking one is a pop."""

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event | int:
        if not self._ready:
            self._ready = await self.batch()
            self._ready.reverse()
        return self._ready.pop()

    async def batch(self) -> list[Event | int]:
        """All that is ready, at least one; waits for it. Raises StopAsyncIteration when the cache was closed."""
        if self._ready:
            ready, self._ready = self._ready, []
            ready.reverse()
            return ready
        while True:
            events = await self._behind()
            if self._attached:
                events, self._inbox.events = self._inbox.events, []
                if events and events[0].record.revision <= self._cursor:  # it began in the future
                    events = [event for event in events if event.record.revision > self._cursor]
            if events:
                self._cursor = events[-1].record.revision
                return list(events)
            if self._attached:
                if self._due():
                    return [self._source.settled()]
                await self._wait()

    async def aclose(self) -> None:
        self._inbox.closed = True
        self._source.detach(self._inbox)

    def __del__(self) -> None:
        self._source.detach(self._inbox)

    async def _behind(self) -> list[Event]:
        """Matching events of one stretch of the log, until the inbox can take over."""
        if self._attached:
            return []
        if self._inbox.closed:
            raise StopAsyncIteration
        self._attached = self._source.attach(self._inbox, self._cursor)
        if self._attached:
            return []
        events = await self._source.read_log(self._cursor)
        self._cursor = events[-1].record.revision
        return [event for event in events if self._inbox.selector.matches(event.record.key)]

    def _due(self) -> bool:
        if self._inbox.overflown:
            raise Compacted(self._cursor, max(self._cursor, self._source.settled()))
        if self._inbox.closed:
            raise StopAsyncIteration
        due, self._inbox.progress_due = self._inbox.progress_due, False
        return due

    async def _wait(self) -> None:
        self._inbox.waiter = asyncio.get_running_loop().create_future()
        try:
            await self._inbox.waiter
        finally:
            self._inbox.waiter = None
