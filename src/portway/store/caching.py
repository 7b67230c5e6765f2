"""The current objects of all keys in memory, over a store that makes changes durable.

Everything the API server reads comes from here. Records and events are shared, never copied: a list is a list of
references to bytes that are ready to be sent. Used from one event loop.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from portway.kit.rounds import Rounds
from portway.store import compacting, orderings
from portway.store.committing import CommitQueue
from portway.store.compacting import Retention
from portway.store.contract import (
    Alone,
    Change,
    Compacted,
    Conflict,
    Entry,
    Event,
    EventType,
    Future,
    Key,
    Page,
    Record,
    Shared,
    Store,
    Unavailable,
)
from portway.store.moments import Moments
from portway.store.orderings import SortedRecords
from portway.store.sharing import Ends
from portway.store.watching import EVERYTHING, Inbox, Registry, Ring, Selector, Source, Subscription

EVERYTHING_INBOX = 200_000
"""Unread events of a reader of everything: such readers are ours, and few."""


@dataclass(frozen=True, slots=True)
class CacheSettings:
    ring_events: int = 4_096
    """Latest events kept in memory for each resource; older ones are read from the log."""
    ring_bytes: int = 8 * 1024 * 1024
    """Values in them, so that large objects do not fill the memory."""
    inbox_events: int = 10_000
    """A watch whose reader leaves more than this unread is ended with Compacted."""
    bookmark_seconds: float = 60.0
    """Between two progress marks of a watch; Kubernetes sends about one a minute."""
    log_chunk: int = 500
    """Events read from the log at once."""
    poll_seconds: float = 1.0
    """Between two looks at a shared store for commits of other processes of which no notice came."""
    warm_events: int = 2_000
    """Events read into the rings at the start (or a few more), so that clients coming back are served from memory."""
    retention: Retention = field(default_factory=Retention)


class Cache:
    """Implements ``store.contract.Reads``. ``start`` it first, ``close`` it at the end (that closes the store)."""

    def __init__(self, store: Store, settings: CacheSettings | None = None) -> None:
        self._store = store
        self._settings = settings or CacheSettings()
        self._revision = 0
        """That of the last event, or later."""
        self._moments = Moments()
        self._warm_from = 0
        self._oldest = 0
        self._records: dict[Key, Record] = {}
        self._tables: dict[str, SortedRecords] = {}
        self._rings: dict[str, Ring] = {}
        self._registry = Registry()
        self._queue = CommitQueue(store.commit, self._publish)
        self._source = Source(self._attach, self._read_log, self._registry.remove, lambda: self._moments.settled)
        self._tasks: builtins.list[asyncio.Task[None]] = []
        self._shared = store if isinstance(store, Shared) else None
        self._alone = store if isinstance(store, Alone) else None
        self._rounds = Rounds(self._catch_up)
        self._observers: builtins.list[Callable[[Event], None]] = []
        self._ends = Ends()

    @property
    def revision(self) -> int:
        return self._revision

    def revision_of(self, cluster: str | None) -> int:
        return self._revision if cluster is None else self._moments.last(cluster)

    @property
    def oldest(self) -> int:
        """The oldest revision that may still be read."""
        return self._oldest

    @property
    def watchers(self) -> int:
        return len(self._registry)

    async def start(self) -> None:
        """Load everything. Raises Unavailable with a sentence for the user when the store cannot be used."""
        self._revision, records = await self._store.load()
        self._moments.begin(self._revision)
        self._fill(records)
        await self._warm()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._queue.run(), name="store commits"),
            loop.create_task(self._mark_progress(), name="store bookmarks"),
            loop.create_task(self._forget(), name="store compaction"),
        ]
        self._store.trust(self)
        if self._shared is not None:
            self._tasks.append(loop.create_task(self._follow(self._shared), name="store followed"))

    def _fill(self, records: Iterable[Record]) -> None:
        grouped: dict[str, builtins.list[Record]] = {}
        for record in map(self._ends.share, records):
            self._records[record.key] = record
            grouped.setdefault(record.key.resource, []).append(record)
        self._tables = {resource: SortedRecords(found) for resource, found in grouped.items()}

    def observe(self, observer: Callable[[Event], None]) -> None:
        """Call it with every event, when the event has become visible."""
        self._observers.append(observer)

    async def fresh(self) -> None:
        """Wait until reads see all that any process had acknowledged when this was called. Raises Unavailable."""
        if self._shared is not None:
            await self._rounds.join()

    async def history(self, key: Key, limit: int) -> builtins.list[Entry]:
        return await self._store.history(key, limit)

    async def close(self) -> None:
        """Finish the writes that were taken, end all watches, close the store."""
        self._queue.close()
        if self._tasks:
            commits, *others = self._tasks
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await commits
            self._tasks = []
        await self._rounds.close()
        self._registry.close()
        await self._store.close()

    def get(self, key: Key) -> Record | None:
        return self._records.get(key)

    def resources(self) -> builtins.list[str]:
        """Resources of which objects exist or were seen since the start."""
        return list(self._tables)

    def count(self, resource: str, cluster: str | None = None, namespace: str | None = None) -> int:
        """How many objects there are; cheap."""
        table = self._tables.get(resource)
        if table is None:
            return 0
        found, more = table.read(*orderings.bounds(resource, cluster, namespace), limit=1)
        return len(found) + more

    async def commit(self, changes: Sequence[Change]) -> builtins.list[Record]:
        return [event.record for event in await self.submit(changes)]

    async def submit(self, changes: Sequence[Change]) -> builtins.list[Event]:
        """As ``commit``, answered by the events. What a Conflict tells of is visible when it is raised."""
        try:
            return await self._queue.submit(changes)
        except Conflict:
            await self.fresh()
            raise

    async def compact(self, revision: int) -> None:
        """Forget the log up to a revision now; the background task does it by ``Retention``."""
        self._oldest = max(self._oldest, await self._store.compact(min(revision, self._revision)))

    def watch(self, resource: str, cluster: str | None, namespace: str | None, after: int) -> Subscription:
        inbox = Inbox(Selector(resource, cluster, namespace), self._settings.inbox_events)
        inbox.progress_at = time.monotonic() + random.uniform(0.5, 1) * self._settings.bookmark_seconds  # noqa: S311
        return Subscription(self._source, inbox, after)

    def watch_everything(self, after: int) -> Subscription:
        """Events of all resources and clusters."""
        return Subscription(self._source, Inbox(EVERYTHING, EVERYTHING_INBOX), after)

    def all(self) -> Iterable[Record]:
        """All current objects, in no order. Not to be kept over an await."""
        return self._records.values()

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
        if revision is not None and revision > self._revision:
            raise Future(revision, self._revision)
        if revision is not None and revision < self._moments.last(cluster):
            if revision < self._oldest:
                raise Compacted(revision, self._oldest)
            if revision < self._ring(resource).newest:
                return await self._past(Selector(resource, cluster, namespace), revision, after, limit)
        found, remaining = self._present(Selector(resource, cluster, namespace), after, limit)
        return Page(found, self.revision_of(cluster) if revision is None else revision, remaining)

    def _present(self, selector: Selector, after: Key | None, limit: int) -> tuple[builtins.list[Record], int]:
        table = self._tables.get(selector.resource)
        if table is None:
            return [], 0
        whole = selector.cluster is None and selector.namespace is not None
        low, high = orderings.bounds(*selector)
        if after is not None:
            low = max(low, (*after[:3], after.name + "\0"))
        found, remaining = table.read(low, high, 0 if whole else limit)
        if not whole:
            return found, remaining
        return _cut([record for record in found if record.key.namespace == selector.namespace], None, limit)

    async def _past(self, selector: Selector, revision: int, after: Key | None, limit: int) -> Page:
        """The state before the first change that came later, for each object changed since."""
        present, _ = self._present(selector, None, 0)
        state: dict[Key, Record | None] = {}
        for event in await self._later(selector.resource, revision):
            key = event.record.key
            if key not in state and selector.matches(key):
                before = event.previous
                state[key] = None if before is None else Record(key, event.previous_revision, before)
        kept = [record for record in present if record.key not in state]
        kept += [record for record in state.values() if record is not None]
        kept.sort(key=lambda record: record.key)
        found, remaining = _cut(kept, after, limit)
        return Page(found, revision, remaining)

    async def _later(self, resource: str, revision: int) -> builtins.list[Event]:
        ring = self._ring(resource)
        if revision >= ring.floor:
            return ring.since(revision)
        until, found = self._moments.last(None), []
        while revision < until:
            events = await self._read_log(revision)
            revision = events[-1].record.revision
            found += [e for e in events if e.record.key.resource == resource and e.record.revision <= until]
        return found

    def _ring(self, resource: str) -> Ring:
        ring = self._rings.get(resource)
        if ring is None:
            ring = Ring(self._warm_from, self._settings.ring_events, self._settings.ring_bytes)
            self._rings[resource] = ring
        return ring

    async def _publish(self, before: int, events: Sequence[Event]) -> None:
        """Make durable events visible, in order; those of other processes that came before are fetched first."""
        await self._reach(before)
        for event in events:
            self._apply(event)

    async def _catch_up(self) -> None:
        if self._shared is not None:
            await self._reach(await self._shared.newest())

    async def _reach(self, revision: int) -> None:
        """Make visible what others have committed up to a revision. Several may do this at once."""
        while revision > self._revision:
            try:
                missed = await self._store.events(self._revision, self._settings.log_chunk)
            except Compacted:
                await self._reload()
                continue
            for event in missed:
                self._apply(event)
            if len(missed) < self._settings.log_chunk:
                self._revision = max(self._revision, revision)

    async def _follow(self, shared: Shared) -> None:
        while True:
            await shared.changed(self._settings.poll_seconds)
            try:
                await self.fresh()
            except Unavailable:  # reads and writes report it; the next look tries again
                await asyncio.sleep(self._settings.poll_seconds)

    async def _reload(self) -> None:
        """Begin anew from the current state: the log no longer has what was missed. All watches end as too old."""
        revision, records = await self._store.load()
        if revision <= self._revision:
            return
        self._records, self._tables, self._rings = {}, {}, {}
        self._fill(records)
        self._revision = self._warm_from = self._oldest = revision
        self._moments.begin(revision)
        self._registry.lose_all()

    def _apply(self, event: Event) -> None:
        if event.record.revision <= self._revision:
            return
        record = self._ends.share(event.record)
        if record is not event.record:
            event = Event(event.type, record, event.previous, event.previous_revision)
        key = record.key
        table = self._tables.get(key.resource)
        if table is None:
            table = self._tables[key.resource] = SortedRecords()
        self._records.pop(key, None)  # the old key object goes with the old record
        if event.type is EventType.DELETED:
            table.remove(key)
        else:
            self._records[key] = record
            table.put(record)
        self._ring(key.resource).append(event)
        self._revision = record.revision
        self._moments.write(key.cluster, record.revision)
        self._registry.deliver(event)
        for observer in self._observers:
            observer(event)

    def _attach(self, inbox: Inbox, after: int) -> bool:
        if after >= self._moments.last(inbox.selector.cluster):  # nothing is missed, however long ago it was
            self._registry.add(inbox)
            return True
        if after < self._oldest:
            raise Compacted(after, self._oldest)
        if inbox.selector == EVERYTHING:
            return False
        ring = self._ring(inbox.selector.resource)
        if after < ring.floor:
            return False
        inbox.events = [event for event in ring.since(after) if inbox.selector.matches(event.record.key)]
        self._registry.add(inbox)
        return True

    async def _read_log(self, after: int) -> builtins.list[Event]:
        if after < self._oldest:
            raise Compacted(after, self._oldest)
        try:
            events = await self._store.events(after, self._settings.log_chunk)
        except Compacted as error:  # by another process
            self._oldest = max(self._oldest, error.oldest)
            raise
        if not events:
            raise Unavailable(f"the store's log ends at revision {after}, {self._revision} was expected")
        return events

    async def _warm(self) -> None:
        try:
            await self._store.events(0, 1)
        except Compacted as error:
            self._oldest = error.oldest
        self._warm_from = max(await self._store.mark_before(self._settings.warm_events), self._oldest)
        for event in await self._all_events(self._warm_from):
            current = self._records.get(event.record.key)
            if current is not None and current.revision == event.record.revision:
                event = Event(event.type, current, event.previous, event.previous_revision)  # noqa: PLW2901
            self._ring(event.record.key.resource).append(event)

    async def _all_events(self, after: int) -> builtins.list[Event]:
        found: builtins.list[Event] = []
        while after < self._revision:
            events = await self._store.events(after, self._settings.warm_events + compacting.MARK_EVERY)
            if not events:
                break
            found += events
            after = events[-1].record.revision
        return found

    async def _mark_progress(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._settings.bookmark_seconds / 4))
            self._follow_time()
            self._registry.announce_progress(time.monotonic(), self._settings.bookmark_seconds)

    def _follow_time(self) -> None:
        if self._alone is not None and not self._queue.is_busy:
            self._revision = self._alone.tick()
        self._moments.settle(self._revision)

    async def _forget(self) -> None:
        retention = self._settings.retention
        while True:
            await asyncio.sleep(retention.interval_seconds)
            with contextlib.suppress(Unavailable):  # writes report it; the next look tries again
                self._oldest = max(self._oldest, await self._horizon(retention.read_seconds, retention.read_events))
                target = await self._horizon(retention.log_seconds, retention.log_events)
                if target:
                    await self.compact(target)

    async def _horizon(self, seconds: float, events: int) -> int:
        """The oldest revision to keep; 0 when all."""
        return max(compacting.aged(self._revision, seconds), await self._store.mark_before(events))


def _cut(records: Sequence[Record], after: Key | None, limit: int) -> tuple[builtins.list[Record], int]:
    """Sorted records after a key, at most ``limit`` of them, and how many more there are."""
    found = [record for record in records if after is None or record.key > after]
    return (found[:limit], len(found) - limit) if limit and len(found) > limit else (found, 0)
