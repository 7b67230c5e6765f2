from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from portway.kit.backoffs import Backoff
from portway.kit.clocks import ManualClock
from portway.runtime.contract import Request
from portway.runtime.queueing import WorkQueue

A1, A2, A3 = (Request("a", "", name) for name in "123")
B1 = Request("b", "", "1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def queue(clock: ManualClock) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue(clock, Backoff(first=1, limit=60, jitter=0))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(queue.run())
        yield queue
        running.cancel()


async def test_adding_twice_is_one_piece_of_work(queue: WorkQueue) -> None:
    queue.add_all([A1, A1])
    assert await queue.get() == A1
    assert len(queue) == 0


async def test_what_is_added_during_its_work_comes_again_after_it(queue: WorkQueue) -> None:
    queue.add(A1)
    await queue.get()
    queue.add(A1)
    assert len(queue) == 0
    queue.done(A1)
    assert await queue.get() == A1


async def test_turns_go_round_the_workspaces(queue: WorkQueue) -> None:
    queue.add_all([A1, A2, A3, B1])
    assert [await queue.get() for _ in range(4)] == [A1, B1, A2, A3]


async def test_a_workspace_at_its_share_waits_while_others_go_on(clock: ManualClock) -> None:
    queue = WorkQueue(clock, Backoff(1, 1), share=1)
    queue.add_all([A1, A2, B1])
    assert [await queue.get(), await queue.get()] == [A1, B1]
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(queue.get())
        await clock.advance(10)
        assert not waiting.done()
        queue.done(A1)
    assert waiting.result() == A2


async def test_a_delayed_request_comes_when_it_is_due_and_the_earlier_time_stands(
    queue: WorkQueue, clock: ManualClock
) -> None:
    queue.add_after(A1, 5)
    queue.add_after(A1, 2)
    queue.add_after(A1, 9)
    await clock.advance(1.9)
    assert len(queue) == 0
    await clock.advance(0.2)
    assert await queue.get() == A1
    queue.done(A1)
    await clock.advance(60)
    assert (len(queue), queue.delayed) == (0, 0)


async def test_failures_are_spaced_until_forgotten(queue: WorkQueue) -> None:
    assert [queue.add_backed_off(A1) for _ in range(3)] == [1, 2, 4]
    queue.forget(A1)
    assert queue.add_backed_off(A1) == 1


async def test_an_immediate_add_overtakes_the_delayed_one(queue: WorkQueue, clock: ManualClock) -> None:
    queue.add_after(A1, 5)
    queue.add(A1)
    assert await queue.get() == A1
    queue.done(A1)
    await clock.advance(10)
    assert len(queue) == 0
