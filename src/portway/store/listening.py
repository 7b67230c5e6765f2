"""Hearing of other processes' commits: PostgreSQL's NOTIFY on a connection of its own, made again when lost.

The connection also holds the lock that tells a restore that a control plane runs.
"""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg

from portway.store import connections, postgres_schemas
from portway.store.contract import Unavailable

_AGAIN_SECONDS = 1.0
_ALIVE_SECONDS = 10.0
"""Between two questions whether the connection still lives; what is lost meanwhile the poll finds."""


class Listener:
    """``instance`` names this process's own commits, which are no news."""

    def __init__(self, dsn: str, instance: str) -> None:
        self._dsn = dsn
        self._instance = instance
        self._news = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises Unavailable."""
        with connections.translated(self._dsn):
            await self._connect()
        self._task = asyncio.get_running_loop().create_task(self._stay(), name="store notifications")

    async def changed(self, seconds: float) -> None:
        """Until there is news, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._connection is not None:
            with contextlib.suppress(*connections.LOST):
                await self._connection.close(timeout=2)
            self._connection = None

    async def _connect(self) -> None:
        connection = await connections.connect(self._dsn)
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock_shared($1)", postgres_schemas.RUNNING_LOCK):
                raise Unavailable(
                    f"PostgreSQL at {connections.place(self._dsn)} is being restored: start again when that is done"
                )
            await connection.add_listener(postgres_schemas.CHANNEL, self._hear)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
        self._news.set()

    async def _stay(self) -> None:
        while True:
            await asyncio.sleep(_ALIVE_SECONDS if self._lives() else _AGAIN_SECONDS)
            try:
                if not self._lives():
                    await self._connect()
                elif self._connection is not None:
                    await self._connection.fetchval("SELECT 1", timeout=5)
            except (*connections.LOST, asyncpg.PostgresError, Unavailable):
                if self._connection is not None:
                    self._connection.terminate()

    def _lives(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    def _hear(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        if str(payload).partition(" ")[2] != self._instance:
            self._news.set()
