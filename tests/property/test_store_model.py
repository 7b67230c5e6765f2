"""The cache over SQLite against a model: a dict per revision."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import databases

from portway.store.caching import Cache, CacheSettings
from portway.store.contract import Change, Compacted, Conflict, Delete, Event, EventType, Key, Put, Record, Store
from portway.store.orderings import SortedRecords, bounds
from portway.store.postgres import PostgresStore
from portway.store.sqlite import SqliteStore
from portway.store.watching import Subscription

KEYS = [
    Key(resource, cluster, namespace, name)
    for resource in ("configmaps", "secrets")
    for cluster in ("root", "rooted")
    for namespace in ("", "a", "aa")
    for name in ("x", "x-y")
]


@dataclass(frozen=True)
class Write:
    """``stale``: with an expectation that is wrong."""

    key: Key
    delete: bool
    stale: bool


writes = st.builds(Write, st.sampled_from(KEYS), st.booleans(), st.integers(0, 4).map(lambda n: n == 0))
steps = st.lists(
    st.one_of(
        st.lists(st.lists(writes, min_size=1, max_size=3), min_size=1, max_size=5),
        st.just("restart"),
        st.integers(0, 10).map(lambda back: ("compact", back)),
    ),
    max_size=12,
)


@dataclass
class Model:
    history: dict[int, dict[Key, Record]] = field(default_factory=lambda: {0: {}})
    """State from each revision on."""
    events: list[Event] = field(default_factory=list)
    oldest: int = 0

    def apply(self, event: Event) -> None:
        state = dict(self.history[self.newest])
        state.pop(event.record.key, None)
        if event.type is not EventType.DELETED:
            state[event.record.key] = event.record
        self.history[event.record.revision] = state
        self.events.append(event)

    @property
    def newest(self) -> int:
        return self.events[-1].record.revision if self.events else 0

    def moments(self) -> list[tuple[int, dict[Key, Record]]]:
        """Revisions of events and between them, with the state then."""
        between = [(at - 1, before) for at, before in zip(list(self.history)[1:], self.history.values(), strict=False)]
        return [*self.history.items(), *between]


def change_of(write: Write, cache: Cache) -> Change:
    present = cache.get(write.key)
    expect = (present.revision if present else 0) + write.stale
    make: Callable[..., Change] = Delete if write.delete and present else Put
    return make(write.key, lambda revision: b'{"r":%d}' % revision, expect)


async def drain(watch: Subscription, until: int) -> list[Event]:
    found: list[Event] = []
    while not found or found[-1].record.revision < until:
        item = await asyncio.wait_for(anext(watch), 10)
        if isinstance(item, Event):
            found.append(item)
    return found


async def check(cache: Cache, model: Model) -> None:
    assert cache.revision >= model.newest
    for at, state in model.moments():
        expected = sorted(state.values(), key=lambda record: record.key)
        for resource, cluster, namespace in (
            ("configmaps", None, None),
            ("secrets", "root", None),
            ("secrets", "root", "a"),
            ("secrets", None, "a"),
        ):
            wanted = [
                r
                for r in expected
                if r.key.resource == resource
                and cluster in (None, r.key.cluster)
                and namespace in (None, r.key.namespace)
            ]
            try:
                page = await cache.list(resource, cluster, namespace, revision=at)
            except Compacted:
                assert at < cache.oldest
                continue
            assert list(page.records) == wanted
            pages: list[Record] = []
            while len(pages) < len(wanted):
                after = pages[-1].key if pages else None
                part = await cache.list(resource, cluster, namespace, revision=at, after=after, limit=2)
                pages += part.records
                assert part.remaining == len(wanted) - len(pages)
            assert pages == wanted
    for start, _ in model.moments():
        for cluster in (None, "root"):
            expected_events = [
                event
                for event in model.events
                if event.record.revision > start
                and event.record.key.resource == "configmaps"
                and cluster in (None, event.record.key.cluster)
            ]
            if not expected_events or start < cache.oldest:
                continue
            watch = cache.watch("configmaps", cluster, None, start)
            try:
                assert await drain(watch, expected_events[-1].record.revision) == expected_events
            except Compacted:
                assert start < cache.oldest  # another process did it
    for cluster in ("root", "rooted"):
        last = max((event.record.revision for event in model.events if event.record.key.cluster == cluster), default=0)
        assert last <= cache.revision_of(cluster) <= cache.revision


async def opened(makes: Sequence[Callable[[], Store]], cache_settings: CacheSettings) -> list[Cache]:
    caches = [Cache(make(), cache_settings) for make in makes]
    for cache in caches:
        await cache.start()
    return caches


async def run(
    makes: Sequence[Callable[[], Store]],
    todo: list[list[list[Write]] | str | tuple[str, int]],
    cache_settings: CacheSettings,
) -> None:
    """Several stores are of one state; the steps go to them in turn."""
    caches = await opened(makes, cache_settings)
    model = Model()
    for turn, step in enumerate(todo):
        cache = caches[turn % len(caches)]
        if step == "restart":
            oldest = cache.oldest
            for each in caches:
                await each.close()
            caches = await opened(makes, cache_settings)
            assert caches[0].oldest >= oldest
        elif isinstance(step, tuple):
            revisions = list(model.history)
            await cache.compact(revisions[max(len(revisions) - 1 - step[1], 0)] - step[1] % 2)
        elif isinstance(step, list):
            requests = [[change_of(write, cache) for write in request] for request in step]
            answers = await asyncio.gather(*(cache.submit(request) for request in requests), return_exceptions=True)
            granted = [event for answer in answers if isinstance(answer, list) for event in answer]
            assert all(isinstance(answer, list | Conflict) for answer in answers)
            for event in sorted(granted, key=lambda event: event.record.revision):
                model.apply(event)
        for each in caches:
            await each.fresh()
            await check(each, model)
    for each in caches:
        await each.close()


@settings(max_examples=40, deadline=None)
@given(todo=steps, ring=st.sampled_from([1, 3, 4096]), warm=st.sampled_from([0, 2, 2000]))
def test_lists_pages_and_watches_agree_with_a_model_of_the_log(
    todo: list[list[list[Write]] | str | tuple[str, int]], ring: int, warm: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        chosen = CacheSettings(ring_events=ring, warm_events=warm, log_chunk=2)
        asyncio.run(run([lambda: SqliteStore(Path(directory) / "store.db")], todo, chosen))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(todo=steps, ring=st.sampled_from([1, 3, 4096]), warm=st.sampled_from([0, 2, 2000]))
def test_two_processes_on_one_database_agree_with_the_same_model(
    database: str, todo: list[list[list[Write]] | str | tuple[str, int]], ring: int, warm: int
) -> None:
    chosen = CacheSettings(ring_events=ring, warm_events=warm, log_chunk=2)
    asyncio.run(run([lambda: PostgresStore(database)] * 2, todo, chosen))
    databases.in_own_loop(databases.execute(database, "DROP SCHEMA portway CASCADE"))


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(KEYS + [k._replace(name=f"n{i}") for k in KEYS for i in range(4)]), st.booleans())
    ),
    limit=st.integers(0, 5),
)
def test_sorted_records_read_any_range_as_a_sorted_dict_would(changes: list[tuple[Key, bool]], limit: int) -> None:
    table, model = SortedRecords(chunk=3), dict[Key, Record]()
    for revision, (key, remove) in enumerate(changes):
        if remove:
            table.remove(key)
            model.pop(key, None)
        else:
            model[key] = Record(key, revision, b"")
            table.put(model[key])
    for low, high in (
        bounds("configmaps", None, None),
        bounds("secrets", "root", None),
        bounds("secrets", "rooted", "a"),
    ):
        wanted = [model[key] for key in sorted(model) if low <= key < high]
        assert table.read(low, high, limit) == ((wanted[:limit], len(wanted[limit:])) if limit else (wanted, 0))
    assert len(table) == len(model)
