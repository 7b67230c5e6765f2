"""The store in a PostgreSQL database, which several processes may use at once.

Everything is in schema ``portway``. Needs four connections a process, and sessions of its own: a pooler must not
share them between transactions.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from sys import intern
from typing import Any

import asyncpg

from portway.store import compacting, connections, deciding, postgres_schemas, rows
from portway.store.clocks import RevisionClock
from portway.store.connections import Line
from portway.store.contract import (
    Change,
    Committed,
    Compacted,
    Conflict,
    Entry,
    Event,
    EventType,
    Key,
    Known,
    Record,
    Unavailable,
    Uncertain,
)
from portway.store.deciding import Decision
from portway.store.listening import Listener
from portway.store.sharing import Ends

RESOLVE_SECONDS = 15.0
"""How long to ask whether a commit took place during which the connection was lost."""

_RESOLVE_PAUSE = 0.2


class PostgresStore:
    """Implements ``Store`` and ``Shared``. ``dsn``: ``postgresql://user:password@host:port/database``."""

    def __init__(self, dsn: str, *, now: Callable[[], float] = time.time, clock: RevisionClock | None = None) -> None:
        self._dsn = dsn
        self._now = now
        self._clock = clock or RevisionClock()
        self._instance = secrets.token_hex(8)
        self._writing = Line(dsn)
        self._reading = Line(dsn)
        self._asking = Line(dsn)
        self._compacting = Line(dsn)
        self._listener = Listener(dsn, self._instance)
        self._loaded = False
        self._known: Known | None = None
        self._alone = True
        """No other process has written lately."""

    async def load(self) -> tuple[int, Iterable[Record]]:
        if not self._loaded:
            await self._open()
        async with (
            self._reading.use() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            revision = await connection.fetchval(postgres_schemas.COUNTER)
            names: dict[str, str] = {}
            share = Ends().share
            return revision, [
                share(
                    Record(
                        Key(intern(row[1]), intern(row[2]), intern(row[3]), names.setdefault(row[4], row[4])),
                        row[0],
                        row[5],
                    )
                )
                async for row in connection.cursor(postgres_schemas.CURRENT, prefetch=1_000)
            ]

    async def _open(self) -> None:
        try:
            async with self._writing.use() as connection:
                await migrate(connection, self._dsn)
            await self._listener.start()
        except BaseException:
            await self.close()
            raise
        self._loaded = True

    def trust(self, known: Known) -> None:
        self._known = known

    async def commit(self, changes: Sequence[Sequence[Change]]) -> Committed:
        try:
            return await self._commit(changes)
        except _Lost:  # nothing happened, and a new connection may do
            try:
                return await self._commit(changes)
            except _Lost as error:
                raise Unavailable(str(error)) from error

    async def events(self, after: int, limit: int) -> list[Event]:
        found = await self._reading.fetch(postgres_schemas.EVENTS, after, limit)
        if after < found[0][0]:
            raise Compacted(after, found[0][0])
        return [rows.event(*row[1:]) for row in map(tuple, found) if row[1] is not None]

    async def history(self, key: Key, limit: int) -> list[Entry]:
        found = await self._reading.fetch(postgres_schemas.HISTORY, *key, limit)
        return [Entry(rows.event(*row[2:]), row[0], row[1]) for row in map(tuple, reversed(found))]

    async def mark_before(self, events: int) -> int:
        return int((await self._reading.fetch(postgres_schemas.MARK_BEFORE, events))[0][0])

    async def compact(self, revision: int) -> int:
        while True:
            oldest, newest = await self._compact_step(revision)
            if oldest >= min(revision, newest):
                return oldest

    async def newest(self) -> int:
        return int((await self._asking.fetch(postgres_schemas.COUNTER))[0][0])

    async def changed(self, seconds: float) -> None:
        await self._listener.changed(seconds)

    @contextlib.asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        """Only one process at a time is inside, of all on this database. Raises Unavailable."""
        with connections.translated(self._dsn):
            connection = await connections.connect(self._dsn)
        try:
            with connections.translated(self._dsn):
                await connection.execute(f"SELECT pg_advisory_lock({postgres_schemas.START_LOCK})", timeout=120)
            yield
        finally:
            connection.terminate()

    async def close(self) -> None:
        await self._listener.close()
        for line in (self._writing, self._reading, self._asking, self._compacting):
            await line.close()
        self._loaded = False

    async def _commit(self, changes: Sequence[Sequence[Change]]) -> Committed:
        """Raises _Lost when the connection went and nothing was done."""
        if self._known is not None and self._alone:
            committed = await self._commit_believing(changes, self._known)
            if committed is not None:
                return committed
        return await self._commit_looking(changes)

    async def _commit_believing(self, changes: Sequence[Sequence[Change]], known: Known) -> Committed | None:
        """One round trip by what is known. None when that is not the newest, or would refuse something."""
        present = {key: record for key in deciding.keys_of(changes) if (record := known.get(key)) is not None}
        decision = deciding.decide(changes, present, known.revision, self._clock)
        if any(isinstance(answer, Conflict) for answer in decision.answers):
            return None
        sent = False
        try:
            async with self._writing.use() as connection:
                sent = True
                done = await connection.fetchrow(postgres_schemas.APPEND, *self._rows(decision))
        except Unavailable as error:
            if not sent or not isinstance(error.__cause__, connections.LOST):
                raise
            await self._resolve(decision, error)
            return _committed(decision)
        self._alone = done is not None
        return _committed(decision) if self._alone else None

    async def _commit_looking(self, changes: Sequence[Sequence[Change]]) -> Committed:
        """With the counter locked, by what is stored."""
        committing = False
        decision = Decision(0, 0)
        try:
            async with self._writing.use() as connection:
                try:
                    await connection.execute(postgres_schemas.BEGIN)
                    present, before = await self._present(connection, deciding.keys_of(changes))
                    self._alone = self._known is not None and before == self._known.revision
                    decision = deciding.decide(changes, present, before, self._clock)
                    if not decision.events:
                        await connection.execute("ROLLBACK")
                        return _committed(decision)
                    await connection.execute(postgres_schemas.APPEND, *self._rows(decision))
                    committing = True
                    await connection.execute("COMMIT")
                except Exception:
                    await _roll_back(connection)
                    raise
        except Unavailable as error:
            if not isinstance(error.__cause__, connections.LOST):
                raise
            if not committing:
                raise _Lost(str(error)) from error
            await self._resolve(decision, error)
        return _committed(decision)

    async def _present(self, connection: asyncpg.Connection, keys: list[Key]) -> tuple[dict[Key, Record], int]:
        found = await connection.fetch(postgres_schemas.PRESENT, *_columns(keys))
        present = {keys[row[1] - 1]: Record(keys[row[1] - 1], row[2], row[3]) for row in found if row[1] is not None}
        return present, found[0][0]

    def _rows(self, decision: Decision) -> list[Any]:
        events = decision.events
        records = [event.record for event in events]
        last = {event.record.key: event for event in events}
        gone = [key for key, event in last.items() if event.type is EventType.DELETED]
        kept = [event.record for event in last.values() if event.type is not EventType.DELETED]
        return [
            [record.revision for record in records],
            [rows.CODES[event.type] for event in events],
            *_columns([record.key for record in records]),
            [record.value for record in records],
            [event.previous_revision for event in events],
            int(self._now() * 1000),
            decision.users,
            *_columns([record.key for record in kept]),
            [record.revision for record in kept],
            *_columns(gone),
            decision.revision,
            f"{decision.revision} {self._instance}",
            decision.before,
            compacting.MARK_EVERY,
        ]

    async def _resolve(self, decision: Decision, cause: Unavailable) -> None:
        """Return when the commit took place. Raises _Lost when it did not, Uncertain when nobody can tell."""
        deadline = time.monotonic() + RESOLVE_SECONDS
        while time.monotonic() < deadline:
            try:
                took_place = await self._took_place(decision.events[0].record)
            except Unavailable:
                await asyncio.sleep(_RESOLVE_PAUSE)
                continue
            if took_place is None:
                break
            if took_place:
                return
            raise _Lost(str(cause)) from cause
        raise Uncertain(f"{cause}; whether the write took place is not known") from cause

    async def _took_place(self, first: Record) -> bool | None:
        """Waits for the lost transaction's end by asking for its lock. None when the log was compacted since."""
        async with self._writing.use() as connection, connection.transaction():
            newest = await connection.fetchval(f"{postgres_schemas.COUNTER} FOR UPDATE")
            if newest < first.revision:
                return False
            compacted, *row = await connection.fetchrow(postgres_schemas.AT, first.revision)
            if row[0] is None and first.revision <= compacted:
                return None
            return bool(row == [*first.key, first.value])

    async def _compact_step(self, revision: int) -> tuple[int, int]:
        async with self._compacting.use() as connection, connection.transaction():
            low, newest, mark = await connection.fetchrow(postgres_schemas.LOCK_PROGRESS)
            high = min(revision, mark or newest, newest)
            if high <= low:
                return low, newest
            await connection.execute(postgres_schemas.FORGET_SUPERSEDED, low, high)
            await connection.execute(postgres_schemas.FORGET_DELETED, low, high)
            await connection.execute(postgres_schemas.FORGET_MARKS, high)
            await connection.execute(postgres_schemas.COMPACTED, high)
            return high, newest


class _Lost(Exception):
    """The connection went away and nothing was made durable."""


async def migrate(connection: asyncpg.Connection, dsn: str) -> None:
    """Bring the schema up to date; of several processes one does it and the others wait. Raises Unavailable."""
    if await connection.fetchval("SHOW server_encoding") != "UTF8":
        raise Unavailable(
            f"PostgreSQL at {connections.place(dsn)} is not UTF-8: create a database with ENCODING 'UTF8'"
        )
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({postgres_schemas.MIGRATION_LOCK})", timeout=120)
        if await connection.fetchval("SELECT to_regclass('portway.migrations')") is None:
            await connection.execute(postgres_schemas.PREPARE)
        version = await connection.fetchval("SELECT coalesce(max(version), 0) FROM portway.migrations")
        if version > len(postgres_schemas.MIGRATIONS):
            raise Unavailable(
                f"PostgreSQL at {connections.place(dsn)} was written by a newer Portway (schema {version}, this one "
                f"knows {len(postgres_schemas.MIGRATIONS)}): use that version, or another database"
            )
        for number, script in enumerate(postgres_schemas.MIGRATIONS[version:], version + 1):
            await connection.execute(script)
            await connection.execute("INSERT INTO portway.migrations (version) VALUES ($1)", number)


def _committed(decision: Decision) -> Committed:
    return Committed(decision.before, decision.answers)


async def _roll_back(connection: asyncpg.Connection) -> None:
    if not connection.is_closed() and connection.is_in_transaction():
        with contextlib.suppress(*connections.LOST, asyncpg.PostgresError):
            await connection.execute("ROLLBACK")


def _columns(keys: Sequence[Key]) -> list[list[str]]:
    """Four lists, for ``unnest``."""
    return [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], [], []]
