"""What the REST client needs of a wire: one call with a whole answer, one call with a streamed answer.

Implementations: ``client.http`` (sockets) and ``client.inprocess`` (the ASGI application called directly). They
know nothing of Kubernetes. When no answer comes they raise StatusError 503.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    """Quoted, beginning with ``/``."""
    query: str = ""
    """Encoded, without ``?``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    silence_seconds: float | None = None
    """How long a streamed answer may say nothing before it counts as broken; None = for ever."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class Transport(Protocol):
    async def send(self, call: Call) -> Answer: ...

    def stream(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        """Leaving the context tells the server that nobody listens any more."""

    async def close(self) -> None: ...
