from __future__ import annotations

import asyncio
from collections.abc import Iterable

from portway.apiserver.housekeeping.worklists import Worklist
from portway.store.contract import Event, Key, Record, Unavailable

KEY = Key("configmaps", "root", "default", "a")


class Recorder:
    """An engine that fails as often as it is told, and waits while ``gate`` is closed."""

    name = "recorder"

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.looks = 0
        self.together = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def load(self, record: Record) -> Iterable[Key]:
        return ()

    def observe(self, event: Event) -> Iterable[Key]:
        return ()

    async def work(self, key: Key, /) -> float | None:
        self.looks += 1
        self.together += 1
        assert self.together == 1
        await self.gate.wait()
        self.together -= 1
        if self.looks <= self.failures:
            raise Unavailable("for a moment")
        return 0.001 if self.looks == self.failures + 1 else None


async def until_looked(recorder: Recorder, looks: int) -> None:
    async with asyncio.timeout(10):
        while recorder.looks < looks:  # noqa: ASYNC110  counted inside the engine
            await asyncio.sleep(0.001)


async def test_a_failed_look_is_repeated_and_a_wish_to_look_again_is_kept() -> None:
    recorder = Recorder(failures=2)
    worklist = Worklist(recorder)
    running = asyncio.ensure_future(worklist.run())
    worklist.add(KEY)
    await until_looked(recorder, 4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_key_that_comes_up_while_it_is_looked_at_is_looked_at_once_more() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    worklist = Worklist(recorder)
    running = asyncio.ensure_future(worklist.run())
    worklist.add_all([KEY, KEY])
    await until_looked(recorder, 1)
    worklist.add_all([KEY, KEY])
    recorder.gate.set()
    await until_looked(recorder, 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
