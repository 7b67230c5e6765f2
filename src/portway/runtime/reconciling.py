"""One controller at work: its queue, what wakes it, its workers, and what becomes of each reconcile.

The only place that turns Retry, Terminal and unexpected errors into conditions, events and requeues.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portway.apis.conditions import READY
from portway.client.contract import Client, Resource
from portway.kit.backoffs import Backoff
from portway.kit.clocks import Clock
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import conditions, objects, outcomes, statuses
from portway.runtime.contract import Controller, Done, Request, Retry, Watch
from portway.runtime.events import EventRecorder
from portway.runtime.informers import Informer, Subscriber
from portway.runtime.queueing import WorkQueue
from portway.telemetry import traces
from portway.telemetry.metrics import Registry

_log = logging.getLogger(__name__)

BACKOFF = Backoff(first=0.1, limit=120.0)
_SHOWN_FROM = 3
"""Failures in a row from which the API's own trouble is shown in a condition."""
_OTHERS_SECONDS = 10.0
"""How long to wait for informers that the controller does not watch but may read."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all controllers of a process share."""

    client: Client
    clock: Clock
    metrics: Registry
    informer: Callable[[Resource], Informer]
    informers: Callable[[], Sequence[Informer]]
    backoff: Backoff = BACKOFF


class ControllerLoop:
    def __init__(self, controller: Controller, surroundings: Surroundings) -> None:
        self.controller = controller
        self._clock = surroundings.clock
        self._client = surroundings.client
        self._informer = surroundings.informer
        self._informers = surroundings.informers
        share = max(1, controller.workers - controller.workers // 4)
        self.queue = WorkQueue(surroundings.clock, surroundings.backoff, share=share)
        self._events = EventRecorder(surroundings.client, controller.name, clock=surroundings.clock)
        self._writing: dict[Request, set[str]] = {}
        self._written: dict[Request, str] = {}
        metrics = surroundings.metrics
        self._results = metrics.counter(
            "portway_reconciles_total", "Reconciles by their result.", ("controller", "result")
        )
        self._durations = metrics.histogram("portway_reconcile_seconds", "Time of a reconcile.", ("controller",))

    async def run(self) -> None:
        """Until cancelled. Work starts when the informers know the present."""
        subscriptions = self._subscribe()
        try:
            for informer, _ in subscriptions:
                await informer.synced.wait()
            await self._others_synced()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.queue.run(), name=f"{self.controller.name}: queue")
                tasks.create_task(self._resync(subscriptions[0][0]), name=f"{self.controller.name}: resync")
                for number in range(self.controller.workers):
                    tasks.create_task(self._work(), name=f"{self.controller.name}: worker {number}")
        finally:
            for informer, subscriber in subscriptions:
                informer.unsubscribe(subscriber)

    async def _others_synced(self) -> None:
        """A reconciler may read any lister; one that is slow for long holds up nobody."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OTHERS_SECONDS):
                for informer in self._informers():
                    await informer.synced.wait()

    # what wakes it

    def _subscribe(self) -> Sequence[tuple[Informer, Subscriber]]:
        primary = self._informer(self.controller.resource)
        subscriptions: list[tuple[Informer, Subscriber]] = [(primary, self._on_primary)]
        for watch in self.controller.watches:
            subscriptions.append((self._informer(watch.resource), self._on_secondary(watch)))
        for informer, subscriber in subscriptions:
            informer.subscribe(subscriber)
        return subscriptions

    def _on_primary(self, type_: str, manifest: Manifest) -> None:
        request, version = objects.key_of(manifest), objects.version_of(manifest)
        if type_ == "DELETED":
            self._written.pop(request, None)
        if request in self._writing:
            self._writing[request].add(version)
        elif self._written.get(request) != version:
            self.queue.add(request)

    def _on_secondary(self, watch: Watch) -> Subscriber:
        def wake(_type: str, manifest: Manifest) -> None:
            try:
                self.queue.add_all(watch.wakes(manifest))
            except Exception:
                extra = {"controller": self.controller.name, "object": objects.name_of(manifest)}
                _log.exception("mapping failed", extra=extra)

        return wake

    async def _resync(self, informer: Informer) -> None:
        while True:
            await self._clock.sleep(self.controller.resync_seconds)
            self.queue.add_all(list(informer.cache.requests()))

    # work

    async def _work(self) -> None:
        while True:
            request = await self.queue.get()
            began = self._clock.monotonic()
            try:
                with traces.trace():
                    result = await self._guarded(request)
                self._results.add(self.controller.name, result)
                self._durations.observe(self._clock.monotonic() - began, self.controller.name)
            finally:
                self.queue.done(request)

    async def _guarded(self, request: Request) -> str:
        """The loop's edge: a defect in the handling of an outcome harms this request only."""
        try:
            return await self._reconcile(request)
        except Exception:
            _log.exception("outcome not handled", extra={"controller": self.controller.name, "object": request.name})
            self.queue.add_backed_off(request)
            return "defect"

    async def _reconcile(self, request: Request) -> str:
        try:
            async with asyncio.timeout(self.controller.deadline_seconds) as deadline:
                done = await self.controller.reconciler.reconcile(request)
        except Exception as error:
            if deadline.expired() and isinstance(error, TimeoutError):
                text = f"not done within {self.controller.deadline_seconds:g} seconds; it is tried again"
                error = Retry("DeadlineExceeded", text, warn=True)
            return await self._fail(request, error)
        self._succeed(request, done)
        return "done"

    def _succeed(self, request: Request, done: Done) -> None:
        self.queue.forget(request)
        if done.again_after is not None:
            self.queue.add_after(request, done.again_after)

    async def _fail(self, request: Request, error: Exception) -> str:
        verdict = outcomes.judge(error, self.controller.name, request)
        self._log_failure(request, verdict, error)
        try:
            if self._shows(request, verdict) and await self._tell(request, verdict) is None:
                self.queue.forget(request)
                return "gone"
        except StatusError as refused:
            extra = {"controller": self.controller.name, **request._asdict(), "error": str(refused)}
            extra["object"] = extra.pop("name")
            _log.warning("condition not written", extra=extra)
        self._requeue(request, verdict)
        return verdict.reason or "Conflict"

    def _shows(self, request: Request, verdict: outcomes.Verdict) -> bool:
        lasting = self.queue.failures(request) + 1 >= _SHOWN_FROM
        return bool(verdict.reason) and (lasting or not verdict.passing)

    def _requeue(self, request: Request, verdict: outcomes.Verdict) -> None:
        if not verdict.again:
            self.queue.forget(request)
        elif verdict.passing:
            self.queue.add_backed_off(request, verdict.after or 0.0)
        elif verdict.after is not None:
            self.queue.add_after(request, verdict.after)
        else:
            self.queue.add_backed_off(request)

    async def _tell(self, request: Request, verdict: outcomes.Verdict) -> Manifest | None:
        """Condition, and an event when that changed; None when the object is gone."""
        before: list[object] = []

        def make(manifest: Manifest) -> Manifest:
            known = conditions.get(manifest, READY) or {}
            before[:] = [known.get("status"), known.get("reason"), known.get("message")]
            return conditions.set_condition(
                manifest.get("status") or {},
                conditions.not_ready(verdict.reason, verdict.message),
                generation=objects.generation_of(manifest),
                now=self._clock.now(),
            )

        client = self._client.at(request.workspace)
        self._writing[request] = set()
        own = ""
        try:
            written = await statuses.change(client, self.controller.resource, request, make)
            own = objects.version_of(written) if written else ""
        finally:
            if self._writing.pop(request) - {own}:
                self.queue.add(request)
        if written is None:
            return None
        self._written[request] = own
        if verdict.warn and before != ["False", verdict.reason, verdict.message]:
            await self._events.warning(request.workspace, written, verdict.reason, verdict.message)
        return written

    def _log_failure(self, request: Request, verdict: outcomes.Verdict, error: Exception) -> None:
        extra = {
            "controller": self.controller.name,
            "workspace": request.workspace,
            "namespace": request.namespace,
            "object": request.name,
            "reason": verdict.reason,
            "cause": verdict.message,
        }
        if verdict.unexpected:
            _log.error("reconcile failed", extra=extra, exc_info=error)
        elif verdict.warn:
            _log.warning("reconcile stopped", extra=extra)
        else:
            _log.debug("reconcile postponed", extra=extra)
