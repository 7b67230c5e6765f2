from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from portway.kit.backoffs import Backoff
from portway.kit.clocks import ManualClock, parse_rfc3339, rfc3339, rfc3339_micro


async def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    clock, woken = ManualClock(), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        for name, seconds in (("b", 2.0), ("a", 1.0), ("c", 5.0)):
            tasks.create_task(sleeper(name, seconds))
        await clock.advance(3)
        assert woken == [("a", 1.0), ("b", 2.0)]
        assert clock.now() == datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC)
        await clock.advance(2)
    assert woken[-1] == ("c", 5.0)


def test_times_are_written_as_the_api_writes_them() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert rfc3339(moment) == "2026-01-02T03:04:05Z"
    assert parse_rfc3339(rfc3339_micro(moment)) == moment
    with pytest.raises(ValueError, match="no time zone"):
        parse_rfc3339("2026-01-02T03:04:05")


def test_delays_double_up_to_the_limit() -> None:
    backoff = Backoff(first=0.5, limit=10, jitter=0)
    assert [backoff.delay(n) for n in (1, 2, 3, 6, 1000)] == [0.5, 1, 2, 10, 10]
