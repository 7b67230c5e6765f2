"""The tables of the SQLite store, as a list of migrations.

``log`` holds every revision with its value; ``objects`` says which of them is current, so a value is kept once, and
follows ``log`` by triggers, so that a commit can be one statement.
Compaction removes from the log what was superseded or deleted up to ``compacted``; what it keeps at or below that
are the values of objects not changed since. The newest revision is the greater of ``compacted`` and the log's last.
"""

from __future__ import annotations

from functools import cache

APPLICATION_ID = 0x50_57_41_59
"""Marks the file as Portway's (``PWAY``), so that another program's database is not written to."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE log (
        revision INTEGER PRIMARY KEY,
        type INTEGER NOT NULL,
        resource TEXT NOT NULL,
        cluster TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        value BLOB NOT NULL,
        previous INTEGER NOT NULL,
        written INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE objects (
        resource TEXT NOT NULL,
        cluster TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        PRIMARY KEY (resource, cluster, namespace, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE progress (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        compacted INTEGER NOT NULL
    ) STRICT;
    INSERT INTO progress VALUES (1, 0);
    """,
    """
    ALTER TABLE log ADD COLUMN user TEXT NOT NULL DEFAULT '';
    CREATE INDEX deletions ON log (resource, cluster, namespace, name) WHERE type = 2;
    """,
    """
    CREATE TABLE marks (revision INTEGER PRIMARY KEY, events INTEGER NOT NULL) STRICT;
    INSERT INTO marks SELECT revision, revision FROM log
    WHERE revision % 1000 = 0 OR revision = (SELECT max(revision) FROM log);
    CREATE TRIGGER point AFTER INSERT ON log WHEN NEW.type < 2 BEGIN
        INSERT INTO objects VALUES (NEW.resource, NEW.cluster, NEW.namespace, NEW.name, NEW.revision)
        ON CONFLICT DO UPDATE SET revision = excluded.revision;
    END;
    CREATE TRIGGER unpoint AFTER INSERT ON log WHEN NEW.type = 2 BEGIN
        DELETE FROM objects WHERE (resource, cluster, namespace, name)
            = (NEW.resource, NEW.cluster, NEW.namespace, NEW.name);
    END;
    """,
)
"""Entry n brings the schema to version n + 1 (``PRAGMA user_version``). Entries are never changed, only added.

``log.type``: 0 ADDED, 1 MODIFIED, 2 DELETED. ``log.previous``: revision of the value before, 0 for none.
``log.written``: milliseconds since 1970, UTC. ``log.user``: who asked for the change, empty when unknown.
``marks.events``: how many events there had been up to a revision; until there were marks, revisions counted them.
"""

CURRENT = """
SELECT o.revision, o.resource, o.cluster, o.namespace, o.name, l.value
FROM objects o CROSS JOIN log l ON l.revision = o.revision
"""

PRESENT = """
SELECT json_group_array(json_array(k.key, o.revision, hex(l.value)))
FROM json_each(?) k
CROSS JOIN objects o ON o.resource = k.value ->> 0 AND o.cluster = k.value ->> 1
    AND o.namespace = k.value ->> 2 AND o.name = k.value ->> 3
CROSS JOIN log l ON l.revision = o.revision
"""
"""One row for all keys: each step of a statement hands the interpreter lock over, so few steps matter."""


@cache
def append(rows: int) -> str:
    """Adds so many rows to the log."""
    return "INSERT INTO log VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * rows)  # noqa: S608  marks only


EVENTS = """
SELECT l.revision, l.type, l.resource, l.cluster, l.namespace, l.name, l.value, l.previous, p.value
FROM log l LEFT JOIN log p ON l.previous > 0 AND p.revision = l.previous
WHERE l.revision > ? ORDER BY l.revision LIMIT ?
"""

HISTORY = """
WITH RECURSIVE chain (revision) AS (
    SELECT revision FROM objects
    WHERE resource = :resource AND cluster = :cluster AND namespace = :namespace AND name = :name
    UNION
    SELECT revision FROM log
    WHERE type = 2 AND resource = :resource AND cluster = :cluster AND namespace = :namespace AND name = :name
    UNION
    SELECT l.previous FROM chain c JOIN log l ON l.revision = c.revision WHERE l.previous > 0
)
SELECT l.user, l.written,
    l.revision, l.type, l.resource, l.cluster, l.namespace, l.name, l.value, l.previous, p.value
FROM chain c CROSS JOIN log l ON l.revision = c.revision LEFT JOIN log p ON l.previous > 0 AND p.revision = l.previous
ORDER BY l.revision DESC LIMIT :limit
"""
"""From the last entry of each object that had the name, back along ``previous``."""

FORGET_SUPERSEDED = """
DELETE FROM log WHERE revision IN
    (SELECT previous FROM log WHERE revision > :low AND revision <= :high AND previous > 0)
"""

FORGET_DELETED = "DELETE FROM log WHERE revision > :low AND revision <= :high AND type = 2"

MARK = "INSERT INTO marks VALUES (?, ?)"

COUNTED = """
SELECT coalesce(max(events), 0) + (SELECT count(*) FROM log WHERE revision > coalesce(max(marks.revision), 0))
FROM marks
"""

MARK_BEFORE = "SELECT coalesce(max(revision), 0) FROM marks WHERE events <= ?"

MARK_AFTER = "SELECT coalesce(min(revision), :else) FROM marks WHERE revision > :low"

FORGET_MARKS = "DELETE FROM marks WHERE revision <= ? AND revision < (SELECT max(revision) FROM marks)"

NEWEST = "SELECT max(compacted, coalesce((SELECT max(revision) FROM log), 0)) FROM progress"
