"""Events are kept for an hour after they were last written, as kube-apiserver's --event-ttl does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from portway.apiserver import clocks, objects
from portway.apiserver.housekeeping.editing import Editor
from portway.store.contract import Event, EventType, Key, Record

EVENTS = frozenset(("events", "events.events.k8s.io"))
TTL_SECONDS = 3600.0
_STEP = 60.0
"""Seconds between looks at what has fallen due, so that one timer serves all events."""

_TICK = Key("events", "", "", "")
"""Stands for all that is due."""


class EventExpiry:
    name = "event expiry"

    def __init__(
        self,
        editor: Editor,
        now: clocks.Now,
        *,
        ttl: float = TTL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._editor = editor
        self._now = now
        self._ttl = ttl
        self._step = min(_STEP, ttl)
        self._monotonic = monotonic
        self._due: dict[Key, float] = {}
        """In order of time, for each write moves its key to the end."""

    def load(self, record: Record) -> Iterable[Key]:
        if record.key.resource not in EVENTS:
            return ()
        created = clocks.read(objects.decode(record.value)["metadata"]["creationTimestamp"])
        age = (self._now() - created).total_seconds()
        self._due[record.key] = self._monotonic() + max(self._ttl - age, 0)
        return (_TICK,)

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if key.resource not in EVENTS:
            return ()
        self._due.pop(key, None)
        if event.type is EventType.DELETED:
            return ()
        first = not self._due
        self._due[key] = self._monotonic() + self._ttl
        return (_TICK,) if first else ()

    async def work(self, _tick: Key) -> float | None:
        now = self._monotonic()
        due = [key for key, at in self._due.items() if at <= now]
        await self._editor.remove_all(due)
        return self._step if self._due else None
