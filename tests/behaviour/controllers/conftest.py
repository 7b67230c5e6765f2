from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.behaviour.controllers import worlds


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[worlds.World]:
    made = worlds.World(home=tmp_path)
    async with worlds.running(made):
        await worlds.furnish(made)
        yield made
