"""What a batch of requests does to the current state: pure, shared by all SQL dialects.

A dialect reads the present state of the keys concerned, asks ``decide``, writes what it answers, and commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portway.store.clocks import RevisionClock
from portway.store.contract import Change, Conflict, Event, EventType, Key, Put, Record

State = dict[Key, Record | None]


@dataclass(slots=True)
class Decision:
    """``answers`` has one entry a request; ``events`` are those of all granted requests, in order."""

    before: int
    """The newest revision there was."""
    revision: int
    """The newest there is by this."""
    answers: list[list[Event] | Conflict] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    """Who asked for each of the events."""


def keys_of(requests: Sequence[Sequence[Change]]) -> list[Key]:
    """The distinct keys that the requests name."""
    return list(dict.fromkeys(change.key for changes in requests for change in changes))


def decide(
    requests: Sequence[Sequence[Change]], present: Mapping[Key, Record], before: int, clock: RevisionClock
) -> Decision:
    """The first change gets the time as its revision, the others those that follow. Lets errors of ``encode`` through.

    ``before`` is the last revision given out.
    """
    decision = Decision(before, before)
    last = clock.after(before) - 1
    state: State = dict(present)
    for changes in requests:
        answer = _grant(changes, state, last)
        decision.answers.append(answer)
        if isinstance(answer, Conflict):
            continue
        last += len(answer)
        decision.events += answer
        decision.users += [change.user for change in changes]
        for event in answer:
            state[event.record.key] = None if event.type is EventType.DELETED else event.record
    if decision.events:
        decision.revision = last
    return decision


def _grant(changes: Sequence[Change], state: Mapping[Key, Record | None], revision: int) -> list[Event] | Conflict:
    own: State = {}
    events: list[Event] = []
    for change in changes:
        key = change.key
        before = own[key] if key in own else state.get(key)
        if change.expect != (before.revision if before else 0) or (before is None and not isinstance(change, Put)):
            return Conflict(key, state.get(key))
        revision += 1
        event = _event(change, before, revision)
        own[key] = None if event.type is EventType.DELETED else event.record
        events.append(event)
    return events


def _event(change: Change, before: Record | None, revision: int) -> Event:
    record = Record(change.key, revision, change.encode(revision))
    if before is None:
        return Event(EventType.ADDED, record, None)
    kind = EventType.MODIFIED if isinstance(change, Put) else EventType.DELETED
    return Event(kind, record, before.value, before.revision)
