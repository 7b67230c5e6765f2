from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from tests.revisions import counting

from portway.store.caching import Cache, CacheSettings
from portway.store.clocks import RevisionClock, microseconds
from portway.store.compacting import Retention
from portway.store.contract import (
    Change,
    Committed,
    Compacted,
    Conflict,
    Delete,
    Encode,
    Event,
    Future,
    Key,
    Put,
    Record,
    Unavailable,
)
from portway.store.sqlite import SqliteStore
from portway.store.watching import Subscription


class HeldStore(SqliteStore):
    """Commits wait while ``gate`` is closed."""

    def __init__(self, path: Path, clock: RevisionClock | None = None) -> None:
        super().__init__(path, clock=clock or counting())
        self.gate = asyncio.Event()
        self.gate.set()
        self.batches: list[int] = []

    async def commit(self, changes: Sequence[Sequence[Change]]) -> Committed:
        self.batches.append(len(changes))
        await self.gate.wait()
        return await super().commit(changes)


@pytest.fixture
async def store(tmp_path: Path) -> HeldStore:
    return HeldStore(tmp_path / "store.db")


@pytest.fixture
async def cache(store: HeldStore) -> AsyncIterator[Cache]:
    cache = Cache(store)
    await cache.start()
    yield cache
    store.gate.set()
    await cache.close()


def key(name: str, cluster: str = "root", namespace: str = "default") -> Key:
    return Key("configmaps", cluster, namespace, name)


def body(text: str = "x") -> Encode:
    return lambda revision: f'{{"at":{revision},"text":"{text}"}}'.encode()


async def put(cache: Cache, name: str, cluster: str = "root", namespace: str = "default", text: str = "x") -> Record:
    where = key(name, cluster, namespace)
    present = cache.get(where)
    [record] = await cache.commit([Put(where, body(text), present.revision if present else 0)])
    return record


async def remove(cache: Cache, name: str) -> Record:
    present = cache.get(key(name))
    assert present is not None
    [record] = await cache.commit([Delete(present.key, body("gone"), present.revision)])
    return record


async def take(watch: Subscription, count: int) -> list[str]:
    """The next events as ``TYPE name@revision``."""
    found: list[str] = []
    while len(found) < count:
        event = await asyncio.wait_for(anext(watch), 10)
        if isinstance(event, Event):
            found.append(f"{event.type} {event.record.key.name}@{event.record.revision}")
    return found


def names(records: Sequence[Record]) -> list[str]:
    return [f"{record.key.name}@{record.revision}" for record in records]


async def test_a_write_is_readable_when_it_is_acknowledged(cache: Cache) -> None:
    record = await put(cache, "a")
    assert cache.get(key("a")) == record
    assert (await cache.list("configmaps", "root", "default")).records == [record]
    assert cache.revision == record.revision == 1


async def test_what_equal_objects_have_in_common_is_kept_once_also_after_a_start(
    store: HeldStore, tmp_path: Path
) -> None:
    text = "x" * 500
    cache = Cache(store)
    await cache.start()
    written = [await put(cache, name, text=text) for name in "abc"]
    before = [cache.get(record.key) for record in written]
    await cache.close()
    again = Cache(SqliteStore(tmp_path / "store.db", clock=counting()))
    await again.start()
    after = [again.get(record.key) for record in written]
    await again.close()
    assert before == after == written
    for kept in (before, after):
        last_two = [record.end for record in kept[1:] if record is not None]
        assert len(last_two[0]) > 500
        assert last_two[0] is last_two[1]


async def test_a_conflict_carries_the_actual_state(cache: Cache) -> None:
    record = await put(cache, "a")
    with pytest.raises(Conflict) as caught:
        await cache.commit([Put(key("a"), body(), 0)])
    assert caught.value.actual == record


