"""What only the PostgreSQL store has: several processes, and connections that get lost."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from tests.revisions import counting

from portway.drivers.postgres import servers
from portway.store import compacting
from portway.store.caching import Cache, CacheSettings
from portway.store.contract import Compacted, Conflict, Encode, Event, EventType, Key, Put, Record, Unavailable
from portway.store.postgres import PostgresStore

WRITER = Path(__file__).parent / "writer_until_killed.py"
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'portway'"


def key(name: str) -> Key:
    return Key("configmaps", "root", "default", name)


def body(text: str = "x") -> Encode:
    return lambda revision: b'{"at":%d,"text":"%s"}' % (revision, text.encode())


@asynccontextmanager
async def cache_over(dsn: str, **settings: float) -> AsyncIterator[Cache]:
    cache = Cache(PostgresStore(dsn, clock=counting()), CacheSettings(**settings))  # type: ignore[arg-type]
    await cache.start()
    try:
        yield cache
    finally:
        await cache.close()


async def query(dsn: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def test_a_fresh_read_sees_what_another_process_has_acknowledged(database: str) -> None:
    async with cache_over(database) as one, cache_over(database) as two:
        for number in range(50):
            writer, reader = (one, two) if number % 2 else (two, one)
            [record] = await writer.commit([Put(key(f"n{number}"), body(), 0)])
            await reader.fresh()
            assert reader.get(key(f"n{number}")) == record


async def test_a_conflict_with_another_process_is_visible_when_it_is_raised(database: str) -> None:
    async with cache_over(database, poll_seconds=60) as one, cache_over(database, poll_seconds=60) as two:
        [first] = await one.commit([Put(key("a"), body(), 0)])
        with pytest.raises(Conflict):
            await two.commit([Put(key("a"), body(), 0)])
        assert two.get(key("a")) == first


async def test_two_processes_that_write_at_once_show_one_history_to_all_watches(database: str) -> None:
    async def watch(cache: Cache) -> list[tuple[int, str]]:
        seen = []
        async for event in cache.watch("configmaps", None, None, 0):
            if isinstance(event, Event):
                seen.append((event.record.revision, event.record.key.name))
                if len(seen) == 400:
                    break
        return seen

    async def write(cache: Cache, prefix: str) -> None:
        for number in range(50):
            await cache.commit([Put(key(f"{prefix}{number}"), body(), 0)])

    async with cache_over(database) as one, cache_over(database) as two:
        watches = [asyncio.create_task(watch(cache)) for cache in (one, two)]
        async with asyncio.TaskGroup() as tasks:
            for writer in range(4):
                tasks.create_task(write(one, f"a{writer}-"))
                tasks.create_task(write(two, f"b{writer}-"))
        seen = await asyncio.wait_for(asyncio.gather(*watches), 30)
        assert [revision for revision, _ in seen[0]] == list(range(1, 401))
        assert seen[0] == seen[1]


async def test_commits_of_others_are_found_without_a_notice(database: str) -> None:
    async with cache_over(database, poll_seconds=0.05) as one:
        await query(
            database,
            "WITH c AS (UPDATE portway.counter SET revision = 1), o AS (INSERT INTO portway.objects VALUES "
            "('configmaps', 'root', 'default', 'quiet', 1)) INSERT INTO portway.log VALUES "
            "(1, 0, 'configmaps', 'root', 'default', 'quiet', '{}', 0, 0, '')",
        )
        watch = one.watch("configmaps", None, None, 0)
        event = await asyncio.wait_for(anext(watch), 30)
        assert event == Event(EventType.ADDED, Record(key("quiet"), 1, b"{}"), None)


async def test_ended_connections_are_made_again_and_writes_go_on(database: str) -> None:
    async with cache_over(database) as one, cache_over(database) as two:
        for number in range(5):
            await one.commit([Put(key(f"n{number}"), body(), 0)])
            await query(database, TERMINATE)
            await two.fresh()
            assert two.get(key(f"n{number}")) is not None
        await one.commit([Put(key("last"), body(), 0)])


async def test_a_connection_lost_during_the_commit_is_asked_about(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PostgresStore(database, clock=counting())
    await store.load()

    execute = asyncpg.Connection.execute
    lost = []

    async def lose_after(self: asyncpg.Connection, statement: str, *arguments: object, **options: object) -> object:
        answer = await execute(self, statement, *arguments, **options)
        if statement == "COMMIT":
            lost.append(self.terminate())
            raise ConnectionResetError
        return answer

    async def lose_before(self: asyncpg.Connection, statement: str, *arguments: object, **options: object) -> object:
        if statement == "COMMIT":
            lost.append(self.terminate())
            raise ConnectionResetError
        return await execute(self, statement, *arguments, **options)

    monkeypatch.setattr(asyncpg.Connection, "execute", lose_after)
    _, [answer] = await store.commit([[Put(key("a"), body(), 0)]])
    assert answer == [Event(EventType.ADDED, Record(key("a"), 1, body()(1)), None)]
    monkeypatch.setattr(asyncpg.Connection, "execute", lose_before)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(store.commit([[Put(key("b"), body(), 0)]]), 60)
    assert (await store.newest(), len(lost)) == (1, 3)
    await store.close()


async def test_a_commit_in_one_message_that_was_lost_is_asked_about_and_done_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetchrow = asyncpg.Connection.fetchrow
    lost: list[str] = []

    async def lose(self: asyncpg.Connection, statement: str, *arguments: object, **options: object) -> object:
        if "pg_notify" not in statement or len(lost) == 2:
            return await fetchrow(self, statement, *arguments, **options)
        lost.append("before" if lost else "after")
        if lost[-1] == "after":
            await fetchrow(self, statement, *arguments, **options)
        self.terminate()
        raise ConnectionResetError

    async with cache_over(database) as cache:
        monkeypatch.setattr(asyncpg.Connection, "fetchrow", lose)
        for name in "ab":
            await cache.commit([Put(key(name), body(), 0)])
        assert (cache.revision, lost) == (2, ["after", "before"])
        assert [event.record.key.name for event in await cache._store.events(0, 9)] == ["a", "b"]


async def test_a_server_that_is_away_is_named_without_the_password() -> None:
    with pytest.raises(Unavailable) as caught:
        await PostgresStore("postgresql://portway:hidden@127.0.0.1:1/state").load()
    assert str(caught.value).startswith("PostgreSQL at 127.0.0.1:1/state: it cannot be reached")


async def test_a_newer_schema_is_refused(database: str) -> None:
    store = PostgresStore(database, clock=counting())
    await store.load()
    await store.close()
    await query(database, "INSERT INTO portway.migrations (version) VALUES (99)")
    with pytest.raises(Unavailable, match="newer Portway \\(schema 99"):
        await PostgresStore(database, clock=counting()).load()


async def test_processes_that_start_at_once_migrate_once(database: str) -> None:
    stores = [PostgresStore(database, clock=counting()) for _ in range(6)]
    loaded = await asyncio.gather(*(store.load() for store in stores))
    assert [revision for revision, _ in loaded] == [0] * 6
    await asyncio.gather(*(store.close() for store in stores))


class Deaf(PostgresStore):
    """Hears of nothing."""

    async def changed(self, seconds: float) -> None:
        await asyncio.sleep(3600 + seconds)


async def test_a_process_that_missed_more_than_the_log_keeps_begins_anew(database: str) -> None:
    late = Cache(Deaf(database, clock=counting()))
    await late.start()
    watch = late.watch("configmaps", None, None, 0)
    pending = asyncio.ensure_future(watch.batch())
    other = PostgresStore(database, clock=counting())
    await other.load()
    for revision in range(5):
        await other.commit([[Put(key("a"), body(), revision)]])
    await other.compact(4)
    await other.close()
    await late.fresh()
    with pytest.raises(Compacted):
        await asyncio.wait_for(pending, 30)
    assert late.get(key("a")) == Record(key("a"), 5, body()(5))
    await late.close()


async def test_compaction_blocks_no_writer(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "MARK_EVERY", 50)
    async with cache_over(database) as cache:
        for revision in range(200):
            await cache.commit([Put(key("a"), body(), revision)])
        holder = await asyncpg.connect(database)
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("SELECT * FROM portway.progress FOR UPDATE")  # a compaction under way
        await asyncio.wait_for(cache.commit([Put(key("b"), body(), 0)]), 10)
        await transaction.rollback()
        await holder.close()
        await cache.compact(199)
        assert (await query(database, "SELECT count(*) FROM portway.log"))[0][0] == 3


@pytest.mark.slow
async def test_a_server_killed_under_load_loses_no_acknowledged_write_and_is_found_again(tmp_path: Path) -> None:
    server = servers.EmbeddedServer(servers.Settings(tmp_path / "postgres"))
    dsn = (await server.start()).dsn
    acknowledged: dict[str, int] = {}
    stopping = asyncio.Event()

    async def write(cache: Cache, prefix: str) -> None:
        for number in itertools.count():
            if stopping.is_set():
                return
            try:
                [record] = await cache.commit([Put(key(f"{prefix}-{number}"), body(), 0)])
            except Unavailable:
                await asyncio.sleep(0.05)
                continue
            acknowledged[record.key.name] = record.revision

    try:
        async with cache_over(dsn) as one, cache_over(dsn) as two:
            async with asyncio.TaskGroup() as tasks:
                for number in range(4):
                    tasks.create_task(write(one, f"a{number}"))
                    tasks.create_task(write(two, f"b{number}"))
                for _ in range(4):
                    before = len(acknowledged)
                    while len(acknowledged) < before + 300:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                    postmaster = int((tmp_path / "postgres/data/postmaster.pid").read_text().split()[0])
                    os.kill(postmaster, signal.SIGQUIT)  # as a crash: connections are cut, recovery follows
                    await asyncio.sleep(0.2)
                    await server.start()
                stopping.set()
            await one.fresh()
            await two.fresh()
            for cache in (one, two):
                for name, revision in acknowledged.items():
                    assert cache.get(key(name)) == Record(key(name), revision, body()(revision))
            assert list(one.all()) == sorted(two.all(), key=lambda record: record.revision)
    finally:
        await server.stop()


@pytest.mark.slow
async def test_sigkill_of_one_of_two_writers_loses_no_acknowledged_write(database: str) -> None:
    acknowledged: dict[str, int] = {}
    choose = random.Random(7)
    for round_number in range(int(os.environ.get("PORTWAY_KILL_ROUNDS", "8"))):
        writers = [_writer(database, f"{round_number}{side}") for side in "ab"]
        for process in writers:
            assert process.stdout is not None
            for line, _ in zip(process.stdout, range(choose.randrange(1, 300)), strict=False):
                _note(line, acknowledged)
        for process in writers:
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            for line in process.stdout:
                _note(line, acknowledged)
            process.stdout.close()
            process.wait()
    store = PostgresStore(database, clock=counting())
    revision, records = await store.load()
    found = {record.key.name: record.revision for record in records}
    assert not {name for name, at in acknowledged.items() if found.get(name, 0) < at}
    assert revision >= max(acknowledged.values())
    await store.close()


def _writer(dsn: str, round_name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), dsn, round_name],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _note(line: str, acknowledged: dict[str, int]) -> None:
    if line.endswith("\n"):
        name, revision = line.split()
        acknowledged[name] = int(revision)
