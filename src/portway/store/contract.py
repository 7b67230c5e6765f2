"""What every store promises, and what the API server may ask of it.

A store is one log of revisions. A revision is a positive integer assigned inside the commit; it is the
``resourceVersion`` of the object written by it, so it goes up across *all* keys and clusters. It tells the time of the
write (``store.clocks``): between two lie gaps, so that nobody counts the writes of others.

Two layers: a ``Store`` (SQL dialect: SQLite, PostgreSQL) only persists; ``store.caching.Cache`` holds the
current objects of all keys as serialized bytes, answers every read, and is the only thing the API server uses.

Invariant: a commit is acknowledged only after it is durable, and becomes visible in the cache in revision order
before the acknowledgement.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable


class Key(NamedTuple):
    """Where an object lives. ``namespace`` is empty for cluster-scoped resources."""

    resource: str
    """Group resource: ``configmaps`` for the core group, ``postgreses.resources.portway.dev`` else."""
    cluster: str
    """Logical cluster name (not the workspace path)."""
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """An object as stored. Two are equal when they say the same, however it is kept."""

    key: Key
    revision: int
    begin: bytes
    """Of the value; all of it unless there is an ``end``."""
    end: bytes = b""
    """What other records have too, and share with this one (``store.sharing``)."""

    @property
    def value(self) -> bytes:
        """Complete JSON bytes with ``metadata.resourceVersion`` filled in."""
        return self.begin + self.end if self.end else self.begin

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return (self.key, self.revision, self.value) == (other.key, other.revision, other.value)

    def __hash__(self) -> int:
        return hash((self.key, self.revision))


class EventType(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log. For DELETED ``value`` is the last state with the revision of the deletion."""

    type: EventType
    record: Record
    previous: bytes | None
    """The value before, for watches whose selector the object leaves; None for ADDED."""
    previous_revision: int = 0
    """The revision of ``previous``; 0 for ADDED."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as history tells it."""

    event: Event
    user: str
    """Who asked for it; empty when the store was not told."""
    written: int
    """Milliseconds since 1970, UTC."""


Encode = Callable[[int], bytes]
"""Given the revision assigned to the write, the complete JSON bytes of the object."""


@dataclass(frozen=True, slots=True)
class Put:
    """Create (``expect`` 0) or replace (``expect`` = revision of the object the caller saw)."""

    key: Key
    encode: Encode
    expect: int
    user: str = ""
    """Who asks for it, for the history."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an object that still has revision ``expect``; ``encode`` gives its last state."""

    key: Key
    encode: Encode
    expect: int
    user: str = ""


Change = Put | Delete


class Committed(NamedTuple):
    """What became of several requests."""

    before: int
    """The newest revision there was when they were decided."""
    answers: list[list[Event] | Conflict]
    """One a request, in their order: its events, or why it was not granted."""


class StoreError(Exception):
    """Root of the store's errors."""


class Conflict(StoreError):
    """A change met another state than it expected. ``actual`` is None when the object does not exist."""

    def __init__(self, key: Key, actual: Record | None) -> None:
        super().__init__(f"{key} was expected in another state")
        self.key = key
        self.actual = actual


