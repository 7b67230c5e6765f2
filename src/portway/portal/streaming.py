"""Server-sent events that end when the reader goes: a fragment per change of an object, or lines of a log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from portway.client.contract import Resource
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.portal.visits import Visit

_HEARTBEAT_SECONDS = 15.0
_RETRY_MILLISECONDS = 1500
_PAUSE_SECONDS = 0.5


class Event(NamedTuple):
    name: str
    data: str

    def encode(self) -> bytes:
        lines = self.data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return (f"event: {self.name}\n" + "".join(f"data: {line}\n" for line in lines) + "\n").encode()


class EventStream(Response):
    """Sends events until they end or the reader has gone; the iterator is closed in both cases."""

    def __init__(self, events: AsyncIterator[Event]) -> None:
        super().__init__(media_type="text/event-stream")
        self._events = events
        self.headers["Cache-Control"] = "no-store"
        self.headers["X-Accel-Buffering"] = "no"
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the ASGI signature
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        await send(_body(f"retry: {_RETRY_MILLISECONDS}\n\n".encode()))
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if sending.done() and not sending.cancelled() and sending.exception() is None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send) -> None:
        queue: asyncio.Queue[Event | None] = asyncio.Queue(64)

        async def pump() -> None:
            try:
                async for event in self._events:
                    await queue.put(event)
            except StatusError as error:
                await queue.put(Event("problem", error.message))
            await queue.put(None)

        async with asyncio.TaskGroup() as group:
            pumping = group.create_task(pump())
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), _HEARTBEAT_SECONDS)
                except TimeoutError:
                    await send(_body(b": still here\n\n"))
                    continue
                if event is None:
                    break
                await send(_body(event.encode()))
            pumping.cancel()


def _body(data: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": True}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def changes(
    visit: Visit,
    workspace: str,
    resource: Resource,
    namespace: str,
    name: str,
    *,
    render: Callable[[Manifest], Mapping[str, str]],
    finished: Callable[[Manifest], bool],
) -> AsyncIterator[Event]:
    """The object rendered (HTML by name of the event) whenever that changes, as the user.

    Ends with ``end`` once the object is finished or gone.
    """
    client = visit.client(workspace)
    shown: dict[str, str] = {}
    while True:
        try:
            live = await client.get(resource, name, namespace or None)
            since = str(live["metadata"].get("resourceVersion", ""))
            for event in _fresh(render(live), shown):
                yield event
            if finished(live):
                break
            async for seen in client.watch(resource, namespace or None, since=since, fields=f"metadata.name={name}"):
                if seen.type == "BOOKMARK":
                    continue
                if seen.type == "DELETED":
                    yield Event("end", "")
                    return
                for event in _fresh(render(seen.object), shown):
                    yield event
                if finished(seen.object):
                    yield Event("end", "")
                    return
        except StatusError as error:
            if error.code == 404:
                break
            if error.code != 410:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
    yield Event("end", "")


def _fresh(rendered: Mapping[str, str], shown: dict[str, str]) -> list[Event]:
    """Events for what differs from what the reader has, which is brought up to date."""
    fresh = [Event(name, html) for name, html in rendered.items() if shown.get(name) != html]
    shown.update(rendered)
    return fresh
