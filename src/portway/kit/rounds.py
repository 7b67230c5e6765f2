"""Many callers that all need the same work done after they asked: they share its rounds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable


class Rounds:
    """At most one round runs and one waits. A round that has begun serves nobody who comes later."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Return when a round that began after this call has ended; raises what it raised."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._run(self._running))
            self._next.add_done_callback(_retrieve)
        await asyncio.shield(self._next)

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        await self._work()

    async def close(self) -> None:
        """End what runs."""
        for task in (self._next, self._running):
            if task is not None:
                task.cancel()
                with contextlib.suppress(BaseException):
                    await task


def _retrieve(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
