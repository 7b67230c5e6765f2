"""A limit on bodies of requests to pages and log-ins, which anybody may send; API and git have limits of their own."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from portway.bootstrap.dispatching import App, Receive, Scope, Send

MOST_BYTES = 4 * 1024 * 1024
"""A form of the portal may carry a whole configuration file."""


class LimitedBodies:
    """Around a Starlette app: a body longer than ``most`` bytes is answered with 413, and not read to its end."""

    def __init__(self, app: App, most: int = MOST_BYTES) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def limited() -> MutableMapping[str, Any]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._most:
                raise HTTPException(413, f"The request is longer than {self._most} bytes.")
            return message

        await self._app(scope, limited, send)