async def test_lists_are_in_key_order_and_limited_to_cluster_and_namespace(cache: Cache) -> None:
    for name, cluster, namespace in [
        ("b", "root", "default"),
        ("a", "root", "default"),
        ("a", "root", "default2"),
        ("a", "abc", "default"),
        ("z", "root", ""),
    ]:
        await put(cache, name, cluster, namespace)
    assert names((await cache.list("configmaps", None, None)).records) == ["a@4", "z@5", "a@2", "b@1", "a@3"]
    assert names((await cache.list("configmaps", "root", None)).records) == ["z@5", "a@2", "b@1", "a@3"]
    assert names((await cache.list("configmaps", "root", "default")).records) == ["a@2", "b@1"]
    assert names((await cache.list("configmaps", None, "default")).records) == ["a@4", "a@2", "b@1"]
    assert (await cache.list("secrets", None, None)).records == []
    assert cache.count("configmaps", "root") == 4


async def test_pages_of_one_revision_do_not_see_later_writes(cache: Cache) -> None:
    for name in "bdfh":
        await put(cache, name)
    first = await cache.list("configmaps", "root", None, limit=2)
    await put(cache, "a")
    await put(cache, "e")
    await put(cache, "f", text="changed")
    await remove(cache, "h")
    second = await cache.list("configmaps", "root", None, revision=first.revision, after=first.records[-1].key, limit=1)
    third = await cache.list("configmaps", "root", None, revision=first.revision, after=second.records[-1].key, limit=9)
    assert [names(page.records) for page in (first, second, third)] == [["b@1", "d@2"], ["f@3"], ["h@4"]]
    assert [(page.revision, page.remaining) for page in (first, second, third)] == [(4, 2), (4, 1), (4, 0)]


async def test_an_unknown_future_is_refused(cache: Cache) -> None:
    with pytest.raises(Future):
        await cache.list("configmaps", None, None, revision=1)


async def test_a_watch_gets_every_matching_event_once_and_in_order(cache: Cache) -> None:
    await put(cache, "a")
    watch = cache.watch("configmaps", "root", "default", 0)
    everywhere = cache.watch("configmaps", None, None, 1)
    assert await take(watch, 1) == ["ADDED a@1"]
    await put(cache, "other", namespace="elsewhere")
    await put(cache, "a", text="y")
    await remove(cache, "a")
    assert await take(watch, 2) == ["MODIFIED a@3", "DELETED a@4"]
    assert await take(everywhere, 3) == ["ADDED other@2", "MODIFIED a@3", "DELETED a@4"]


async def test_a_watch_from_before_the_ring_reads_the_log(tmp_path: Path) -> None:
    cache = Cache(SqliteStore(tmp_path / "store.db", clock=counting()), CacheSettings(ring_events=3, log_chunk=2))
    await cache.start()
    for name in "abcdefgh":
        await put(cache, name)
        await put(cache, name, namespace="elsewhere")
    watch = cache.watch("configmaps", "root", "default", 1)
    assert await take(watch, 7) == [f"ADDED {name}@{2 * at + 1}" for at, name in enumerate("bcdefgh", 1)]
    await put(cache, "i")
    assert await take(watch, 1) == ["ADDED i@17"]
    assert names((await cache.list("configmaps", "root", "default", revision=4)).records) == ["a@1", "b@3"]
    await cache.close()


async def test_a_watch_goes_on_over_a_restart(tmp_path: Path) -> None:
    for settings in (CacheSettings(), CacheSettings(warm_events=0), CacheSettings(warm_events=1)):
        cache = Cache(SqliteStore(tmp_path / "store.db", clock=counting()), settings)
        await cache.start()
        seen = cache.revision
        await put(cache, "a", text="one")
        await put(cache, "a", text="two")
        await cache.close()
        cache = Cache(SqliteStore(tmp_path / "store.db", clock=counting()), settings)
        await cache.start()
        watch = cache.watch("configmaps", "root", None, seen)
        assert [text[-1] for text in await take(watch, 2)] == [str(seen + 1), str(seen + 2)]
        await cache.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(watch), 10)


async def test_a_cancelled_reader_loses_no_event(cache: Cache) -> None:
    watch = cache.watch("configmaps", None, None, 0)
    reading = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await put(cache, "a")
    assert await take(watch, 1) == ["ADDED a@1"]


