"""Driver calls with a deadline, and what their failures are to the runtime.

``DriverError`` becomes ``Retry``, ``Refused`` becomes ``Terminal``; an overrun deadline is a ``Retry``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from portway.drivers.contract import Applied, Driver, DriverError, Observation, Plan, Refused, Target
from portway.runtime.contract import Retry, Terminal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. Observing is a look and must be quick; applying may clone, install or build."""

    observe: float = 30.0
    apply: float = 540.0
    destroy: float = 120.0


@dataclass(frozen=True, slots=True)
class Calls:
    """One driver, called politely."""

    driver: Driver
    deadlines: Deadlines = Deadlines()

    async def observe(self, target: Target) -> Observation:
        return await self._within(self.deadlines.observe, "observe", self.driver.observe(target))

    async def plan(self, target: Target, observed: Observation) -> Plan:
        return await self._within(self.deadlines.observe, "plan", self.driver.plan(target, observed))

    async def apply(self, target: Target, plan: Plan) -> Applied:
        return await self._within(self.deadlines.apply, "apply", self.driver.apply(target, plan))

    async def destroy(self, target: Target) -> None:
        await self._within(self.deadlines.destroy, "destroy", self.driver.destroy(target))

    async def _within(self, seconds: float, verb: str, call: Awaitable[T]) -> T:
        with translated():
            try:
                async with asyncio.timeout(seconds):
                    return await call
            except TimeoutError:
                message = f"driver {self.driver.name} did not finish {verb} within {seconds:g} s; it is tried again"
                raise Retry("DriverTimeout", message, warn=True) from None


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise Terminal(error.reason, error.message) from error
    except DriverError as error:
        raise Retry(error.reason, error.message, error.retry_after, warn=True) from error
