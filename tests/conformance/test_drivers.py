"""What every driver must do, on the real things: PostgreSQL, processes, git repositories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from portway.drivers.contract import Driver, Health, Observation, Plan, Target
from portway.drivers.git.driver import GitDriver
from portway.drivers.git.places import Places
from portway.drivers.memory import MemoryDriver
from portway.drivers.postgres import servers
from portway.drivers.postgres.driver import PostgresDriver
from portway.drivers.process.client import AgentClient
from portway.drivers.process.driver import ProcessDriver

DEADLINE = 60.0


@dataclass
class Case:
    """A driver with real things behind it. ``spoil`` changes the thing behind the driver's back."""

    driver: Driver
    inputs: dict[str, Any]
    spoil: Callable[[Target, Observation], Awaitable[None]]
    secrets: dict[str, str] = field(default_factory=dict)

    def target(self, uid: str = "3f0d9e6c-1111-4222-8333-444455556666", name: str = "orders") -> Target:
        return Target(
            uid=uid,
            kind=self.driver.name,
            workspace="root:acme:payments",
            namespace="staging",
            name=name,
            inputs=self.inputs,
            secrets=self.secrets,
        )


@pytest.fixture(scope="module")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    server = servers.open_server(servers.Settings(tmp_path_factory.mktemp("postgres")))
    yield server
    asyncio.run(server.stop())


@pytest.fixture
async def postgres(postgres_server: servers.Server) -> AsyncIterator[Case]:
    driver = PostgresDriver(postgres_server)

    async def spoil(target: Target, observed: Observation) -> None:
        connection = await servers.connect(await postgres_server.start())
        await connection.execute(f'ALTER DATABASE "{observed.handle["database"]}" CONNECTION LIMIT 3')
        await connection.close()

    yield Case(driver, {"connection_limit": 20, "owner": "group:payments"}, spoil)
    await driver.close()


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("agent")
    yield home
    asyncio.run(AgentClient(home).stop(workloads=True))


@pytest.fixture
def process(agent: Path) -> Case:
    driver = ProcessDriver(AgentClient(agent))
    words = {"parts": ["exec sleep 1000 # ", {"secret": "token"}]}
    inputs = {"containers": {"main": {"command": ["/bin/sh", "-c", words]}}, "grace_seconds": 2}

    async def spoil(target: Target, observed: Observation) -> None:
        await driver.apply(replace(target, inputs={**inputs, "restarted_at": "now"}), Plan(()))
        await _settled(driver, target)

    return Case(driver, inputs, spoil, {"token": "hidden-value"})


@pytest.fixture
def git(tmp_path: Path) -> Case:
    places = Places(tmp_path / "git", "http://127.0.0.1:8700")

    async def spoil(target: Target, observed: Observation) -> None:
        (Path(observed.outputs["path"]) / "description").write_text("something else")

    return Case(GitDriver(places), {"description": "Orders of customers"}, spoil)


@pytest.fixture
def memory() -> Case:
    driver = MemoryDriver()

    async def spoil(target: Target, observed: Observation) -> None:
        driver.things[target.uid].inputs["size"] = 99

    return Case(driver, {"size": 2}, spoil)


@pytest.fixture(params=["postgres", "process", "git", "memory"])
async def case(
    request: pytest.FixtureRequest, postgres: Case, process: Case, git: Case, memory: Case
) -> AsyncIterator[Case]:
    made: Case = {"postgres": postgres, "process": process, "git": git, "memory": memory}[request.param]
    yield made
    await _destroyed(made.driver, made.target())


async def _destroyed(driver: Driver, target: Target) -> None:
    async with asyncio.timeout(DEADLINE):
        await driver.destroy(target)
        while (await driver.observe(target)).exists:
            await asyncio.sleep(0.05)
            await driver.destroy(target)


async def _settled(driver: Driver, target: Target) -> Observation:
    """Observed until healthy, as the orchestrator does."""
    async with asyncio.timeout(DEADLINE):
        while True:
            observed = await driver.observe(target)
            if observed.health is Health.HEALTHY:
                return observed
            await asyncio.sleep(0.05)


