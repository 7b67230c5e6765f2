"""For all tests: no async test leaves a task behind."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator

import hypothesis
import pytest

pytest_plugins = ["tests.databases"]

# a busy machine may take its time to think of an example; only what is found counts
hypothesis.settings.register_profile(
    "portway", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("portway")


@pytest.fixture(autouse=True)
def every_async_test_ends_its_tasks(request: pytest.FixtureRequest) -> None:
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("ended_tasks")


@pytest.fixture
async def ended_tasks() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks left behind: {sorted(repr(task) for task in left)}"
