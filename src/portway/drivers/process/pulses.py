"""Waiting for a condition over plain state: whoever changes the state beats, whoever waits looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pulse:
    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        while True:
            following = self._next
            if condition():
                return
            await following.wait()
