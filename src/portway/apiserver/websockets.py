"""A watch over WebSocket: one text frame per event, for clients in browsers.

They cannot set headers, so a token may come as a sub-protocol, as kube-apiserver reads it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Sequence

from portway.apiserver.requests import Receive, Scope, Send
from portway.apiserver.responses import Response, Stream, Unread, patiently, pump_until, warning_headers

BEARER = "base64url.bearer.authorization.k8s.io."
_TOO_BAD = 1008


def as_http(scope: Scope) -> Scope:
    """The scope of the GET that the handshake is, with the Authorization header it stands for."""
    headers = list(scope["headers"])
    for protocol in scope.get("subprotocols") or ():
        if protocol.startswith(BEARER):
            text = protocol.removeprefix(BEARER)
            try:
                token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except (binascii.Error, ValueError):
                continue
            headers.append((b"authorization", b"Bearer " + token))
    return {**scope, "type": "http", "method": "GET", "headers": headers}


async def send(
    scope: Scope, answer: Response | Stream, warnings: Sequence[str], receive: Receive, send_message: Send
) -> None:
    """Accept and stream a watch; refuse anything else with the answer's code."""
    await receive()  # websocket.connect
    if isinstance(answer, Response):
        await _refuse(scope, answer, send_message)
        return
    offered = [p for p in scope.get("subprotocols") or () if not p.startswith(BEARER)]
    headers = warning_headers(warnings)
    protocol = offered[0] if offered else None
    await send_message({"type": "websocket.accept", "subprotocol": protocol, "headers": headers})
    try:
        gone = await pump_until(_frames(answer, send_message), receive, "websocket.disconnect", answer.seconds)
    except Unread:
        return
    if not gone:
        await send_message({"type": "websocket.close", "code": 1000})


async def _frames(stream: Stream, send_message: Send) -> None:
    async with contextlib.aclosing(stream.chunks) as chunks:
        async for chunk in chunks:
            for line in chunk.splitlines():
                await patiently(send_message({"type": "websocket.send", "text": line.decode()}))


async def _refuse(scope: Scope, answer: Response, send_message: Send) -> None:
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send_message({"type": "websocket.close", "code": _TOO_BAD})
        return
    headers = [(b"content-type", answer.content_type), *answer.headers]
    await send_message({"type": "websocket.http.response.start", "status": answer.code, "headers": headers})
    await send_message({"type": "websocket.http.response.body", "body": answer.body})