async def test_a_reader_that_does_not_read_is_dropped_and_others_are_unharmed(tmp_path: Path) -> None:
    cache = Cache(SqliteStore(tmp_path / "store.db", clock=counting()), CacheSettings(inbox_events=5))
    await cache.start()
    slow, good = cache.watch("configmaps", None, None, 0), cache.watch("configmaps", None, None, 0)
    await put(cache, "n0")
    assert await take(slow, 1) == await take(good, 1)
    for number in range(1, 8):
        await put(cache, f"n{number}")
        assert await take(good, 1) == [f"ADDED n{number}@{number + 1}"]
    with pytest.raises(Compacted):
        await anext(slow)
    assert cache.watchers == 1
    await cache.close()


async def test_a_forgotten_watch_leaves_the_registry(cache: Cache) -> None:
    await put(cache, "a")
    watch, other = cache.watch("configmaps", None, None, 0), cache.watch("configmaps", "root", None, 0)
    await take(watch, 1)
    await take(other, 1)
    assert cache.watchers == 2
    del watch
    assert cache.watchers == 1
    await other.aclose()
    assert cache.watchers == 0


async def test_an_idle_watch_gets_progress(tmp_path: Path) -> None:
    cache = Cache(SqliteStore(tmp_path / "store.db", clock=counting()), CacheSettings(bookmark_seconds=0.02))
    await cache.start()
    watch = cache.watch("configmaps", None, None, 0)
    await put(cache, "a", cluster="abc")
    await cache.commit([Put(Key("secrets", "root", "", "s"), body(), 0)])
    assert await take(watch, 1) == ["ADDED a@1"]
    assert await asyncio.wait_for(anext(watch), 10) == 2
    await cache.close()


async def test_what_one_cluster_is_told_does_not_change_with_writes_in_another(tmp_path: Path) -> None:
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    mine = await put(cache, "mine", cluster="abc")
    before = await cache.list("configmaps", "abc", None)
    for number in range(20):
        await put(cache, f"theirs-{number}", cluster="xyz")
    after = await cache.list("configmaps", "abc", None)
    assert before.revision == after.revision == mine.revision == cache.revision_of("abc")
    assert cache.revision_of("never seen") < mine.revision
    assert cache.revision_of(None) == cache.revision > mine.revision
    at = await cache.list("configmaps", "abc", None, revision=before.revision)
    assert at.records == [mine]
    await cache.close()


async def test_where_nothing_is_written_the_revision_tells_the_time_only(tmp_path: Path) -> None:
    now = [microseconds()]
    store = HeldStore(tmp_path / "store.db", RevisionClock(lambda: now[0]))
    cache = Cache(store, CacheSettings(bookmark_seconds=0.02))
    await cache.start()
    theirs = await put(cache, "theirs", cluster="xyz")
    now[0] += 100_000_000
    async with asyncio.timeout(10):
        while cache.revision_of("abc") <= theirs.revision:  # noqa: ASYNC110  moved by the background task
            await asyncio.sleep(0.005)
    told = cache.revision_of("abc")
    assert (await cache.list("configmaps", "abc", None)).revision == told <= cache.revision
    watch = cache.watch("configmaps", "abc", None, told)
    store.gate.clear()
    writing = asyncio.ensure_future(put(cache, "mine", cluster="abc"))
    await asyncio.sleep(0)
    now[0] += 100_000_000
    await asyncio.sleep(0.05)
    assert cache.revision < now[0] - 90_000_000, "the time stands while a commit is under way"
    store.gate.set()
    mine = await writing
    assert await take(watch, 1) == [f"ADDED mine@{mine.revision}"]
    await cache.close()


