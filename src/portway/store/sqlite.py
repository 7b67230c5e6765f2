"""The store in one SQLite file: WAL, every commit synced to disk before it is answered.

One thread writes, one reads; the event loop never waits in SQLite. Only one process may hold the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sys import intern
from typing import Any, TypeVar

import apsw
import orjson

from portway.store import compacting, deciding, rows, schemas
from portway.store.clocks import RevisionClock
from portway.store.contract import (
    Change,
    Committed,
    Compacted,
    Entry,
    Event,
    Key,
    Known,
    Record,
    Unavailable,
)
from portway.store.deciding import Decision
from portway.store.locks import FileLock
from portway.store.sharing import Ends

T = TypeVar("T")

BUSY_MILLISECONDS = 5_000
"""How long to wait for another program (a shell, a backup) that has the file locked."""

CHECKPOINT_PAGES = 2_000
"""WAL pages (4 KiB) after which they are copied into the main file, in the reader's thread."""

CHECKPOINT_PAGES_LIMIT = 20_000
"""WAL pages after which the writer waits for that copy, so that the WAL stays bounded under steady load."""

_MOST_ROWS = 64
"""Rows per INSERT: so few numbers of them that the statements stay prepared."""

_ADVICE: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.FullError, "the disk is full: free space there and try again"),
    (apsw.ReadOnlyError, "it is read-only: make the file and its directory writable"),
    (apsw.BusyError, "another program has it locked: close that program"),
    (apsw.NotADBError, "it is not a Portway store: move the file away, or set another PORTWAY_HOME"),
    (apsw.CorruptError, "it is damaged: stop Portway and restore the file from a backup"),
    (apsw.CantOpenError, "it cannot be opened: check that its directory exists and is writable"),
    (apsw.IOError, "reading or writing it failed: check the disk"),
)


