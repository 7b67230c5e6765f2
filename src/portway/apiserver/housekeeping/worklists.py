"""Which keys an engine still has to look at, and the workers that do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from portway.apiserver.housekeeping.contract import Engine
from portway.apiserver.housekeeping.editing import Contended
from portway.store.contract import Key, StoreError

log = logging.getLogger(__name__)

WORKERS = 16
"""Looks under way together for each engine; they share transactions."""

FIRST_RETRY = 0.05
"""Seconds after a failed look; doubled with each further failure."""

LAST_RETRY = 30.0


class Worklist:
    """A key is looked at by one worker at a time, and again when it came up meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[Key, None] = {}
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._wanted = asyncio.Semaphore(0)

    @property
    def is_idle(self) -> bool:
        """Nothing to do now; something may come up by time."""
        return not self._waiting and not self._working

    def add_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.add(key)

    def add(self, key: Key) -> None:
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting[key] = None
            self._wanted.release()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as workers:
                for number in range(WORKERS):
                    workers.create_task(self._serve(), name=f"{self._engine.name} {number}")
        finally:
            for timer in self._timers.values():
                timer.cancel()

    async def _serve(self) -> None:
        while True:
            await self._wanted.acquire()
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._working.add(key)
            again_after = await self._look(key)
            self._working.remove(key)
            if key in self._again:
                self._again.remove(key)
                self.add(key)
            elif again_after is not None:
                self._add_after(key, again_after)

    async def _look(self, key: Key) -> float | None:
        try:
            again_after: float | None = await self._engine.work(key)
        except (StoreError, Contended) as error:
            log.warning("housekeeping is tried again", extra={"engine": self._engine.name, "error": str(error)})
        except Exception:  # the loop's edge: one bad object must not stop the engine
            log.exception("housekeeping failed", extra={"engine": self._engine.name, "key": str(key)})
        else:
            self._failures.pop(key, None)
            return again_after
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return min(FIRST_RETRY * 2.0 ** min(failures, 16), LAST_RETRY)

    def _add_after(self, key: Key, seconds: float) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self._due, key)

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)
