"""Tasks that run beside something else and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


class Background:
    """Starts tasks; when one of them fails, the block that owns them is cancelled and raises its error."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        self._tasks.append(self._group.create_task(work, name=name))

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


@asynccontextmanager
async def background() -> AsyncIterator[Background]:
    """All tasks are cancelled and have ended when the block is left. A single failure is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            made = Background(group)
            try:
                yield made
            finally:
                made.cancel()
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) == 1:
            raise failures.exceptions[0] from None
        raise
