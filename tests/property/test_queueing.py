"""Whatever is done to the queue in whatever order: one worker a request, nothing lost, everyone's turn comes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from portway.kit.backoffs import Backoff
from portway.kit.clocks import ManualClock
from portway.runtime.contract import Request
from portway.runtime.queueing import WorkQueue

REQUESTS = st.builds(Request, st.sampled_from("abc"), st.just(""), st.sampled_from("123"))


class QueueMachine(RuleBasedStateMachine):
    """Model: what must come up at least once more (``owed``), and what is in work."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.queue = WorkQueue(self.clock, Backoff(first=1, limit=8, jitter=0), share=2)
        self.timing = self.loop.create_task(self.queue.run())
        self.owed: set[Request] = set()
        self.working: list[Request] = []

    def wait(self, step: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(step)

    @rule(request=REQUESTS)
    def add(self, request: Request) -> None:
        self.queue.add(request)
        self.owed.add(request)

    @rule(request=REQUESTS, seconds=st.floats(0.1, 20))
    def add_after(self, request: Request, seconds: float) -> None:
        self.queue.add_after(request, seconds)
        self.owed.add(request)

    @rule(request=REQUESTS)
    def fail(self, request: Request) -> None:
        self.queue.add_backed_off(request)
        self.owed.add(request)

    @rule(seconds=st.floats(0.1, 30))
    def advance(self, seconds: float) -> None:
        self.wait(self.clock.advance(seconds))

    @rule()
    def take(self) -> None:
        async def take() -> None:
            getting = asyncio.ensure_future(self.queue.get())
            for _ in range(5):
                await asyncio.sleep(0)
            if getting.done():
                request = getting.result()
                assert request not in self.working
                self.working.append(request)
                self.owed.discard(request)
            getting.cancel()

        self.wait(take())

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.working))
        self.working.remove(request)
        self.queue.done(request)

    @invariant()
    def no_workspace_has_more_than_its_share(self) -> None:
        places = [request.workspace for request in self.working]
        assert all(places.count(place) <= 2 for place in places)

    def teardown(self) -> None:
        for request in self.working:
            self.queue.done(request)
        self.working.clear()
        for _ in range(40):
            self.wait(self.clock.advance(30))
            self.take()
            for request in self.working:
                self.queue.done(request)
            self.working.clear()
        self.timing.cancel()
        self.loop.run_until_complete(asyncio.gather(self.timing, return_exceptions=True))
        self.loop.close()
        assert self.owed == set()
        assert (len(self.queue), self.queue.delayed) == (0, 0)


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@given(st.lists(REQUESTS, min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_between_two_turns_of_a_workspace_every_waiting_one_has_had_its_turn(added: list[Request]) -> None:
    async def drain() -> list[Request]:
        queue = WorkQueue(ManualClock(), Backoff(1, 1))
        queue.add_all(added)
        return [await queue.get() for _ in range(len(queue))]

    order = asyncio.run(drain())
    assert set(order) == set(added)
    places = [request.workspace for request in order]
    for place in set(places):
        positions = [index for index, found in enumerate(places) if found == place]
        for one, other in itertools.pairwise(positions):
            still_waiting = set(places[one:]) - {place}
            between = set(places[one + 1 : other])
            assert {p for p in still_waiting if places[other:].count(p)} <= between
