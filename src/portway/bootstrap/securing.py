"""Plain HTTP is for this machine only: from anywhere else pages are redirected to TLS, and all else is refused."""

from __future__ import annotations

import json
from ipaddress import ip_address
from urllib.parse import quote

from portway.bootstrap.dispatching import App, Receive, Scope, Send

_MESSAGE = (
    "Client sent an HTTP request to an HTTPS server: tokens and passwords do not travel in the clear; use https://"
)
_PAGES = ("GET", "HEAD")


class SecureOnly:
    """Wraps the root app. ``machine_paths``: first parts of the paths that programs ask for, with credentials."""

    def __init__(self, app: App, machine_paths: frozenset[str]) -> None:
        self._app = app
        self._machine_paths = machine_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope.get("scheme") in ("https", "wss") or _is_local(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": _MESSAGE})
            return
        first = str(scope.get("path", "/")).lstrip("/").partition("/")[0]
        host = dict(scope["headers"]).get(b"host", b"")
        if scope["method"] in _PAGES and host and first not in self._machine_paths:
            query = b"?" + scope["query_string"] if scope["query_string"] else b""
            path = quote(str(scope["path"]), safe="/%:@!$&'()*+,;=~").encode()
            await _answer(send, 308, [(b"location", b"https://" + host + path + query)], b"")
            return
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": _MESSAGE,
            "reason": "BadRequest",
            "code": 400,
        }
        await _answer(send, 400, [(b"content-type", b"application/json")], json.dumps(status).encode())


async def _answer(send: Send, code: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    headers = [*headers, length, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_local(scope: Scope) -> bool:
    """From this machine: by loopback, or to an address from that same address."""
    client, server = scope.get("client"), scope.get("server")
    if not client:
        return False
    try:
        return ip_address(client[0]).is_loopback or bool(server and client[0] == server[0])
    except ValueError:
        return False