class Compacted(StoreError):
    """The asked revision is older than what the log retains."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"revision {asked} is no longer retained, the oldest is {oldest}")
        self.asked = asked
        self.oldest = oldest


class Future(StoreError):
    """The asked revision is newer than any that exists."""

    def __init__(self, asked: int, current: int) -> None:
        super().__init__(f"revision {asked} does not exist yet, the newest is {current}")
        self.asked = asked
        self.current = current


class Unavailable(StoreError):
    """The write was refused and is not durable (disk full, file read-only, connection lost)."""


class Uncertain(Unavailable):
    """The connection was lost during the commit, and nobody could be asked whether it took place."""


class Known(Protocol):
    """The state at one revision, as somebody holds it in memory."""

    @property
    def revision(self) -> int: ...

    def get(self, key: Key) -> Record | None: ...


class Store(Protocol):
    """Persistence only; one file per SQL dialect. All stores pass tests/conformance/test_stores.py."""

    async def load(self) -> tuple[int, Iterable[Record]]:
        """Current revision and all current objects (any order); also migrates the schema."""

    async def commit(self, changes: Sequence[Sequence[Change]]) -> Committed:
        """Make several requests durable in one transaction (group commit).

        Each inner sequence is one request and atomic: it is applied whole or answered by its Conflict.
        Raises Unavailable when nothing became durable.
        """

    async def events(self, after: int, limit: int) -> list[Event]:
        """Log entries with a revision greater than ``after``, oldest first. Raises Compacted."""

    async def compact(self, revision: int) -> int:
        """Forget log entries up to ``revision`` in small batches; returns the oldest retained revision."""

    async def mark_before(self, events: int) -> int:
        """A revision with at least so many events after it, and about ``compacting.MARK_EVERY`` more at most.

        0 when there are not so many.
        """

    async def history(self, key: Key, limit: int) -> list[Entry]:
        """The newest retained entries of one key, oldest first, of all objects that had it one after the other."""

    def trust(self, known: Known) -> None:
        """Decide by this state, as long as it is the newest, without reading it again."""

    async def close(self) -> None: ...


@runtime_checkable
class Shared(Protocol):
    """What a ``Store`` that several processes write to offers beside."""

    async def newest(self) -> int:
        """A revision not older than any commit that was acknowledged before this was called."""

    async def changed(self, seconds: float) -> None:
        """Return when another process has committed, at the latest after ``seconds``; may return for nothing."""


@runtime_checkable
class Alone(Protocol):
    """What a ``Store`` that nobody else writes to offers beside."""

    def tick(self) -> int:
        """Let the revision follow the time although nothing is written. Only while no commit is under way."""


class Page(NamedTuple):
    records: Sequence[Record]
    """In key order (namespace, name), across clusters by cluster first."""
    revision: int
    """The revision at which this list is consistent; of a list of the present ``Reads.revision_of`` its cluster."""
    remaining: int
    """How many matching objects come after the last record of this page."""


class Reads(Protocol):
    """What the cache offers the API server; ``cluster=None`` means all logical clusters (wildcard)."""

    @property
    def revision(self) -> int:
        """The newest of all clusters: not to be told to those who see only some of them."""

    def revision_of(self, cluster: str | None) -> int:
        """One at which what is in the cluster is as it is now, and that tells nothing of other clusters."""

    def get(self, key: Key) -> Record | None: ...

    async def list(
        self,
        resource: str,
        cluster: str | None,
        namespace: str | None,
        *,
        revision: int | None = None,
        after: Key | None = None,
        limit: int = 0,
    ) -> Page:
        """``revision`` asks for the state exactly then (rebuilt from the log); raises Compacted, Future."""

    def watch(
        self, resource: str, cluster: str | None, namespace: str | None, after: int
    ) -> AsyncIterator[Event | int]:
        """Events after a revision, in order, without gap; an int now and then is progress (a bookmark).

        All events up to it were given. It tells nothing of other clusters.
        Raises Compacted at once when ``after`` is not retained. A reader that falls too far behind is
        dropped with Compacted, others are unharmed.
        """

    async def fresh(self) -> None:
        """Wait until reads see all that any process had acknowledged when this was called. Raises Unavailable."""

    async def history(self, key: Key, limit: int) -> builtins.list[Entry]:
        """As ``Store.history``."""

    async def commit(self, changes: Sequence[Change]) -> builtins.list[Record]:
        """One atomic request; grouped with concurrent ones. Raises Conflict, Unavailable."""


class Observed(Reads, Protocol):
    """Reads that tell of each change as it happens, in the event loop's turn in which it becomes visible."""

    def observe(self, observer: Callable[[Event], None]) -> None:
        """Call it with every event from now on."""

    def count(self, resource: str, cluster: str | None = None, namespace: str | None = None) -> int:
        """How many objects there are; cheap."""

    def resources(self) -> builtins.list[str]:
        """Resources of which objects exist or were seen since the start."""
