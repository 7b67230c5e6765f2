"""A push becomes a run: steps as jobs, then the Workload; failures keep their words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.behaviour.controllers import worlds
from tests.behaviour.controllers.worlds import TEAM, World

from portway.apis.resources import PIPELINE_RUNS, WORKLOADS
from portway.controllers.pipelineruns.pushes import Push
from portway.krm.identity import Manifest

SHA, OTHER = "a" * 40, "b" * 40
SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: orders}
service: {ports: {http: {port: 8080}}}
containers: {main: {image: .}}
"""
PIPELINE = """\
steps:
- name: Test
  run: pytest
deploy: {environment: staging}
"""


def commit(world: World, revision: str = SHA, pipeline: str = PIPELINE, score: str = SCORE) -> None:
    world.repositories.add(TEAM, "orders", revision, {".portway/pipeline.yaml": pipeline, "score.yaml": score})


async def push(world: World, revision: str = SHA, branch: str = "main") -> Any:
    return await world.pushes.received(Push(TEAM, "orders", branch, revision))


async def over(world: World, name: str, phase: str) -> Manifest:
    return await world.until(
        f"{name} is {phase}", PIPELINE_RUNS, name, "default", lambda r: r.get("status", {}).get("phase") == phase
    )


async def test_a_push_is_tested_deployed_and_waited_for(world: World) -> None:
    commit(world)

    name = await push(world)
    await push(world)

    run = await over(world, name, "Succeeded")
    workload = await world.ready(WORKLOADS, "orders", "staging")
    assert name == "orders-aaaaaaaaaaaa"
    assert len((await world.client.at(TEAM).list(PIPELINE_RUNS)).items) == 1
    steps = [(s["id"], s["name"], s["phase"], s["log"], s["message"]) for s in run["status"]["steps"]]
    assert steps == [
        ("step-0", "Test", "Succeeded", ["+ pytest"], ""),
        ("deploy", "Deploy to staging", "Succeeded", [], "runs at http://127.0.0.1:8080"),
    ]
    assert run["status"]["workload"] == "staging/orders"
    assert workload["spec"]["source"] == {"repository": "orders", "revision": SHA}
    assert [o.group for o in world.jobs.orders.values()] == [run["metadata"]["uid"]]


async def test_a_failing_step_ends_the_run_with_exit_code_and_last_lines(world: World) -> None:
    commit(world, pipeline=PIPELINE.replace("pytest", "pytest || false"))

    run = await over(world, await push(world), "Failed")

    assert run["status"]["message"] == (
        "step Test failed with exit code 1: exited with code 1; last lines: assert 1 == 2"
    )
    assert [(s["phase"], s.get("exitCode")) for s in run["status"]["steps"]] == [("Failed", 1), ("Skipped", None)]
    assert (await world.client.at(TEAM).list(WORKLOADS)).items == []


@pytest.mark.parametrize(
    ("reason", "pipeline", "score", "says"),
    [
        ("a field is wrong", "steps:\n- name: Test\n", SCORE, "pipeline.yaml line 2: steps.0.run: Field required"),
        ("it is no YAML", "steps: [\n", SCORE, ".portway/pipeline.yaml line"),
        ("the Score file is wrong", PIPELINE, SCORE.replace("{image: .}", "{}"), "score.yaml: line 4: containers.main"),
        ("there is no such environment", PIPELINE.replace("score.yaml", "x"), "", "score.yaml is empty"),
    ],
)
async def test_bad_files_of_the_commit_fail_the_run_with_file_line_and_field(
    world: World, reason: str, pipeline: str, score: str, says: str
) -> None:
    commit(world, pipeline=pipeline, score=score)

    run = await over(world, await push(world), "Failed")

    assert says in run["status"]["message"]


async def test_runs_of_one_branch_go_one_after_the_other(world: World) -> None:
    commit(world, SHA, PIPELINE.replace("pytest", "sleep 1"))
    commit(world, OTHER)
    first = await push(world, SHA)
    await over(world, first, "Running")

    second = await push(world, OTHER)

    waiting = await world.until(
        "the second waits", PIPELINE_RUNS, second, "default",
        lambda r: "waits for orders-aaaaaaaaaaaa" in r.get("status", {}).get("message", ""),
    )  # fmt: skip
    assert waiting["status"]["phase"] == "Pending"
    world.jobs.released.set()
    await over(world, first, "Succeeded")
    await over(world, second, "Succeeded")
    assert (await world.get(WORKLOADS, "orders", "staging"))["spec"]["source"]["revision"] == OTHER


async def test_a_cancelled_run_stops_its_job(world: World) -> None:
    commit(world, pipeline=PIPELINE.replace("pytest", "sleep 1"))
    name = await push(world)
    await over(world, name, "Running")

    await world.client.at(TEAM).patch(PIPELINE_RUNS, name, {"spec": {"cancelled": True}}, "default")

    run = await over(world, name, "Cancelled")
    assert world.jobs.cancelled == {f"{run['metadata']['uid']}-step-0"}


async def test_a_run_goes_on_after_a_restart_of_the_controllers() -> None:
    world = World()
    await worlds.furnish(world)
    commit(world, pipeline=PIPELINE.replace("pytest", "sleep 1"))
    async with worlds.running(world):
        name = await push(world)
        await over(world, name, "Running")
    world.jobs.released.set()

    async with worlds.running(world):
        await over(world, name, "Succeeded")

    assert len(world.jobs.orders) == 1


@pytest.mark.parametrize(
    ("reason", "branch", "revision"),
    [("another branch", "feature", SHA), ("a deleted branch", "main", "0" * 40)],
)
async def test_some_pushes_run_nothing(world: World, reason: str, branch: str, revision: str) -> None:
    commit(world)

    assert await push(world, revision, branch) is None