async def _applied(driver: Driver, target: Target) -> Observation:
    plan = await driver.plan(target, await driver.observe(target))
    await driver.apply(target, plan)
    return await _settled(driver, target)


async def test_the_schema_is_valid_and_accepts_the_inputs(case: Case) -> None:
    schema = dict(case.driver.schema())
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validate(schema, case.inputs)


async def test_nothing_exists_before_apply_and_the_plan_says_what_will_be_made(case: Case) -> None:
    observed = await case.driver.observe(case.target())
    assert not observed.exists
    plan = await case.driver.plan(case.target(), observed)
    assert not plan.is_empty
    assert all(step.what for step in plan.steps)


async def test_apply_makes_it_and_then_the_plan_is_empty(case: Case) -> None:
    observed = await _applied(case.driver, case.target())
    assert observed.exists
    assert observed.outputs
    again = replace(case.target(), known=observed.handle)
    assert (await case.driver.plan(again, await case.driver.observe(again))).is_empty
    assert dict((await case.driver.observe(again)).drift) == {}


async def test_applying_again_finds_the_same_thing(case: Case) -> None:
    first = await _applied(case.driver, case.target())
    second = await _applied(case.driver, replace(case.target(), known=first.handle))
    assert second.outputs == first.outputs
    assert second.handle == first.handle


@pytest.mark.parametrize("awaits", [0, 1, 2, 4, 8, 16])
async def test_an_apply_cut_anywhere_is_finished_by_the_next_one(case: Case, awaits: int) -> None:
    target = case.target()
    plan = await case.driver.plan(target, await case.driver.observe(target))
    cut = asyncio.create_task(_apply(case.driver, target, plan))
    for _ in range(awaits):
        await asyncio.sleep(0.002)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    observed = await _applied(case.driver, target)
    assert (await case.driver.plan(target, observed)).is_empty


async def _apply(driver: Driver, target: Target, plan: Plan) -> None:
    await driver.apply(target, plan)


async def test_a_change_behind_its_back_is_seen_and_repaired(case: Case) -> None:
    target = case.target()
    before = await _applied(case.driver, target)
    await case.spoil(target, before)
    spoiled = await case.driver.observe(target)
    assert spoiled.drift
    plan = await case.driver.plan(target, spoiled)
    assert not plan.is_empty
    await case.driver.apply(target, plan)
    after = await _settled(case.driver, target)
    assert dict(after.drift) == {}
    assert (await case.driver.plan(target, after)).is_empty


async def test_destroy_is_proved_by_absence_and_may_be_repeated(case: Case) -> None:
    target = case.target()
    await _applied(case.driver, target)
    await _destroyed(case.driver, target)
    await case.driver.destroy(target)
    assert not (await case.driver.observe(target)).exists


async def test_destroying_what_never_was_is_success(case: Case) -> None:
    await case.driver.destroy(case.target(uid="never-made"))
    assert not (await case.driver.observe(case.target(uid="never-made"))).exists


async def test_two_things_with_the_same_name_stay_apart(case: Case) -> None:
    one, other = case.target(uid="uid-one"), case.target(uid="uid-other")
    first, second = await asyncio.gather(_applied(case.driver, one), _applied(case.driver, other))
    assert first.handle != second.handle
    await _destroyed(case.driver, one)
    assert (await case.driver.observe(other)).exists
    await _destroyed(case.driver, other)


async def test_secrets_are_in_nothing_public(case: Case) -> None:
    target = case.target()
    applied = await case.driver.apply(target, await case.driver.plan(target, await case.driver.observe(target)))
    observed = await _settled(case.driver, target)
    hidden = {value for key, value in applied.secrets.items() if key in {"password", "uri", "token"}}
    hidden |= set(target.secrets.values())
    public = repr((observed, applied.observation, await case.driver.plan(target, observed)))
    assert [value for value in hidden if value in public] == []
