"""A light HTTP/1.1 client, so that the server is what is measured: bytes ready beforehand, no header parsed twice.

Several processes of it load one server; each keeps its connections open.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast


@dataclass(frozen=True)
class Target:
    """Where and as whom. ``authority`` empty means plain HTTP."""

    host: str
    port: int
    prefix: str = ""
    """Before every path, such as /clusters/root."""
    token: str = ""
    authority: str = ""
    """PEM."""
    certificate: str = ""
    """File with a client certificate and key, when the user has no token."""
    unverified: bool = False
    """TLS with whoever answers, as ``insecure-skip-tls-verify`` of a kubeconfig has it."""

    def as_user(self, token: str) -> Target:
        return replace(self, token=token, certificate="")

    @property
    def tls(self) -> ssl.SSLContext | None:
        return _context(self.authority, self.certificate) if self.authority or self.unverified else None

    def request(self, method: str, path: str, body: bytes = b"", media: str = "application/json") -> bytes:
        """One request, ready to be sent."""
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Accept: application/json"]
        lines.append("User-Agent: bench/1")
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        if body:
            lines += [f"Content-Type: {media}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def ask(self, method: str, path: str, body: Any = None, media: str = "application/json") -> Any:
        """One request on a connection of its own; AssertionError with the answer unless it succeeds."""
        data = json.dumps(body).encode() if body is not None else b""
        answer = asyncio.run(_once(self, self.request(method, path, data, media)))
        assert answer.code < 300, f"{method} {path}: {answer.code} {answer.body[:500]!r}"
        return json.loads(answer.body) if answer.body[:1] in (b"{", b"[") else answer.body


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    body: bytes


class Connection(asyncio.Protocol):
    """One request at a time. ``ask`` raises ConnectionError when the server closes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._head_end = -1
        self._length = -1
        self._chunked = False
        self.transport: asyncio.Transport

    @classmethod
    async def open(cls, target: Target) -> Connection:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(cls, target.host, target.port, ssl=target.tls)
        return made

    def ask(self, data: bytes) -> asyncio.Future[Answer]:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"closed by the server: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._head_end < 0 and not self._read_head():
            return
        if self._chunked:
            if self._buffer.endswith(b"0\r\n\r\n"):
                self._finish(_unchunked(bytes(self._buffer[self._head_end :])))
        elif len(self._buffer) - self._head_end >= self._length:
            self._finish(bytes(self._buffer[self._head_end :]))

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._head_end = end + 4
        head = bytes(self._buffer[:end]).lower()
        self._chunked = b"\r\ntransfer-encoding: chunked" in head
        at = head.find(b"\r\ncontent-length:")
        self._length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        return True

    def _finish(self, body: bytes) -> None:
        answer, code = self._answer, int(self._buffer[9:12])
        self._buffer.clear()
        self._head_end, self._answer = -1, None
        if answer is not None and not answer.done():
            answer.set_result(Answer(code, body))


def _unchunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size


async def _once(target: Target, data: bytes) -> Answer:
    connection = await Connection.open(target)
    try:
        async with asyncio.timeout(60):
            return await connection.ask(data)
    finally:
        connection.transport.abort()


@cache
def _context(authority: str, certificate: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority or None)
    if not authority:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate)
    return context
