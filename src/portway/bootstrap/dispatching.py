"""Which part answers which path of the one port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API_PREFIXES = frozenset(
    (
        ".well-known",
        "api",
        "apis",
        "clusters",
        "healthz",
        "livez",
        "metrics",
        "openapi",
        "openid",
        "readyz",
        "services",
        "version",
    )
)

SIDE_PREFIXES = frozenset(("logs", "session"))


class Dispatcher:
    """The root ASGI app."""

    def __init__(self, api: App, git: App, side: App, portal: App) -> None:
        self._api = api
        self._git = git
        self._side = side
        self._portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = str(scope.get("path", "/")).lstrip("/").partition("/")[0]
        if first in API_PREFIXES:
            await self._api(scope, receive, send)
        elif first == "git":
            await self._git(scope, receive, send)
        elif first in SIDE_PREFIXES:
            await self._side(scope, receive, send)
        else:
            await self._portal(scope, receive, send)
