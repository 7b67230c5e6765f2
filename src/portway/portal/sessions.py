"""Sessions of the portal: the browser has a random name of one, and only the server knows the API token behind it."""

from __future__ import annotations

import secrets
from typing import Protocol


class Sessions(Protocol):
    async def open(self, token: str, *, own: bool) -> str:
        """Its id, for the cookie. ``own``: the API token was made for this session and ends with it."""

    async def token(self, session: str) -> str | None:
        """The API token behind it; None when there is no such session, or it is over."""

    async def end(self, session: str) -> None: ...


class MemorySessions:
    """Of this process alone, until it ends."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    async def open(self, token: str, *, own: bool) -> str:  # noqa: ARG002  nobody keeps API tokens here
        session = secrets.token_urlsafe(32)
        self._tokens[session] = token
        return session

    async def token(self, session: str) -> str | None:
        return self._tokens.get(session)

    async def end(self, session: str) -> None:
        self._tokens.pop(session, None)
