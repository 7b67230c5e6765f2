"""PostgreSQL for tests: one server a test session, a fresh database a test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from typing import Any

import asyncpg
import pytest

from portway.drivers.postgres import servers
from portway.drivers.postgres.endpoints import Endpoint

_numbers = itertools.count()


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A real server, started when the first test asks for it."""
    server = servers.EmbeddedServer(servers.Settings(tmp_path_factory.mktemp("postgres")))
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


@pytest.fixture
def database(database_server: Endpoint) -> Iterator[str]:
    """The address of an empty database."""
    yield from _fresh(database_server)


@pytest.fixture
def other_database(database_server: Endpoint) -> Iterator[str]:
    """Of a second one."""
    yield from _fresh(database_server)


def _fresh(server: Endpoint) -> Iterator[str]:
    name = f"store_{next(_numbers)}"
    in_own_loop(execute(server.dsn, f"CREATE DATABASE {name}"))
    yield f"{server.dsn.rpartition('/')[0]}/{name}"
    in_own_loop(execute(server.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


def in_own_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Of fixtures that are not asynchronous, while the test's loop may exist already."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
