"""The postgres driver and its server, on a real server."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from portway.drivers.contract import Health, Plan, Refused, Target
from portway.drivers.postgres import endpoints, scram, servers
from portway.drivers.postgres.driver import PostgresDriver

TARGET = Target("uid-1", "postgres", "root:acme:payments", "staging", "orders-db", {})
NOTHING = Plan(())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.EmbeddedServer]:
    made = servers.EmbeddedServer(servers.Settings(tmp_path_factory.mktemp("postgres")))
    yield made
    asyncio.run(made.stop())


@pytest.fixture
async def driver(server: servers.EmbeddedServer) -> AsyncIterator[PostgresDriver]:
    made = PostgresDriver(server)
    yield made
    await made.destroy(TARGET)
    await made.close()


async def test_the_binding_opens_its_own_database_and_no_other(driver: PostgresDriver) -> None:
    other = replace(TARGET, uid="uid-2")
    mine, theirs = await driver.apply(TARGET, NOTHING), await driver.apply(other, NOTHING)
    connection = await asyncpg.connect(mine.secrets["uri"])
    await connection.execute("CREATE TABLE orders (id int)")
    assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    await connection.close()
    for database in (theirs.secrets["database"], "postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(mine.secrets["uri"], database=database)
    await driver.destroy(other)


async def test_the_binding_has_the_keys_of_the_servicebinding_specification(driver: PostgresDriver) -> None:
    secrets = (await driver.apply(TARGET, NOTHING)).secrets
    assert sorted(secrets) == ["database", "host", "password", "port", "provider", "type", "uri", "username"]
    assert secrets["type"] == "postgresql"


async def test_the_password_of_the_secret_survives_and_a_lost_one_is_replaced(driver: PostgresDriver) -> None:
    first = (await driver.apply(TARGET, NOTHING)).secrets["password"]
    kept = (await driver.apply(replace(TARGET, secrets={"password": first}), NOTHING)).secrets["password"]
    assert kept == first
    renewed = (await driver.apply(TARGET, NOTHING)).secrets
    assert renewed["password"] != first
    observed = await driver.observe(replace(TARGET, secrets={"password": first}))
    assert observed.drift["password"] == ("as in the Secret", "another")
    await (await asyncpg.connect(renewed["uri"])).close()


async def test_a_database_in_use_is_destroyed_and_its_sessions_end(driver: PostgresDriver) -> None:
    connection = await asyncpg.connect((await driver.apply(TARGET, NOTHING)).secrets["uri"])
    await driver.destroy(TARGET)
    assert not (await driver.observe(TARGET)).exists
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.execute("SELECT 1")


@pytest.mark.parametrize(
    ("inputs", "reason", "message"),
    [
        ({"version": "12"}, "VersionNotOffered", "PostgreSQL 12 was asked for"),
        ({"extensions": ["no_such_thing"]}, "ExtensionNotOffered", "no extension no_such_thing"),
        ({"size": "big"}, "InvalidInputs", "unknown input 'size'"),
        ({"connection_limit": "many"}, "InvalidInputs", "must be a number"),
    ],
)
async def test_impossible_inputs_are_refused_and_nothing_is_made(
    driver: PostgresDriver, inputs: dict[str, object], reason: str, message: str
) -> None:
    with pytest.raises(Refused, match=message) as refusal:
        await driver.apply(replace(TARGET, inputs=inputs), NOTHING)
    assert refusal.value.reason == reason
    assert not (await driver.observe(TARGET)).exists


async def test_a_database_left_closed_by_a_crash_is_seen_and_completed(
    driver: PostgresDriver, server: servers.EmbeddedServer
) -> None:
    name = str((await driver.apply(TARGET, NOTHING)).observation.handle["database"])
    connection = await servers.connect(await server.start())
    await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await connection.close()
    half = await driver.observe(TARGET)
    assert (half.health, half.message) == (Health.PROGRESSING, f"database {name} is not open yet")
    assert (await driver.apply(TARGET, NOTHING)).observation.health is Health.HEALTHY


async def test_extensions_are_created(driver: PostgresDriver) -> None:
    wanted = replace(TARGET, inputs={"extensions": ["vector"], "version": 18})
    secrets = (await driver.apply(wanted, NOTHING)).secrets
    connection = await asyncpg.connect(secrets["uri"])
    assert await connection.fetchval("SELECT '[1,2]'::vector <-> '[1,2]'::vector") == 0
    await connection.execute("DROP TABLE IF EXISTS none")
    await connection.close()
    assert dict((await driver.observe(wanted)).drift) == {}


async def test_a_claim_costs_hardly_more_than_the_two_statements(
    driver: PostgresDriver, server: servers.EmbeddedServer
) -> None:
    connection = await servers.connect(await server.start())
    await driver.observe(TARGET)
    raw, ours = [], []
    for _ in range(5):
        begun = time.perf_counter()
        await connection.execute("CREATE ROLE raw LOGIN PASSWORD 'raw'")
        await connection.execute("CREATE DATABASE raw")
        raw.append(time.perf_counter() - begun)
        await connection.execute("DROP DATABASE raw")
        await connection.execute("DROP ROLE raw")
        begun = time.perf_counter()
        await driver.apply(TARGET, NOTHING)
        ours.append(time.perf_counter() - begun)
        await driver.destroy(TARGET)
    await connection.close()
    assert min(ours) <= 1.5 * min(raw) + 0.05


async def test_a_killed_server_is_started_again_and_has_everything(
    driver: PostgresDriver, server: servers.EmbeddedServer
) -> None:
    before = await driver.apply(TARGET, NOTHING)
    pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    endpoint = await server.start()
    assert endpoint.port == int(before.secrets["port"])
    observed = await driver.observe(TARGET)
    assert observed.exists
    await (await asyncpg.connect(before.secrets["uri"])).close()


async def test_an_administrator_of_a_configured_server_need_not_be_superuser(server: servers.EmbeddedServer) -> None:
    endpoint = await server.start()
    connection = await servers.connect(endpoint)
    await connection.execute("CREATE ROLE operator LOGIN CREATEDB CREATEROLE PASSWORD 'op'")
    await connection.execute("GRANT CONNECT ON DATABASE postgres TO operator")
    configured = servers.open_server(servers.Settings(server.folder, dsn=endpoint.uri("operator", "op", "postgres")))
    driver, target = PostgresDriver(configured), replace(TARGET, uid="uid-3", inputs={"connection_limit": 5})
    made = await driver.apply(target, NOTHING)
    again = await driver.apply(replace(target, secrets={"password": made.secrets["password"]}), NOTHING)
    assert (again.secrets, dict(again.observation.drift)) == (made.secrets, {})
    inside = await asyncpg.connect(made.secrets["uri"])
    await inside.execute("CREATE TABLE orders (id int)")
    await driver.destroy(target)
    assert not (await driver.observe(target)).exists
    inside.terminate()
    await driver.close()
    await connection.execute("REVOKE CONNECT ON DATABASE postgres FROM operator; DROP ROLE operator")
    await connection.close()


async def test_many_databases_are_made_at_once(driver: PostgresDriver) -> None:
    targets = [replace(TARGET, uid=f"many-{number}") for number in range(12)]
    made = await asyncio.gather(*(driver.apply(target, NOTHING) for target in targets))
    assert {one.observation.health for one in made} == {Health.HEALTHY}
    await asyncio.gather(*(driver.destroy(target) for target in targets))


async def test_start_adopts_the_running_server(server: servers.EmbeddedServer) -> None:
    first = await server.start()
    pid = (server.folder / "data" / "postmaster.pid").read_text()
    again = servers.EmbeddedServer(servers.Settings(server.folder))
    assert list(await asyncio.gather(again.start(), server.start())) == [first, first]
    assert (server.folder / "data" / "postmaster.pid").read_text() == pid
    assert stat.S_IMODE((server.folder / "password").stat().st_mode) == 0o600


async def test_a_lock_file_that_names_a_stranger_does_not_hinder_the_start(tmp_path: Path) -> None:
    server = servers.EmbeddedServer(servers.Settings(tmp_path))
    await server.start()
    lock = (tmp_path / "data" / "postmaster.pid").read_text().split("\n", 1)
    await server.stop()
    (tmp_path / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{lock[1]}")
    try:
        assert (await server.start()).port > 0
    finally:
        await server.stop()


async def test_a_half_made_data_folder_is_made_anew_and_a_taken_port_is_avoided(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "junk").touch()
    listener = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    taken = listener.sockets[0].getsockname()[1]
    (tmp_path / "port").write_text(str(taken))
    server = servers.EmbeddedServer(servers.Settings(tmp_path))
    try:
        assert (await server.start()).port != taken
    finally:
        await server.stop()
        listener.close()


async def test_programs_that_are_not_there_are_named(tmp_path: Path) -> None:
    server = servers.EmbeddedServer(servers.Settings(tmp_path, binaries=tmp_path / "nowhere"))
    with pytest.raises(Refused, match="nowhere has no working PostgreSQL programs"):
        await server.start()


def test_a_verifier_matches_its_password_only() -> None:
    made = scram.verifier("correct horse")
    assert scram.matches("correct horse", made)
    assert not scram.matches("battery staple", made)
    assert not scram.matches("correct horse", "md5abcdef")


def test_a_dsn_is_read_and_its_password_not_shown() -> None:
    endpoint = endpoints.parse_dsn("postgres://ad%40min:p%2Fw@db.example:6432/main?sslmode=require")
    assert (endpoint.host, endpoint.port, endpoint.username, endpoint.database) == (
        "db.example",
        6432,
        "ad@min",
        "main",
    )
    assert endpoint.password == "p/w"
    assert "p/w" not in repr(endpoint)
    assert endpoint.dsn == "postgresql://ad%40min:p%2Fw@db.example:6432/main?sslmode=require"


@pytest.mark.parametrize("dsn", ["mysql://a@b/c", "postgresql://host/db", "postgresql://u@h:port/d"])
def test_a_bad_dsn_is_refused(dsn: str) -> None:
    with pytest.raises(Refused):
        endpoints.parse_dsn(dsn)
