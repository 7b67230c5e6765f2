"""One port for browsers (plain HTTP) and Kubernetes clients (TLS): the first byte tells which it is.

A TLS record of a handshake begins with 0x16, which no HTTP method does. The byte is only peeked at; the socket then
goes to uvicorn's HTTP protocol, with or without TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from portway.bootstrap import certificates
from portway.bootstrap.errors import StartError
from portway.bootstrap.protocols import Protocol

_TLS_HANDSHAKE = 0x16
_FIRST_BYTE_SECONDS = 30.0
_IDLE_SECONDS = 180
"""Longer than clients keep a connection for later (5 s to 90 s), so that none is closed under a request on its way."""

_BACKLOG = 2048
UNREAD_SECONDS = 20
"""How long what was sent may stay unread before the connection is dropped, by the kernel: watches nobody reads."""

log = logging.getLogger(__name__)


def bind(host: str, port: int) -> socket.socket:
    """The listening socket. Raises StartError when the port cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"Port {port} on {host} is taken by another program. "
                f"Stop it, or choose another port: PORTWAY_PORT={port + 1}."
            ) from None
        raise StartError(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another PORTWAY_PORT.") from None
    listener.setblocking(False)
    return listener


class Server:
    """Serves an ASGI app on a bound socket until stopped."""

    def __init__(self, app: Any, listener: socket.socket, context: ssl.SSLContext) -> None:
        self._config = Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=_IDLE_SECONDS,
            h11_max_incomplete_event_size=64 * 1024,
        )
        self._config.load()
        self._made: Any = _introducing(Protocol)
        self._listener = listener
        self._context = context
        self._state = ServerState()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Accept until cancelled, then let requests under way finish for a moment."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as connections:
                while True:
                    try:
                        accepted, _ = await loop.sock_accept(self._listener)
                    except OSError as error:  # out of descriptors: others must go first
                        log.warning("accepting failed", extra={"error": str(error)})
                        await asyncio.sleep(0.1)
                        continue
                    connections.create_task(self._welcome(accepted))
        finally:
            self._listener.close()
            await self._close_connections()

    async def _welcome(self, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
        try:
            async with asyncio.timeout(_FIRST_BYTE_SECONDS):
                first = await _peek(accepted)
            if not first:
                accepted.close()
                return
            context = self._context if first[0] == _TLS_HANDSHAKE else None
            await loop.connect_accepted_socket(self._protocol, accepted, ssl=context)
        except (OSError, TimeoutError):  # the other side went away or is no TLS client: its own loss
            accepted.close()
        except asyncio.CancelledError:
            accepted.close()
            raise

    def _protocol(self) -> asyncio.Protocol:
        made = self._made(config=self._config, server_state=self._state, app_state={})
        assert isinstance(made, asyncio.Protocol)  # noqa: S101  narrows uvicorn's union type
        return made

    async def _close_connections(self) -> None:
        for connection in list(self._state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while self._state.connections or self._state.tasks:  # noqa: ASYNC110  uvicorn tells nobody
                    await asyncio.sleep(0.02)
        for task in list(self._state.tasks):
            task.cancel()


def _introducing(protocol: Any) -> Any:
    """uvicorn's protocol, whose ``scope["state"]["peer"]`` is whom the client's certificate names."""

    class Introducing(protocol):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            peer = certificates.peer_of(transport.get_extra_info("ssl_object"))
            if peer is not None:
                self.app_state["peer"] = peer
            super().connection_made(transport)

    return Introducing


async def _peek(accepted: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(accepted, lambda: None if readable.done() else readable.set_result(None))
    try:
        await readable
    finally:
        loop.remove_reader(accepted)
    return accepted.recv(1, socket.MSG_PEEK)
