"""Rows of the log as events, and the other way round, whatever the SQL dialect."""

from __future__ import annotations

from sys import intern

from portway.store.contract import Event, EventType, Key, Record

_TYPES = (EventType.ADDED, EventType.MODIFIED, EventType.DELETED)
CODES = {kind: code for code, kind in enumerate(_TYPES)}
"""What column ``type`` of the log holds."""


def event(  # noqa: PLR0917  a row's columns
    revision: int,
    code: int,
    resource: str,
    cluster: str,
    namespace: str,
    name: str,
    value: bytes,
    previous_revision: int,
    previous: bytes | None,
) -> Event:
    key = Key(intern(resource), intern(cluster), intern(namespace), name)
    return Event(_TYPES[code], Record(key, revision, value), previous, previous_revision)