class SqliteStore:
    """``now`` gives seconds since 1970, for the history. Constructing it does no I/O; ``load`` opens the file."""

    def __init__(
        self, path: Path | str, *, now: Callable[[], float] = time.time, clock: RevisionClock | None = None
    ) -> None:
        self._path = Path(path)
        self._now = now
        self._clock = clock or RevisionClock()
        self._writing = ThreadPoolExecutor(1, "portway-store-write")
        self._reading = ThreadPoolExecutor(1, "portway-store-read")
        self._lock: FileLock | None = None
        self._writer: apsw.Connection
        self._reader: apsw.Connection
        self._known: Known | None = None
        self._revision = 0
        self._events_ever = 0
        self._wal_pages = 0
        self._checkpointing: asyncio.Future[None] | None = None

    async def load(self) -> tuple[int, Iterable[Record]]:
        return await self._in(self._writing, self._load)

    async def commit(self, changes: Sequence[Sequence[Change]]) -> Committed:
        if self._wal_pages > CHECKPOINT_PAGES_LIMIT and self._checkpointing is not None:
            await asyncio.wait([self._checkpointing])
        committed = await self._in(self._writing, self._work(changes))
        if self._wal_pages > CHECKPOINT_PAGES and (self._checkpointing is None or self._checkpointing.done()):
            self._checkpointing = asyncio.get_running_loop().run_in_executor(self._reading, self._checkpoint)
        return committed

    async def events(self, after: int, limit: int) -> list[Event]:
        return await self._in(self._reading, lambda: self._events(after, limit))

    async def history(self, key: Key, limit: int) -> list[Entry]:
        return await self._in(self._reading, lambda: self._history(key, limit))

    async def mark_before(self, events: int) -> int:
        return await self._in(
            self._writing, lambda: _scalar(self._writer, schemas.MARK_BEFORE, (self._events_ever - events,))
        )

    async def compact(self, revision: int) -> int:
        while True:
            oldest = await self._in(self._writing, lambda: self._compact_step(revision))
            if oldest >= revision or oldest >= self._revision:
                return oldest

    def trust(self, known: Known) -> None:
        self._known = known

    def tick(self) -> int:
        self._revision = self._clock.passed(self._revision)
        return self._revision

    async def close(self) -> None:
        if self._lock is None:
            return
        await self._in(self._reading, self._reader.close)
        await self._in(self._writing, self._writer.close)
        self._reading.shutdown()
        self._writing.shutdown()
        self._lock.release()
        self._lock = None

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        with translated(self._path):
            return await asyncio.get_running_loop().run_in_executor(thread, work)

    def _load(self) -> tuple[int, list[Record]]:
        if self._lock is None:
            self._open()
        self._revision = _scalar(self._writer, schemas.NEWEST)
        self._events_ever = _scalar(self._writer, schemas.COUNTED)
        names: dict[str, str] = {}
        share = Ends().share
        records = [
            share(
                Record(
                    Key(intern(resource), intern(cluster), intern(namespace), names.setdefault(name, name)),
                    revision,
                    value,
                )
            )
            for revision, resource, cluster, namespace, name, value in self._writer.execute(schemas.CURRENT)
        ]
        return self._revision, records

    def _open(self) -> None:
        lock = FileLock(self._path)
        try:
            self._path.touch(mode=0o600)
            self._writer = connect(self._path)
            self._wal_hook(self._writer)
            self._migrate(self._writer)
            self._reader = connect(self._path)
        except BaseException:
            lock.release()
            raise
        self._lock = lock

    def _wal_hook(self, connection: apsw.Connection) -> None:
        def remember(_connection: apsw.Connection, _name: str, pages: int) -> int:
            self._wal_pages = pages
            return apsw.SQLITE_OK

        connection.set_wal_hook(remember)

    def _migrate(self, connection: apsw.Connection) -> None:
        version = _scalar(connection, "PRAGMA user_version")
        owner = _scalar(connection, "PRAGMA application_id")
        tables = _scalar(connection, "SELECT count(*) FROM sqlite_schema")
        if owner != schemas.APPLICATION_ID and tables:
            raise apsw.NotADBError
        if version > len(schemas.MIGRATIONS):
            raise Unavailable(
                f"{self._path} was written by a newer Portway (schema {version}, this one knows "
                f"{len(schemas.MIGRATIONS)}): use that version, or set another PORTWAY_HOME"
            )
        for number, script in enumerate(schemas.MIGRATIONS[version:], version + 1):
            with transaction(connection):
                connection.execute(script)
                connection.execute(f"PRAGMA application_id = {schemas.APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")

    def _work(self, requests: Sequence[Sequence[Change]]) -> Callable[[], Committed]:
        """What the writing thread has to do: nobody else writes, so that what is known needs no second look."""
        known = self._known
        if known is None or known.revision != self._revision:
            return lambda: self._commit(requests)
        present = {key: record for key in deciding.keys_of(requests) if (record := known.get(key)) is not None}
        decision = deciding.decide(requests, present, self._revision, self._clock)
        return lambda: self._write(decision, requests)

    def _write(self, decision: Decision, requests: Sequence[Sequence[Change]]) -> Committed:
        if decision.before != self._revision:  # another commit was under way meanwhile
            return self._commit(requests)
        if decision.events:
            self._make_room()
            statements = self._statements(decision)
            if len(statements) == 1:  # a transaction of its own: each statement hands the interpreter lock over
                self._writer.execute(*statements[0])
            else:
                with transaction(self._writer):
                    self._run(statements)
            self._written(decision)
        return Committed(decision.before, decision.answers)

    def _commit(self, requests: Sequence[Sequence[Change]]) -> Committed:
        self._make_room()
        with transaction(self._writer):
            present = self._present(deciding.keys_of(requests))
            decision = deciding.decide(requests, present, self._revision, self._clock)
            self._run(self._statements(decision))
        self._written(decision)
        return Committed(decision.before, decision.answers)

    def _run(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        for statement, values in statements:
            self._writer.execute(statement, values)

    def _written(self, decision: Decision) -> None:
        self._revision = decision.revision
        self._events_ever += len(decision.events)

    def _make_room(self) -> None:
        if self._wal_pages > CHECKPOINT_PAGES_LIMIT:
            with contextlib.suppress(apsw.Error):  # the commit tells what is wrong
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)

    def _present(self, keys: list[Key]) -> dict[Key, Record]:
        row = self._writer.execute(schemas.PRESENT, (_json([tuple(key) for key in keys]),)).fetchall()[0]
        return {
            keys[index]: Record(keys[index], revision, bytes.fromhex(value))
            for index, revision, value in orjson.loads(str(row[0]))
        }

    def _statements(self, decision: Decision) -> list[tuple[str, Sequence[Any]]]:
        """What makes the decision durable, with the values of each statement."""
        written = int(self._now() * 1000)
        entries = [_row(event, written, user) for event, user in zip(decision.events, decision.users, strict=True)]
        parts = [entries[start : start + _MOST_ROWS] for start in range(0, len(entries), _MOST_ROWS)]
        statements: list[tuple[str, Sequence[Any]]] = [
            (schemas.append(len(part)), [cell for row in part for cell in row]) for part in parts
        ]
        ever = self._events_ever + len(entries)
        if ever // compacting.MARK_EVERY > self._events_ever // compacting.MARK_EVERY:
            statements.append((schemas.MARK, (decision.revision, ever)))
        return statements

    def _events(self, after: int, limit: int) -> list[Event]:
        with transaction(self._reader, "BEGIN"):
            compacted = _scalar(self._reader, "SELECT compacted FROM progress")
            if after < compacted:
                raise Compacted(after, compacted)
            return [rows.event(*row) for row in self._reader.execute(schemas.EVENTS, (after, limit))]

    def _history(self, key: Key, limit: int) -> list[Entry]:
        found = self._reader.execute(schemas.HISTORY, {**key._asdict(), "limit": limit}).fetchall()
        return [Entry(rows.event(*row[2:]), str(row[0]), int(str(row[1]))) for row in reversed(found)]

    def _compact_step(self, revision: int) -> int:
        low = _scalar(self._writer, "SELECT compacted FROM progress")
        step = _scalar(self._writer, schemas.MARK_AFTER, {"low": low, "else": self._revision})
        high = min(revision, step, self._revision)
        if high <= low:
            return low
        with transaction(self._writer):
            span = {"low": low, "high": high}
            self._writer.execute(schemas.FORGET_SUPERSEDED, span)
            self._writer.execute(schemas.FORGET_DELETED, span)
            self._writer.execute(schemas.FORGET_MARKS, (high,))
            self._writer.execute("UPDATE progress SET compacted = ?", (high,))
        return high

    def _checkpoint(self) -> None:
        with contextlib.suppress(apsw.Error):  # tried again after the next commit
            self._reader.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)


def connect(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.wal_autocheckpoint(0)
    if connection.readonly("main"):
        connection.close()
        raise apsw.ReadOnlyError
    return connection


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as Unavailable with what to do about it."""
    try:
        yield
    except apsw.Error as error:
        advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), str(error))
        raise Unavailable(f"{path}: {advice}") from error


@contextlib.contextmanager
def transaction(connection: apsw.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise


def _scalar(connection: apsw.Connection, statement: str, values: tuple[int, ...] | dict[str, int] = ()) -> int:
    return int(str(connection.execute(statement, values).fetchall()[0][0]))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _row(event: Event, written: int, user: str) -> tuple[Any, ...]:
    record = event.record
    return (record.revision, rows.CODES[event.type], *record.key, record.value, event.previous_revision, written, user)
