"""Two processes, one lease: never two leaders, and always one again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

import pytest

from portway.apis.resources import LEASES
from portway.client.memory import MemoryClient
from portway.kit.clocks import ManualClock
from portway.runtime.leases import LeaderLease, LeaseLost


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_the_second_waits_until_the_first_has_been_silent_for_the_duration(clock: ManualClock) -> None:
    client = MemoryClient()
    one = LeaderLease(client, "controllers", clock, holder="a/1/x")
    two = LeaderLease(client, "controllers", clock, holder="b/2/y")
    await one.acquire()
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(one.keep())
        waiting = tasks.create_task(two.acquire())
        await clock.advance(60)
        assert not waiting.done()
        keeping.cancel()
        await clock.advance(14)
        assert not waiting.done()
        await clock.advance(10)
    lease = await client.get(LEASES, "controllers", "portway-system")
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == ("b/2/y", 1)
    with pytest.raises(LeaseLost):
        await _one_round(one, clock)


async def test_a_released_lease_is_taken_at_the_next_look(clock: ManualClock) -> None:
    client = MemoryClient()
    one = LeaderLease(client, "controllers", clock, holder="a/1/x")
    two = LeaderLease(client, "controllers", clock, holder="b/2/y")
    await one.acquire()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(two.acquire())
        await clock.advance(1)
        await one.release()
        await clock.advance(5)
        assert waiting.done()


async def test_a_dead_process_of_this_machine_is_succeeded_at_once(clock: ManualClock) -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    client = MemoryClient()
    dead = f"{socket.gethostname()}/{process.pid}/x"
    await LeaderLease(client, "controllers", clock, holder=dead).acquire()
    two = LeaderLease(client, "controllers", clock)
    await two.acquire()
    third = asyncio.create_task(LeaderLease(client, "controllers", clock).acquire())
    await clock.advance(1)
    assert two.holder.split("/")[1] == str(os.getpid())
    assert not third.done()
    third.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await third


async def _one_round(lease: LeaderLease, clock: ManualClock) -> None:
    async with asyncio.TaskGroup() as tasks:
        keeping = asyncio.ensure_future(lease.keep())
        tasks.create_task(clock.advance(6))
    await keeping
