"""The tables of the PostgreSQL store: those of ``schemas``, and a counter whose row lock puts commits in order.

A commit holds the counter's row from reading the present state to its end, so revisions become visible in their
order and a reader sees no gap. Compaction locks ``progress`` only and deletes rows that no writer needs.
"""

from __future__ import annotations

SCHEMA = "portway"

CHANNEL = "portway_log"
"""Notified by each commit, inside it: ``<revision> <store instance>``."""

MIGRATION_LOCK = 0x50_57_41_59_01
RUNNING_LOCK = 0x50_57_41_59_02
"""Advisory locks of the database: shared by running control planes, exclusive for a restore."""
START_LOCK = 0x50_57_41_59_03
"""Held while a control plane makes what must exist once."""

PREPARE = """
CREATE SCHEMA IF NOT EXISTS portway;
CREATE TABLE IF NOT EXISTS portway.migrations (version integer PRIMARY KEY, applied timestamptz DEFAULT now());
"""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE portway.log (
        revision bigint PRIMARY KEY,
        type smallint NOT NULL,
        resource text COLLATE "C" NOT NULL,
        cluster text COLLATE "C" NOT NULL,
        namespace text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        value bytea NOT NULL,
        previous bigint NOT NULL,
        written bigint NOT NULL,
        "user" text NOT NULL
    ) WITH (toast_tuple_target = 8160);
    CREATE INDEX deletions ON portway.log (resource, cluster, namespace, name) WHERE type = 2;
    CREATE TABLE portway.objects (
        resource text COLLATE "C" NOT NULL,
        cluster text COLLATE "C" NOT NULL,
        namespace text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        revision bigint NOT NULL,
        PRIMARY KEY (resource, cluster, namespace, name)
    ) WITH (fillfactor = 80);
    CREATE TABLE portway.progress (one integer PRIMARY KEY CHECK (one = 1), compacted bigint NOT NULL);
    INSERT INTO portway.progress VALUES (1, 0);
    CREATE TABLE portway.counter (one integer PRIMARY KEY CHECK (one = 1), revision bigint NOT NULL)
        WITH (fillfactor = 10);
    INSERT INTO portway.counter VALUES (1, 0);
    """,
    """
    ALTER TABLE portway.counter ADD COLUMN events bigint NOT NULL DEFAULT 0;
    UPDATE portway.counter SET events = revision;
    CREATE TABLE portway.marks (revision bigint PRIMARY KEY, events bigint NOT NULL);
    INSERT INTO portway.marks SELECT revision, revision FROM portway.log
    WHERE revision % 1000 = 0 OR revision = (SELECT max(revision) FROM portway.log);
    """,
)
"""Entry n brings the schema to version n + 1. Entries are never changed, only added. Columns as in ``schemas``.

Values up to 8 KB stay in their row, uncompressed. ``counter.events``: how many there have been.
"""

BEGIN = "BEGIN; SELECT revision FROM counter FOR UPDATE"
"""Sent as one message. What follows has a snapshot taken after the lock was had."""

PRESENT = """
SELECT c.revision AS newest, k.number, o.revision, l.value
FROM counter c LEFT JOIN (
    unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
        AS k (resource, cluster, namespace, name, number)
    JOIN objects o USING (resource, cluster, namespace, name)
    JOIN log l ON l.revision = o.revision
) ON true
"""

APPEND = f"""
WITH counted AS (
    UPDATE counter SET revision = $20::bigint, events = events + cardinality($1::bigint[])
    WHERE revision = $22::bigint RETURNING revision, events
), marked AS (
    INSERT INTO marks SELECT revision, events FROM counted
    WHERE events / $23::bigint > (events - cardinality($1::bigint[])) / $23::bigint
), appended AS (
    INSERT INTO log
    SELECT e.revision, type, resource, cluster, namespace, name, value, previous, $9::bigint, "user"
    FROM counted, unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[],
        $8::bigint[], $10::text[])
        AS e (revision, type, resource, cluster, namespace, name, value, previous, "user")
), pointed AS (
    INSERT INTO objects
    SELECT p.* FROM counted, unnest($11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[]) AS p
    ON CONFLICT (resource, cluster, namespace, name) DO UPDATE SET revision = excluded.revision
), unpointed AS (
    DELETE FROM objects o USING counted, unnest($16::text[], $17::text[], $18::text[], $19::text[])
        AS g (resource, cluster, namespace, name)
    WHERE (o.resource, o.cluster, o.namespace, o.name) = (g.resource, g.cluster, g.namespace, g.name)
)
SELECT pg_notify('{CHANNEL}', $21::text) FROM counted
"""  # noqa: S608  the channel is a constant
"""Gives a row when the counter was where it was believed to be, and does nothing else.

So it is a whole commit by itself for one who knows the state at that revision. Waiting for the counter's lock does
no harm: either the other commit counted, and this does nothing, or it was undone, and nothing has changed.
"""

COUNTER = "SELECT revision FROM counter"
AT = """
SELECT g.compacted, l.resource, l.cluster, l.namespace, l.name, l.value
FROM progress g LEFT JOIN log l ON l.revision = $1
"""

CURRENT = """
SELECT o.revision, o.resource, o.cluster, o.namespace, o.name, l.value
FROM objects o JOIN log l ON l.revision = o.revision
"""

EVENTS = """
SELECT g.compacted, e.* FROM progress g LEFT JOIN LATERAL (
    SELECT l.revision, l.type, l.resource, l.cluster, l.namespace, l.name, l.value, l.previous, p.value
    FROM log l LEFT JOIN log p ON l.previous > 0 AND p.revision = l.previous
    WHERE l.revision > $1 ORDER BY l.revision LIMIT $2
) e ON true
"""
"""One statement, so that what is compacted and what is there are of one moment."""

HISTORY = """
WITH RECURSIVE chain (revision) AS (
    SELECT revision FROM objects WHERE (resource, cluster, namespace, name) = ($1, $2, $3, $4)
    UNION
    SELECT revision FROM log WHERE type = 2 AND (resource, cluster, namespace, name) = ($1, $2, $3, $4)
    UNION
    SELECT l.previous FROM chain c JOIN log l ON l.revision = c.revision WHERE l.previous > 0
)
SELECT l."user", l.written,
    l.revision, l.type, l.resource, l.cluster, l.namespace, l.name, l.value, l.previous, p.value
FROM chain c JOIN log l ON l.revision = c.revision LEFT JOIN log p ON l.previous > 0 AND p.revision = l.previous
ORDER BY l.revision DESC LIMIT $5
"""

MARK_BEFORE = """
SELECT coalesce(max(m.revision), 0) FROM marks m, counter c WHERE m.events <= c.events - $1::bigint
"""

LOCK_PROGRESS = """
SELECT g.compacted, c.revision, (SELECT min(m.revision) FROM marks m WHERE m.revision > g.compacted)
FROM progress g, counter c FOR UPDATE OF g
"""

FORGET_SUPERSEDED = """
DELETE FROM log WHERE revision IN
    (SELECT previous FROM log WHERE revision > $1 AND revision <= $2 AND previous > 0)
"""

FORGET_DELETED = "DELETE FROM log WHERE revision > $1 AND revision <= $2 AND type = 2"

FORGET_MARKS = "DELETE FROM marks WHERE revision <= $1 AND revision < (SELECT max(revision) FROM marks)"

COMPACTED = "UPDATE progress SET compacted = $1"
