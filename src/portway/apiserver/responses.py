"""Answers, and the one place where they become ASGI messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from portway.apiserver.requests import Receive, Send
from portway.kit import lazily
from portway.krm.errors import StatusError

if TYPE_CHECKING:
    from portway.krm import encoding
else:
    encoding = lazily.module("portway.krm.encoding")

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
YAML = b"application/yaml"
YAML_BYTES = 2 * 1024 * 1024
"""JSON up to which an answer is written as YAML; a larger one stays as it is, which is YAML too."""


PATIENCE_SECONDS = 30.0
"""For a client to read what was sent; then its connection is closed, so that it holds nothing here."""


SLICE_BYTES = 128 * 1024
"""Of an answer's body, handed over at once."""


class Unread(Exception):
    """The client does not read its stream."""


class Pieces:
    """A body that is joined while it is sent, so that a large one is never whole in memory."""

    __slots__ = ("_length", "_parts")

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._length = sum(map(len, parts))

    def __len__(self) -> int:
        return self._length

    def whole(self) -> bytes:
        return b"".join(self._parts)

    def slices(self, size: int) -> Iterator[bytes]:
        """Of at least so many bytes, but for the last."""
        start = held = 0
        for index, part in enumerate(self._parts, 1):
            held += len(part)
            if held >= size:
                yield b"".join(self._parts[start:index])
                start, held = index, 0
        yield b"".join(self._parts[start:])


@dataclass(slots=True)
class Response:
    content: bytes | Pieces
    code: int = 200
    content_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """All of it at once."""
        return self.content if isinstance(self.content, bytes) else self.content.whole()


@dataclass(slots=True)
class Stream:
    """A body without end; ``chunks`` is closed when the client leaves or after ``seconds``."""

    chunks: AsyncGenerator[bytes, None]
    seconds: float
    content_type: bytes = JSON


def of(value: Any, code: int = 200) -> Response:
    return Response(orjson.dumps(value), code)


def failure(error: StatusError) -> Response:
    """The one place where an error becomes a Status."""
    response = of(error.to_status(), error.code)
    if error.retry_after:
        response.headers.append((b"retry-after", str(error.retry_after).encode()))
    for name, value in error.headers.items():
        response.headers.append((name.lower().encode(), value.encode("latin-1", "replace")))
    return response


def as_yaml(response: Response) -> Response:
    """The same in YAML's block style, keys in order; unchanged unless it is JSON."""
    if response.content_type != JSON:
        return response
    if len(response.content) > YAML_BYTES:
        return Response(response.content, response.code, YAML, response.headers)
    return Response(encoding.json_to_yaml(response.body), response.code, YAML, response.headers)


def warning_headers(warnings: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """RFC 7234 ``299 - "text"``, each once."""
    out = []
    for text in dict.fromkeys(warnings):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
        out.append((b"warning", f'299 - "{quoted}"'.encode()))
    return out


async def send_response(response: Response, extra: list[tuple[bytes, bytes]], send: Send, *, head: bool) -> None:
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(response.content)).encode()),
        (b"cache-control", b"no-cache, private"),
        *response.headers,
        *extra,
    ]
    await send({"type": "http.response.start", "status": response.code, "headers": headers})
    if head or len(response.content) <= SLICE_BYTES:
        await send({"type": "http.response.body", "body": b"" if head else response.body})
    else:
        await _send_slices(response.content, send)


async def _send_slices(content: bytes | Pieces, send: Send) -> None:
    """So that the client reads the beginning while the rest is encrypted, and no more is held than it reads."""
    try:
        for piece in _slices(content):
            await patiently(send({"type": "http.response.body", "body": piece, "more_body": True}))
    except Unread:
        return  # an answer left without end has its connection closed by the server
    await send({"type": "http.response.body", "body": b""})


def _slices(content: bytes | Pieces) -> Iterator[bytes | memoryview]:
    if isinstance(content, Pieces):
        yield from content.slices(SLICE_BYTES)
        return
    view = memoryview(content)
    for start in range(0, len(view), SLICE_BYTES):
        yield view[start : start + SLICE_BYTES]


async def send_stream(stream: Stream, extra: list[tuple[bytes, bytes]], receive: Receive, send: Send) -> None:
    """Ends with the stream, the client or the time, whichever is first."""
    headers = [(b"content-type", stream.content_type), (b"cache-control", b"no-cache, private"), *extra]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    try:
        gone = await pump_until(_pump(stream, send), receive, "http.disconnect", stream.seconds)
    except Unread:
        return  # an answer left without end has its connection closed by the server
    if not gone:
        await send({"type": "http.response.body", "body": b""})


async def pump_until(pump: Coroutine[Any, Any, None], receive: Receive, goodbye: str, seconds: float) -> bool:
    """Run ``pump`` until it ends, the client says ``goodbye`` (then True), or the time is over."""
    pumping = asyncio.create_task(pump)
    leaving = asyncio.create_task(_gone(receive, goodbye))
    try:
        await asyncio.wait((pumping, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        gone = leaving.done()
    finally:
        for task in (leaving, pumping):
            task.cancel()
        for task in (leaving, pumping):
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await task
    return gone


async def _pump(stream: Stream, send: Send) -> None:
    async with contextlib.aclosing(stream.chunks) as chunks:
        async for chunk in chunks:
            await patiently(send({"type": "http.response.body", "body": chunk, "more_body": True}))


async def patiently(sending: Awaitable[None]) -> None:
    """Raises Unread when the client does not take what it is sent."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await sending
    except TimeoutError:
        raise Unread from None


async def _gone(receive: Receive, goodbye: str) -> None:
    while (await receive())["type"] != goodbye:
        pass
