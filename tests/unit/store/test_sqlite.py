from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from tests.revisions import counting

from portway.store import schemas
from portway.store.caching import Cache
from portway.store.contract import Encode, Key, Put, Unavailable
from portway.store.sqlite import SqliteStore

WRITER = Path(__file__).parent / "writer_until_killed.py"


def key(name: str) -> Key:
    return Key("configmaps", "root", "default", name)


def body(size: int = 10) -> Encode:
    return lambda revision: b'{"at":%d,"fill":"%s"}' % (revision, b"x" * size)


async def refusal(path: Path) -> str:
    with pytest.raises(Unavailable) as caught:
        await SqliteStore(path, clock=counting()).load()
    return str(caught.value)


async def test_a_second_process_on_the_same_state_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", clock=counting())
    await store.load()
    message = await refusal(tmp_path / "store.db")
    assert f"in use by another Portway (process {os.getpid()})" in message
    assert "portway down" in message
    await store.close()
    again = SqliteStore(tmp_path / "store.db", clock=counting())
    await again.load()
    await again.close()


async def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database at all " * 100)
    assert "is not a Portway store" in (await refusal(path))
    other = tmp_path / "other.db"
    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE things (x)")
    connection.close()
    assert "is not a Portway store" in (await refusal(other))


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", clock=counting())
    await store.load()
    await store.close()
    connection = apsw.Connection(str(tmp_path / "store.db"))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer Portway (schema 99" in (await refusal(tmp_path / "store.db"))


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent") in (await refusal(tmp_path / "absent" / "store.db"))


async def test_the_state_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", clock=counting())
    await store.load()
    assert (tmp_path / "store.db").stat().st_mode & 0o077 == 0
    await store.close()


async def test_a_full_disk_refuses_writes_and_recovers(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", clock=counting())
    cache = Cache(store)
    await cache.start()
    await cache.commit([Put(key("before"), body(), 0)])
    pages = store._writer.pragma("page_count")
    store._writer.pragma("max_page_count", pages + 2)
    with pytest.raises(Unavailable) as caught:
        await cache.commit([Put(key("big"), body(100_000), 0)])
    assert "the disk is full: free space" in str(caught.value)
    assert cache.get(key("big")) is None
    assert (cache.get(key("before")), cache.revision) != (None, 0)
    store._writer.pragma("max_page_count", 1_000_000)
    [record] = await cache.commit([Put(key("big"), body(100_000), 0)])
    assert record.revision == 2
    await cache.close()


async def test_a_store_locked_by_another_program_is_unavailable_for_that_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portway.store.sqlite.BUSY_MILLISECONDS", 20)
    store = SqliteStore(tmp_path / "store.db", clock=counting())
    await store.load()
    other = apsw.Connection(str(tmp_path / "store.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another program has it locked"):
        await store.commit([[Put(key("a"), body(), 0)]])
    other.execute("ROLLBACK")
    other.close()
    _, [answer] = await store.commit([[Put(key("a"), body(), 0)]])
    assert isinstance(answer, list)
    await store.close()


async def test_the_write_ahead_log_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portway.store.sqlite.CHECKPOINT_PAGES", 20)
    monkeypatch.setattr("portway.store.sqlite.CHECKPOINT_PAGES_LIMIT", 100)
    store = SqliteStore(tmp_path / "store.db", clock=counting())
    await store.load()
    for number in range(300):
        await store.commit([[Put(key(f"n{number}"), body(8_000), 0)]])
    assert (tmp_path / "store.db-wal").stat().st_size < 200 * 4096
    await store.close()


async def test_compaction_frees_what_was_superseded(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", clock=counting())
    await store.load()
    for revision in range(2_500):
        await store.commit([[Put(key("a"), body(), revision)]])
    assert await store.compact(2_500) == 2_500
    assert store._writer.execute("SELECT count(*) FROM log").fetchall() == [(1,)]
    assert store._writer.execute(schemas.NEWEST).fetchall() == [(2_500,)]
    await store.close()


def entry(line: str) -> dict[str, int]:
    """What a complete line acknowledges."""
    if not line.endswith("\n"):
        return {}
    name, revision = line.split()
    return {name: int(revision)}


@pytest.mark.slow
async def test_sigkill_at_any_moment_loses_no_acknowledged_write(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    acknowledged: dict[str, int] = {}
    choose = random.Random(7)
    for round_number in range(int(os.environ.get("PORTWAY_KILL_ROUNDS", "12"))):
        process = subprocess.Popen(  # noqa: ASYNC220  the test waits for nothing else
            [sys.executable, str(WRITER), str(path), str(round_number)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        lines = choose.randrange(1, 400)
        for line, _ in zip(process.stdout, range(lines), strict=False):
            acknowledged.update(entry(line))
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            acknowledged.update(entry(line))
        process.stdout.close()
        process.wait()
        store = SqliteStore(path, clock=counting())
        revision, records = await store.load()
        found = {record.key.name: record.revision for record in records}
        missing = {name for name, at in acknowledged.items() if found.get(name, 0) < at}
        assert not missing
        assert revision >= max(acknowledged.values())
        await store.close()
