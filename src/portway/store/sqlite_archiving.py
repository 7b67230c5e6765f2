"""Backup and restore of the SQLite store. Its SQL runs in the caller's thread: for commands, not for servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw

from portway.store import rows, schemas, sqlite
from portway.store.archives import Kept, NotEmpty, Snapshot
from portway.store.contract import EventType, Key, Record, Unavailable

_KEPT = """
SELECT o.resource, o.cluster, o.namespace, o.name, o.revision, l.value, l.user, l.written
FROM objects o CROSS JOIN log l ON l.revision = o.revision ORDER BY o.revision
"""


class SqliteArchiving:
    """Implements ``Archivable``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        if not self._path.exists():
            raise Unavailable(f"{self._path} does not exist: nothing was started here yet")
        with sqlite.translated(self._path):
            connection = sqlite.connect(self._path)
            try:
                self._check_version(connection)
                with sqlite.transaction(connection, "BEGIN"):
                    revision = int(str(connection.execute(schemas.NEWEST).fetchall()[0][0]))
                    yield Snapshot(revision, _all(connection))
            finally:
                connection.close()

    async def restore(self, revision: int, kept: Iterator[Kept], *, replace: bool) -> int:
        store = sqlite.SqliteStore(self._path)
        present, _ = await store.load()
        try:
            if present and not replace:
                raise NotEmpty(f"{self._path} is not empty")
            revision = max(revision, present)
            with sqlite.translated(self._path):
                connection = sqlite.connect(self._path)
                try:
                    with sqlite.transaction(connection):
                        _replace(connection, revision, kept)
                    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                finally:
                    connection.close()
        finally:
            await store.close()
        return revision

    def _check_version(self, connection: apsw.Connection) -> None:
        version = int(str(connection.execute("PRAGMA user_version").fetchall()[0][0]))
        if version != len(schemas.MIGRATIONS):
            raise Unavailable(
                f"{self._path} has schema {version}, this Portway writes {len(schemas.MIGRATIONS)}: "
                "start this version on it once, or use the version that wrote it"
            )


async def _all(connection: apsw.Connection) -> AsyncIterator[Kept]:
    for resource, cluster, namespace, name, revision, value, user, written in connection.execute(_KEPT):
        yield Kept(Record(Key(resource, cluster, namespace, name), revision, value), user, written)


def _replace(connection: apsw.Connection, revision: int, kept: Iterator[Kept]) -> None:
    connection.execute("DELETE FROM objects; DELETE FROM log; DELETE FROM marks;")
    added = rows.CODES[EventType.ADDED]
    for each in kept:
        record = each.record
        row = (record.revision, added, *record.key, record.value, 0, each.written, each.user)
        connection.execute(schemas.append(1), row)
    connection.execute(schemas.MARK, (revision, 0))
    connection.execute("UPDATE progress SET compacted = ?", (revision,))