async def test_who_missed_nothing_goes_on_from_however_long_ago(tmp_path: Path) -> None:
    now = [1_000_000]
    cache = Cache(SqliteStore(tmp_path / "store.db", clock=RevisionClock(lambda: now[0])))
    await cache.start()
    for name in "ab":
        await put(cache, name, cluster="abc")
    first = await cache.list("configmaps", "abc", None, limit=1)
    now[0] += 1_000_000
    theirs = await put(cache, "theirs", cluster="xyz")
    await cache.compact(theirs.revision)
    second = await cache.list("configmaps", "abc", None, revision=first.revision, after=first.records[-1].key, limit=1)
    assert names([*first.records, *second.records]) == ["a@1000000", "b@1000001"]
    watch = cache.watch("configmaps", "abc", None, first.revision)
    waiting = asyncio.ensure_future(take(watch, 1))
    await asyncio.sleep(0)
    mine = await put(cache, "c", cluster="abc")
    assert await waiting == [f"ADDED c@{mine.revision}"]
    with pytest.raises(Compacted):
        await anext(cache.watch("configmaps", "xyz", None, first.revision))
    await cache.close()


async def test_revisions_tell_the_time_and_not_how_many_there_were(tmp_path: Path) -> None:
    now = [1_000_000]
    cache = Cache(SqliteStore(tmp_path / "store.db", clock=RevisionClock(lambda: now[0])))
    await cache.start()
    first = await put(cache, "a", cluster="abc")
    for number in range(20):
        now[0] += 10
        await put(cache, f"theirs-{number}", cluster="xyz")
    now[0] += 300
    second = await put(cache, "b", cluster="abc")
    assert second.revision - first.revision == 500
    await cache.close()


async def test_writes_of_one_cluster_at_once_have_no_others_between_them(cache: Cache, store: HeldStore) -> None:
    await put(cache, "first")
    store.gate.clear()
    holding = asyncio.ensure_future(put(cache, "second"))
    await asyncio.sleep(0.01)
    tasks = [asyncio.ensure_future(put(cache, f"n{number}", cluster="yx"[number % 2])) for number in range(20)]
    await asyncio.sleep(0)
    store.gate.set()
    await holding
    revisions = [record.revision for record in await asyncio.gather(*tasks)]
    assert revisions[1::2] == list(range(3, 13))
    assert revisions[0::2] == list(range(13, 23))


async def test_writes_that_arrive_during_a_commit_share_the_next_one(cache: Cache, store: HeldStore) -> None:
    store.gate.clear()
    tasks = [asyncio.ensure_future(put(cache, f"n{number}")) for number in range(50)]
    await asyncio.sleep(0.01)
    tasks += [asyncio.ensure_future(put(cache, f"m{number}")) for number in range(30)]
    await asyncio.sleep(0)
    store.gate.set()
    records = await asyncio.gather(*tasks)
    assert sorted(record.revision for record in records) == list(range(1, 81))
    assert len(store.batches) <= 3


