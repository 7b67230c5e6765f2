"""Group commit: requests that arrive while one transaction is being synced go together into the next.

In it those of one cluster stand side by side: so the revisions of two of them do not tell how much others wrote.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from portway.store.contract import Change, Committed, Conflict, Event, StoreError, Unavailable

Commit = Callable[[Sequence[Sequence[Change]]], Awaitable[Committed]]
Publish = Callable[[int, Sequence[Event]], Awaitable[None]]
"""Given the revision before them, make events visible."""

BATCH_LIMIT = 512
"""Requests in one transaction; more wait for the next."""

WAITING_LIMIT = 20_000
"""Requests waiting for a store that has stalled; more are refused, so that memory stays bounded."""


@dataclass(slots=True)
class _Waiting:
    changes: Sequence[Change]
    answer: asyncio.Future[list[Event]]

    @property
    def cluster(self) -> str:
        return self.changes[0].key.cluster if self.changes else ""


class CommitQueue:
    """``run`` belongs in a task. A caller that is cancelled does not take its request back: it happens once."""

    def __init__(self, commit: Commit, publish: Publish) -> None:
        self._commit = commit
        self._publish = publish
        self._waiting: deque[_Waiting] = deque()
        self.is_busy = False
        """A commit is under way, or not yet published."""
        self._arrived = asyncio.Event()
        self._closing = False

    async def submit(self, changes: Sequence[Change]) -> list[Event]:
        """The request's events, once they are durable and published. Raises Conflict, Unavailable."""
        if self._closing:
            raise Unavailable("Portway is stopping; no more writes are taken")
        if len(self._waiting) >= WAITING_LIMIT:
            raise Unavailable("the store does not keep up with the writes that wait for it: try again later")
        answer: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(changes, answer))
        self._arrived.set()
        return await answer

    def close(self) -> None:
        """Take no more; ``run`` ends when all that was taken is answered."""
        self._closing = True
        self._arrived.set()

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_LIMIT))]
            if batch:
                batch.sort(key=lambda waiting: waiting.cluster)
                self.is_busy = True
                await self._serve(batch)
                self.is_busy = False
            elif self._closing:
                return
            else:
                self._arrived.clear()

    async def _serve(self, batch: Sequence[_Waiting]) -> None:
        try:
            before, answers = await self._commit([waiting.changes for waiting in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, StoreError):
                _fail(batch, error)
                return
            for waiting in batch:  # one request's encoder failed: the others must not suffer
                await self._serve([waiting])
            return
        try:
            await self._publish(before, [event for answer in answers if isinstance(answer, list) for event in answer])
        except Exception as error:
            _fail(batch, error)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.answer.done():  # its caller was cancelled
                continue
            if isinstance(answer, Conflict):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
