from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.behaviour.controllers import worlds


@pytest.fixture
async def world() -> AsyncIterator[worlds.World]:
    made = worlds.World()
    async with worlds.running(made):
        await worlds.furnish(made)
        yield made
