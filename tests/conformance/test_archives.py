"""Backups of every store come back into every store."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.revisions import counting

from portway.store import archives
from portway.store.archives import Archivable, ArchiveError, NotEmpty
from portway.store.contract import Compacted, Delete, Key, Put, Record, Store, Unavailable
from portway.store.postgres import PostgresStore
from portway.store.postgres_archiving import PostgresArchiving
from portway.store.sqlite import SqliteStore
from portway.store.sqlite_archiving import SqliteArchiving

SEALED = bytes(range(256))
Kind = tuple[Callable[[], Store], Archivable]
TAKEN = "2026-01-02T03:04:05Z"


def key(name: str) -> Key:
    return Key("secrets", "root", "default", name)


@pytest.fixture(params=["sqlite", "postgres"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    return _kind(request, request.param, tmp_path / "source.db")


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    return _kind(request, request.param, tmp_path / "target.db")


def _kind(request: pytest.FixtureRequest, name: str, path: Path) -> Kind:
    if name == "sqlite":
        return lambda: SqliteStore(path, clock=counting()), SqliteArchiving(path)
    dsn = request.getfixturevalue("database" if path.name == "source.db" else "other_database")
    return lambda: PostgresStore(dsn, clock=counting()), PostgresArchiving(dsn)


async def fill(store: Store) -> None:
    await store.load()
    await store.commit([[Put(key("a"), lambda _: b'{"a":"\xc3\xa9"}', 0, "ada"), Put(key("b"), lambda _: SEALED, 0)]])
    await store.commit([[Put(key("a"), lambda _: b"{}", 1, "bob"), Put(key("c"), lambda _: b"c", 0)]])
    await store.commit([[Delete(key("c"), lambda _: b"c", 4)]])


async def contents(store: Store) -> tuple[int, list[Record]]:
    revision, records = await store.load()
    return revision, sorted(records, key=lambda record: record.key)


async def saved(archivable: Archivable, file: Path) -> archives.Summary:
    async with archivable.snapshot() as snapshot:
        return await archives.write(file, snapshot, TAKEN)


async def test_a_backup_of_a_store_in_use_comes_back_with_its_revisions(
    source: Kind, target: Kind, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    running = source[0]()
    await fill(running)
    assert await saved(source[1], file) == archives.Summary(5, 2, TAKEN) == archives.verify(file)
    assert file.stat().st_mode & 0o077 == 0
    before = await contents(running)
    await running.close()
    assert await target[1].restore(5, archives.read(file), replace=False) == 5
    store = target[0]()
    assert await contents(store) == before
    assert [(e.event.record.revision, e.user) for e in await store.history(key("a"), 9)] == [(3, "bob")]
    _, [answer] = await store.commit([[Put(key("a"), lambda _: b"new", 3)]])
    assert isinstance(answer, list)
    assert answer[0].record.revision == 6
    with pytest.raises(Compacted):
        await store.events(4, 10)
    await store.close()


async def test_a_store_that_is_not_empty_is_replaced_only_on_demand(target: Kind, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    empty = SqliteStore(tmp_path / "empty.db")
    await empty.load()
    await empty.close()
    await saved(SqliteArchiving(tmp_path / "empty.db"), file)
    store = target[0]()
    await fill(store)
    with pytest.raises(Unavailable, match="in use by a"):
        await target[1].restore(0, archives.read(file), replace=True)
    before = await contents(store)
    await store.close()
    with pytest.raises(NotEmpty):
        await target[1].restore(0, archives.read(file), replace=False)
    again = target[0]()
    assert await contents(again) == before
    await again.close()
    assert await target[1].restore(0, archives.read(file), replace=True) == 5
    again = target[0]()
    assert await contents(again) == (5, [])
    await again.close()


async def test_a_damaged_backup_changes_nothing(target: Kind, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    store = target[0]()
    await fill(store)
    await store.close()
    await saved(target[1], file)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    for damage, sentence in (
        (b"".join(lines[:-1]), "is cut off"),
        (b"".join([*lines[:1], *lines[2:]]), "is damaged"),
        (b'{"format":"other"}\n', "is not a Portway backup"),
        (lines[0].replace(b'"version":1', b'"version":9'), "format version 9"),
    ):
        file.write_bytes(gzip.compress(damage))
        with pytest.raises(ArchiveError, match=sentence):
            archives.verify(file)
        with pytest.raises(ArchiveError, match=sentence):
            await target[1].restore(5, archives.read(file), replace=True)
    file.write_bytes(gzip.compress(b"".join(lines))[:-20])
    with pytest.raises(ArchiveError):
        archives.verify(file)
    again = target[0]()
    assert (await contents(again))[0] == 5
    await again.close()
