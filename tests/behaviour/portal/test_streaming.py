from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from portway.krm import errors
from portway.portal.streaming import Event, EventStream

Message = MutableMapping[str, Any]


async def test_a_stream_is_closed_when_its_reader_goes() -> None:
    closed, sent = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[Event]:
        try:
            yield Event("update", "one")
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def receive() -> Message:
        await sent.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if b"data: one" in message.get("body", b""):
            sent.set()

    async with asyncio.timeout(30):
        await EventStream(endless())({"type": "http"}, receive, send)
        await closed.wait()


async def test_what_the_api_refuses_is_told_and_ends_the_stream() -> None:
    async def refused() -> AsyncIterator[Event]:
        yield Event("update", "a\nb")
        raise errors.forbidden("workloads", "x", "no")

    bodies: list[bytes] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        bodies.append(message.get("body", b""))

    async with asyncio.timeout(30):
        await EventStream(refused())({"type": "http"}, receive, send)
    assert b"".join(bodies[2:]) == (
        b'event: update\ndata: a\ndata: b\n\nevent: problem\ndata: workloads "x" is forbidden: no\n\n'
    )
