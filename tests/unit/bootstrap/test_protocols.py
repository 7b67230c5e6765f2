"""What the transport of a connection adds to uvicorn's."""

from __future__ import annotations

import asyncio
from typing import Any

from portway.bootstrap.protocols import LARGE_BYTES, Gathered


class Wire:
    """A transport that remembers."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_what_is_written_in_one_turn_is_sent_at_once() -> None:
    wire: Any = Wire()
    gathered = Gathered(wire, asyncio.get_running_loop())
    gathered.write(b"head ")
    gathered.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    gathered.write(b"next")
    await asyncio.sleep(0)
    assert wire.sent == [b"head body", b"next"]


async def test_a_large_part_is_sent_when_it_is_written_with_what_came_before() -> None:
    wire: Any = Wire()
    gathered = Gathered(wire, asyncio.get_running_loop())
    gathered.write(b"head ")
    gathered.write(b"x" * LARGE_BYTES)
    assert wire.sent == [b"head " + b"x" * LARGE_BYTES]
    gathered.write(b"next")
    await asyncio.sleep(0)
    assert wire.sent[1:] == [b"next"]


async def test_closing_sends_what_is_left() -> None:
    wire: Any = Wire()
    gathered = Gathered(wire, asyncio.get_running_loop())
    gathered.write(b"last")
    gathered.close()
    await asyncio.sleep(0)
    assert (wire.sent, gathered.is_closing()) == ([b"last"], True)
