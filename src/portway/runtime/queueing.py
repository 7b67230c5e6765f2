"""The work queue of one controller: what is to be reconciled, when, and whose turn it is.

Invariants: a request is worked on by one worker at a time; one added while it is worked on comes again after it;
nothing added is lost. Turns go round the workspaces that have something pending, and no workspace has more than
``share`` requests in work at once, so that a busy one cannot hold up the others.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import OrderedDict
from collections.abc import Iterable

from portway.kit.backoffs import Backoff
from portway.kit.clocks import Clock
from portway.runtime.contract import Request

_FAR = 3600.0


class WorkQueue:
    def __init__(self, clock: Clock, backoff: Backoff, *, share: int = 0) -> None:
        """``share`` 0 means no bound per workspace."""
        self._clock = clock
        self._backoff = backoff
        self._share = share
        self._pending: OrderedDict[str, OrderedDict[Request, None]] = OrderedDict()
        self._working: dict[str, set[Request]] = {}
        self._again: set[Request] = set()
        self._due: dict[Request, float] = {}
        self._agenda: list[tuple[float, int, Request]] = []
        self._order = itertools.count()
        self._failures: dict[Request, int] = {}
        self._runnable = asyncio.Event()
        self._rescheduled = asyncio.Event()

    def __len__(self) -> int:
        """Requests that could be worked on now."""
        return sum(len(requests) for requests in self._pending.values())

    @property
    def delayed(self) -> int:
        return len(self._due)

    def add(self, request: Request) -> None:
        if request in self._working.get(request.workspace, ()):
            self._again.add(request)
            return
        self._due.pop(request, None)
        self._pending.setdefault(request.workspace, OrderedDict())[request] = None
        self._runnable.set()

    def add_all(self, requests: Iterable[Request]) -> None:
        for request in requests:
            self.add(request)

    def add_after(self, request: Request, seconds: float) -> None:
        """Later; when it is already expected earlier, that stands."""
        due = self._clock.monotonic() + seconds
        if seconds <= 0:
            self.add(request)
        elif request not in self._pending.get(request.workspace, ()) and due < self._due.get(request, float("inf")):
            self._due[request] = due
            heapq.heappush(self._agenda, (due, next(self._order), request))
            self._rescheduled.set()

    def add_backed_off(self, request: Request, at_least: float = 0.0) -> float:
        """Count a failure and come again after its back-off, whose seconds are returned."""
        self._failures[request] = self._failures.get(request, 0) + 1
        delay = max(at_least, self._backoff.delay(self._failures[request]))
        self.add_after(request, delay)
        return delay

    def forget(self, request: Request) -> None:
        """It went well: the next failure is the first again."""
        self._failures.pop(request, None)

    def failures(self, request: Request) -> int:
        return self._failures.get(request, 0)

    async def get(self) -> Request:
        """The next request; it is this worker's until ``done``. What was scheduled for it is void now."""
        while (request := self._take()) is None:
            self._runnable.clear()
            await self._runnable.wait()
        return request

    def done(self, request: Request) -> None:
        working = self._working[request.workspace]
        working.remove(request)
        if not working:
            del self._working[request.workspace]
        if request in self._again:
            self._again.remove(request)
            self.add(request)
        if self._pending:
            self._runnable.set()

    async def run(self) -> None:
        """Move what falls due; runs beside the workers until cancelled."""
        while True:
            self._rescheduled.clear()
            self._move_due()
            wait = self._agenda[0][0] - self._clock.monotonic() if self._agenda else _FAR
            await self._sleep_or_rescheduled(wait)

    def _take(self) -> Request | None:
        for workspace, requests in self._pending.items():
            working = self._working.get(workspace, ())
            if self._share and len(working) >= self._share:
                continue
            request, _ = requests.popitem(last=False)
            self._pending.move_to_end(workspace)
            if not requests:
                del self._pending[workspace]
            self._working.setdefault(workspace, set()).add(request)
            self._due.pop(request, None)
            return request
        return None

    def _move_due(self) -> None:
        now = self._clock.monotonic()
        while self._agenda and (self._agenda[0][0] <= now or self._is_void(self._agenda[0])):
            due, _, request = heapq.heappop(self._agenda)
            if self._due.get(request) == due:
                del self._due[request]
                self.add(request)

    def _is_void(self, planned: tuple[float, int, Request]) -> bool:
        return self._due.get(planned[2]) != planned[0]

    async def _sleep_or_rescheduled(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        told = asyncio.ensure_future(self._rescheduled.wait())
        try:
            await asyncio.wait((sleeping, told), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, told):
                task.cancel()
            await asyncio.gather(sleeping, told, return_exceptions=True)
