"""All controllers of a process: shared informers, and the loops while this process leads.

Owned by bootstrap in a TaskGroup. Quiet when idle: watches, one lease renewal, and the resync of each controller.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from portway.client.contract import ALL_WORKSPACES, Client, Resource
from portway.kit.backoffs import Backoff
from portway.kit.clocks import Clock, SystemClock
from portway.runtime.contract import Controller, Kept, Lister
from portway.runtime.informers import Informer
from portway.runtime.leases import LeaderLease, LeaseLost
from portway.runtime.reconciling import BACKOFF, ControllerLoop, Surroundings
from portway.telemetry.metrics import Registry

_log = logging.getLogger(__name__)


class ControllerRuntime:
    """Implements ``runtime.contract.Runtime``. Without a lease it is taken for granted that no other leads."""

    def __init__(
        self,
        client: Client,
        *,
        lease: LeaderLease | None = None,
        clock: Clock | None = None,
        metrics: Registry | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None:
        self.client = client.at(ALL_WORKSPACES)
        self._clock = clock or SystemClock()
        self._lease = lease
        self._informers: dict[Resource, Informer] = {}
        self._controllers: dict[str, Controller] = {}
        self._informing: asyncio.TaskGroup | None = None
        self._term: asyncio.TaskGroup | None = None
        self._loops: dict[str, ControllerLoop] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        metrics = metrics or Registry()
        metrics.measured("portway_queue_pending", "Requests that wait for a worker.", ("controller",), self._pending)
        self._surroundings = Surroundings(self.client, self._clock, metrics, self.informer, self._known, backoff)

    def lister(self, resource: Resource, kept: Kept | None = None) -> Lister:
        return self.informer(resource, kept).cache

    def informer(self, resource: Resource, kept: Kept | None = None) -> Informer:
        """The one of this resource; it begins when the runtime runs."""
        if resource not in self._informers:
            self._informers[resource] = Informer(self.client, resource, self._clock, kept)
            if self._informing is not None:
                self._inform(self._informing, self._informers[resource])
        return self._informers[resource]

    def _known(self) -> list[Informer]:
        return list(self._informers.values())

    def add(self, controller: Controller) -> None:
        if controller.name not in self._controllers:
            self._controllers[controller.name] = controller
            if self._term is not None:
                self._start(self._term, controller)

    def remove(self, name: str) -> None:
        self._controllers.pop(name, None)
        self._loops.pop(name, None)
        if (task := self._tasks.pop(name, None)) is not None:
            task.cancel()

    async def run(self, controllers: Sequence[Controller]) -> None:
        for controller in controllers:
            self.add(controller)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._informing = tasks
                for informer in self._informers.values():
                    self._inform(tasks, informer)
                tasks.create_task(self._lead(), name="leading")
        finally:
            self._informing = None

    async def _lead(self) -> None:
        if self._lease is None:
            await self._serve(None)
            return
        while True:
            await self._lease.acquire()
            try:
                await self._serve(self._lease)
            except* LeaseLost as lost:
                _log.warning("lease lost", extra={"error": str(lost.exceptions[0])})

    async def _serve(self, lease: LeaderLease | None) -> None:
        """One term: all loops, until cancelled or the lease is lost."""
        try:
            async with asyncio.TaskGroup() as term:
                self._term = term
                if lease is not None:
                    term.create_task(lease.keep(), name="lease")
                else:
                    term.create_task(asyncio.Event().wait(), name="for ever")
                for controller in self._controllers.values():
                    self._start(term, controller)
        finally:
            self._term = None
            self._loops.clear()
            self._tasks.clear()
            if lease is not None:
                await lease.release()

    def _start(self, term: asyncio.TaskGroup, controller: Controller) -> None:
        loop = ControllerLoop(controller, self._surroundings)
        self._loops[controller.name] = loop
        self._tasks[controller.name] = term.create_task(loop.run(), name=controller.name)

    def _pending(self) -> dict[tuple[str, ...], float]:
        return {(name,): float(len(loop.queue)) for name, loop in self._loops.items()}

    @staticmethod
    def _inform(tasks: asyncio.TaskGroup, informer: Informer) -> None:
        tasks.create_task(informer.run(), name=f"informer: {informer.resource.plural}")
