"""The API server's ASGI application called directly: no sockets, no serialization of HTTP.

A streamed answer runs as a task owned by its context; when the context is left the application hears
``http.disconnect``, has a moment to end, and is cancelled then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from portway.client.transport import Answer, Call, Stream
from portway.krm import errors

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

HOST = "portway.internal"
_AHEAD = 256
"""Chunks a slow reader may be behind before the application waits for it."""
_FAREWELL_SECONDS = 1.0


class InProcessTransport:
    """Implements ``client.transport.Transport``."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def send(self, call: Call) -> Answer:
        exchange = _Exchange(call, ahead=sys.maxsize)
        await self._serve(call, exchange)
        exchange.check()
        return Answer(exchange.status, exchange.headers, b"".join(exchange.ready))

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[Stream]:
        exchange = _Exchange(call, ahead=_AHEAD)
        serving = asyncio.create_task(self._serve(call, exchange), name=f"in-process {call.path}")
        try:
            await exchange.started.wait()
            exchange.check()
            yield Stream(exchange.status, exchange.headers, exchange.chunks())
        finally:
            exchange.leave()
            await _end(serving)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _serve(self, call: Call, exchange: _Exchange) -> None:
        try:
            await self._app(_scope(call), exchange.receive, exchange.send)
            exchange.complete = True
        except Exception:
            _log.exception("request failed", extra={"method": call.method, "path": call.path})
        finally:
            exchange.finish()


class _Exchange:
    """One request and its answer, as the application sees them."""

    def __init__(self, call: Call, *, ahead: int) -> None:
        self._call = call
        self._ahead = ahead
        self._asked = False
        self.ready: deque[bytes] = deque()
        self._moved = asyncio.Event()
        self._left = asyncio.Event()
        self._over = False
        self.complete = False
        """The application ended without an error."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.started = asyncio.Event()
        """Status and headers are here, or never will be."""

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._call.body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode().lower(): v.decode("latin-1") for k, v in message.get("headers", ())}
            self.started.set()
        elif chunk := message.get("body", b""):
            while len(self.ready) >= self._ahead and not self._left.is_set():
                await self._move()
            self.ready.append(chunk)
            self._moved.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        while self.ready or not self._over:
            while self.ready:
                yield self.ready.popleft()
                self._moved.set()
            if not self._over:
                await self._move()
        self.check()

    def check(self) -> None:
        if self.status and (self.complete or not self._over):
            return
        raise errors.unavailable(f"the API server broke off its answer to {self._call.method} {self._call.path}")

    def leave(self) -> None:
        """Nobody reads any more."""
        self._left.set()
        self._moved.set()

    def finish(self) -> None:
        self._over = True
        self.started.set()
        self._moved.set()

    async def _move(self) -> None:
        self._moved.clear()
        await self._moved.wait()


def _scope(call: Call) -> dict[str, Any]:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in call.headers.items()]
    headers.append((b"host", HOST.encode()))
    if call.body:
        headers.append((b"content-length", str(len(call.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "https",
        "path": unquote(call.path),
        "raw_path": call.path.encode(),
        "query_string": call.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": (HOST, 443),
        "state": {},
    }


async def _end(serving: asyncio.Task[None]) -> None:
    try:
        await asyncio.wait((serving,), timeout=_FAREWELL_SECONDS)
    finally:
        serving.cancel()
    await asyncio.wait((serving,))
