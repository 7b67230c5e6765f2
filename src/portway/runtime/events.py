"""Events (core v1) about objects: what ``kubectl describe`` and the portal's activity show.

The same thing said again is one Event with a count: its name is derived from the object and the text, so that
this holds over restarts. Repetitions within ``quiet_seconds`` are counted and written with the next one after it.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from portway.apis.resources import EVENTS
from portway.client.contract import Client
from portway.kit.clocks import Clock, SystemClock, rfc3339
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import objects

_log = logging.getLogger(__name__)
_REMEMBERED = 4096
_LONGEST_MESSAGE = 1024


class EventType(StrEnum):
    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(slots=True)
class _Seen:
    written_at: float
    unwritten: int = 0


class EventRecorder:
    """``client`` has the identity; where an event goes is said per call. Never raises for a failed write."""

    def __init__(
        self, client: Client, component: str, *, clock: Clock | None = None, quiet_seconds: float = 30.0
    ) -> None:
        self._client = client
        self._component = component
        self._clock = clock or SystemClock()
        self._quiet = quiet_seconds
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()

    async def normal(self, workspace: str, about: Manifest, reason: str, message: str) -> None:
        await self._record(workspace, about, EventType.NORMAL, reason, message)

    async def warning(self, workspace: str, about: Manifest, reason: str, message: str) -> None:
        await self._record(workspace, about, EventType.WARNING, reason, message)

    async def _record(self, workspace: str, about: Manifest, type_: EventType, reason: str, message: str) -> None:
        message = message[:_LONGEST_MESSAGE]
        name = _event_name(about, type_, reason, message, self._component)
        count = self._due(workspace, name)
        if not count:
            return
        event = self._event(name, about, type_, reason, message)
        try:
            await self._write(self._client.at(workspace), event, count)
        except StatusError as error:
            about_name = objects.name_of(about)
            extra = {"workspace": workspace, "object": about_name, "reason": reason, "error": str(error)}
            _log.warning("event not written", extra=extra)

    def _due(self, workspace: str, name: str) -> int:
        """How many repetitions are to be written now; 0 when it is too early."""
        now = self._clock.monotonic()
        seen = self._seen.get((workspace, name))
        if seen and now - seen.written_at < self._quiet:
            seen.unwritten += 1
            return 0
        count = 1 + (seen.unwritten if seen else 0)
        self._seen[(workspace, name)] = _Seen(now)
        self._seen.move_to_end((workspace, name))
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return count

    def _event(self, name: str, about: Manifest, type_: EventType, reason: str, message: str) -> Manifest:
        now = rfc3339(self._clock.now())
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": objects.namespace_of(about) or "default"},
            "involvedObject": objects.reference_to(about),
            "type": type_.value,
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }

    async def _write(self, client: Client, event: Manifest, count: int) -> None:
        name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
        try:
            await client.create(EVENTS, {**event, "count": count}, namespace)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            known = await client.get(EVENTS, name, namespace)
            patch = {"count": int(known.get("count") or 0) + count, "lastTimestamp": event["lastTimestamp"]}
            await client.patch(EVENTS, name, patch, namespace)


def _event_name(about: Manifest, type_: EventType, reason: str, message: str, component: str) -> str:
    said = "\0".join((objects.uid_of(about), type_.value, reason, message, component))
    return f"{objects.name_of(about)[:230]}.{hashlib.sha256(said.encode()).hexdigest()[:16]}"
