"""Backup and restore of the PostgreSQL store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg

from portway.store import connections, postgres, postgres_schemas, rows
from portway.store.archives import Kept, NotEmpty, Snapshot
from portway.store.contract import EventType, Key, Record, Unavailable

_KEPT = """
SELECT o.resource, o.cluster, o.namespace, o.name, o.revision, l.value, l."user", l.written
FROM objects o JOIN log l ON l.revision = o.revision ORDER BY o.revision
"""
_CHUNK = 1_000
_MINUTES = 3600.0


class PostgresArchiving:
    """Implements ``Archivable``."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        connection = await self._connect()
        try:
            with connections.translated(self._dsn):
                transaction = connection.transaction(isolation="repeatable_read", readonly=True)
                await transaction.start()
                revision = await connection.fetchval(postgres_schemas.COUNTER)
            yield Snapshot(revision, self._all(connection))
        finally:
            connection.terminate()

    async def restore(self, revision: int, kept: Iterator[Kept], *, replace: bool) -> int:
        connection = await self._connect()
        try:
            with connections.translated(self._dsn):
                if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", postgres_schemas.RUNNING_LOCK):
                    raise Unavailable(f"{self._place} is in use by a Portway: stop it with `portway down`")
                async with connection.transaction():
                    return await self._replace(connection, revision, kept, replace=replace)
        finally:
            connection.terminate()

    @property
    def _place(self) -> str:
        return f"PostgreSQL at {connections.place(self._dsn)}"

    async def _connect(self) -> asyncpg.Connection:
        """To a database whose schema is up to date."""
        with connections.translated(self._dsn):
            connection = await connections.connect(self._dsn)
            try:
                await connection.execute("SET idle_in_transaction_session_timeout = 0")
                await postgres.migrate(connection, self._dsn)
            except BaseException:
                connection.terminate()
                raise
        return connection

    async def _all(self, connection: asyncpg.Connection) -> AsyncIterator[Kept]:
        with connections.translated(self._dsn):
            async for row in connection.cursor(_KEPT, prefetch=_CHUNK):
                yield Kept(Record(Key(*row[:4]), row[4], row[5]), row[6], row[7])

    async def _replace(
        self, connection: asyncpg.Connection, revision: int, kept: Iterator[Kept], *, replace: bool
    ) -> int:
        present = int(await connection.fetchval(f"{postgres_schemas.COUNTER} FOR UPDATE"))
        if present and not replace:
            raise NotEmpty(f"{self._place} is not empty")
        await connection.execute("TRUNCATE objects, log, marks")
        for chunk in _chunks(kept):
            await _append(connection, chunk)
        revision = max(revision, present)
        await connection.execute("UPDATE counter SET revision = $1, events = 0", revision)
        await connection.execute("INSERT INTO marks VALUES ($1, 0)", revision)
        await connection.execute(postgres_schemas.COMPACTED, revision)
        return revision


async def _append(connection: asyncpg.Connection, chunk: list[Kept]) -> None:
    added = rows.CODES[EventType.ADDED]
    entries = [
        (each.record.revision, added, *each.record.key, each.record.value, 0, each.written, each.user) for each in chunk
    ]
    pointers = [(*each.record.key, each.record.revision) for each in chunk]
    schema = postgres_schemas.SCHEMA
    await connection.copy_records_to_table("log", schema_name=schema, records=entries, timeout=_MINUTES)
    await connection.copy_records_to_table("objects", schema_name=schema, records=pointers, timeout=_MINUTES)


def _chunks(kept: Iterator[Kept]) -> Iterator[list[Kept]]:
    chunk: list[Kept] = []
    for each in kept:
        chunk.append(each)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
