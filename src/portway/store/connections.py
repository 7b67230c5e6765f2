"""Connections to PostgreSQL that are made when needed, again after they were lost, and speak of trouble plainly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg

from portway.store.contract import Unavailable

CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 30.0
"""A server that does not answer for so long counts as lost."""

_SETTINGS = {
    "application_name": "portway",
    "search_path": "portway",
    "jit": "off",
    # A process that hangs in its commit, or whose machine vanished, must not keep the counter locked for others.
    "idle_in_transaction_session_timeout": "15000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that the server ended while it was idle
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
"""After these the connection is given up."""

_ADVICE: tuple[tuple[type[BaseException], str], ...] = (
    (asyncpg.InvalidPasswordError, "user or password are wrong: correct PORTWAY_STORE_URL"),
    (asyncpg.InvalidAuthorizationSpecificationError, "the user is not admitted: correct PORTWAY_STORE_URL"),
    (asyncpg.InvalidCatalogNameError, "the database does not exist: create it, or correct PORTWAY_STORE_URL"),
    (asyncpg.InsufficientPrivilegeError, "the user lacks a right: let it create a schema in the database"),
    (asyncpg.DiskFullError, "the server's disk is full: free space there and try again"),
    (
        asyncpg.TooManyConnectionsError,
        "it takes no more connections: Portway needs five a process",
    ),
    (asyncpg.ReadOnlySQLTransactionError, "it is read-only: give the address of the primary server"),
    (asyncpg.CannotConnectNowError, "it is starting or stopping: try again in a moment"),
    (TimeoutError, "it does not answer: check the server and the network"),
    (OSError, "it cannot be reached: check that it runs, and PORTWAY_STORE_URL"),
    (asyncpg.InternalClientError, "the connection was lost: try again in a moment"),
    (asyncpg.InterfaceError, "the connection was lost: try again in a moment"),
    (asyncpg.PostgresConnectionError, "the connection was lost: try again in a moment"),
    (asyncpg.OperatorInterventionError, "the server ended the connection: try again in a moment"),
)


class Line:
    """One connection, used by one caller at a time."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[asyncpg.Connection]:
        """Nothing else runs on it meanwhile. Raises Unavailable; a connection that failed inside is given up."""
        async with self._turn:
            with translated(self._dsn):
                connection = self._connection
                if connection is None or connection.is_closed():
                    connection = self._connection = await connect(self._dsn)
                try:
                    yield connection
                except BaseException as error:
                    if isinstance(error, LOST) or not isinstance(error, Exception):
                        self.drop()
                    raise

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of a statement that may be asked twice: it is, when the connection turns out to be gone."""
        try:
            async with self.use() as connection:
                return list(await connection.fetch(statement, *arguments))
        except Unavailable as error:
            if not isinstance(error.__cause__, LOST) or isinstance(error.__cause__, TimeoutError):
                raise
        async with self.use() as connection:
            return list(await connection.fetch(statement, *arguments))

    def drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(*LOST):
                    await connection.close(timeout=2)


async def connect(dsn: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(
        dsn, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS, server_settings=_SETTINGS
    )
    try:
        if await connection.fetchval("SHOW synchronous_commit") == "off":
            await connection.execute("SET synchronous_commit = on")
    except BaseException:
        connection.terminate()
        raise
    return connection


@contextlib.contextmanager
def translated(dsn: str) -> Iterator[None]:
    """The driver's errors as Unavailable with what to do about it."""
    try:
        yield
    except (asyncpg.PostgresError, *LOST) as error:
        advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), str(error))
        raise Unavailable(f"PostgreSQL at {place(dsn)}: {advice}") from error


def place(dsn: str) -> str:
    """Host, port and database: what may be shown of an address."""
    parts = urlsplit(dsn)
    return f"{parts.hostname or 'the default host'}:{parts.port or 5432}{parts.path}"