async def test_a_cancelled_writer_neither_loses_nor_doubles_its_write(cache: Cache, store: HeldStore) -> None:
    store.gate.clear()
    tasks = [asyncio.ensure_future(put(cache, f"n{number}")) for number in range(10)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    store.gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    await put(cache, "last")
    assert cache.count("configmaps") == 11
    assert cache.revision == 11


async def test_one_failing_encoder_harms_no_other_request(cache: Cache, store: HeldStore) -> None:
    def fail(_revision: int) -> bytes:
        raise ZeroDivisionError

    store.gate.clear()
    good = [asyncio.ensure_future(put(cache, f"n{number}")) for number in range(3)]
    bad = asyncio.ensure_future(cache.commit([Put(key("bad"), fail, 0)]))
    await asyncio.sleep(0)
    store.gate.set()
    assert len(await asyncio.gather(*good)) == 3
    with pytest.raises(ZeroDivisionError):
        await bad


async def test_closing_finishes_the_writes_that_were_taken(store: HeldStore, tmp_path: Path) -> None:
    cache = Cache(store)
    await cache.start()
    tasks = [asyncio.ensure_future(put(cache, f"n{number}")) for number in range(5)]
    await asyncio.sleep(0)
    await cache.close()
    assert len(await asyncio.gather(*tasks)) == 5


async def test_everything_can_be_watched_at_once_from_any_revision(cache: Cache) -> None:
    await put(cache, "a")
    await cache.commit([Put(Key("secrets", "abc", "", "s"), body(), 0)])
    early, now = cache.watch_everything(0), cache.watch_everything(2)
    assert await take(early, 2) == ["ADDED a@1", "ADDED s@2"]
    waiting = asyncio.ensure_future(take(now, 1))
    await asyncio.sleep(0)
    await put(cache, "b")
    assert await take(early, 1) == await waiting == ["ADDED b@3"]


async def test_reads_go_on_while_the_store_stalls_and_too_many_writes_are_refused(
    cache: Cache, store: HeldStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portway.store.committing.WAITING_LIMIT", 3)
    record = await put(cache, "a")
    store.gate.clear()
    first = asyncio.ensure_future(put(cache, "first"))
    await asyncio.sleep(0.01)
    waiting = [asyncio.ensure_future(put(cache, f"n{number}")) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="does not keep up"):
        await put(cache, "one too many")
    assert cache.get(key("a")) == record
    assert names((await cache.list("configmaps", None, None)).records) == ["a@1"]
    store.gate.set()
    await asyncio.gather(first, *waiting)


async def test_the_past_is_forgotten_by_age_in_the_background(tmp_path: Path) -> None:
    now = [1_000_000]
    retention = Retention(read_seconds=5, log_seconds=8, interval_seconds=0.01)
    store = SqliteStore(tmp_path / "store.db", clock=RevisionClock(lambda: now[0]))
    cache = Cache(store, CacheSettings(retention=retention))
    await cache.start()
    for name in "abc":
        await put(cache, name)
        now[0] += 4_000_000
    async with asyncio.timeout(10):
        while cache.oldest < 4_000_000:  # noqa: ASYNC110  moved by the background task
            await asyncio.sleep(0.005)
    with pytest.raises(Compacted):
        await cache.list("configmaps", None, None, revision=1_000_000)
    assert names((await cache.list("configmaps", None, None, revision=5_000_000)).records) == ["a@1000000", "b@5000000"]
    assert len(await cache.history(key("a"), 9)) == 1
    await cache.close()


async def test_the_past_is_forgotten_by_number_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portway.store.compacting.MARK_EVERY", 1)
    retention = Retention(read_events=5, log_events=8, interval_seconds=0.01)
    cache = Cache(SqliteStore(tmp_path / "store.db", clock=counting()), CacheSettings(retention=retention))
    await cache.start()
    for number in range(20):
        await put(cache, f"n{number}")
    async with asyncio.timeout(10):
        while cache.oldest < 15:  # noqa: ASYNC110  moved by the background task
            await asyncio.sleep(0.005)
    with pytest.raises(Compacted):
        await cache.list("configmaps", None, None, revision=14)
    with pytest.raises(Compacted):
        await anext(cache.watch("configmaps", None, None, 14))
    assert len((await cache.list("configmaps", None, None, revision=15)).records) == 15
    await cache.close()


class SharedStore(SqliteStore):
    """A store to which another process writes, too."""

    async def write_elsewhere(self, name: str) -> None:
        await self.commit([[Put(key(name), body(), 0)]])


async def test_writes_of_another_process_are_seen_before_own_later_ones(tmp_path: Path) -> None:
    store = SharedStore(tmp_path / "store.db", clock=counting())
    cache = Cache(store)
    await cache.start()
    watch = cache.watch("configmaps", None, None, 0)
    await store.write_elsewhere("theirs")
    await put(cache, "ours")
    assert await take(watch, 2) == ["ADDED theirs@1", "ADDED ours@2"]
    assert names((await cache.list("configmaps", None, None)).records) == ["ours@2", "theirs@1"]
    await cache.close()


async def test_a_watch_from_a_future_revision_waits_for_it(cache: Cache) -> None:
    watch = cache.watch("configmaps", None, None, 2)
    waiting = asyncio.ensure_future(take(watch, 1))
    await asyncio.sleep(0)
    for name in "abc":
        await put(cache, name)
        await asyncio.sleep(0)
    assert await waiting == ["ADDED c@3"]
