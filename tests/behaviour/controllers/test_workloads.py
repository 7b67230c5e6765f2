"""A Score workload from file to running process, and what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.behaviour.controllers.worlds import TEAM, THINGS, World

from portway.apis.resources import COMPONENTS, CONFIG_MAPS, RELEASES, SECRETS, WORKLOADS
from portway.drivers.contract import Health
from portway.drivers.memory import Thing


def score(**changes: Any) -> dict[str, Any]:
    return {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "orders"},
        "service": {"ports": {"http": {"port": 8080}}},
        "containers": {
            "main": {
                "image": ".",
                "command": ["python", "-c", "echo $${HOME}"],
                "variables": {
                    "NAME": "${metadata.name}",
                    "URL": "box://${resources.db.username}:${resources.db.password}@${resources.db.host}",
                },
                "files": {"/a": {"content": "${literal}", "noExpand": True}},
            }
        },
        "resources": {"db": {"type": "thing", "params": {"size": 2}}},
        **changes,
    }


async def run(world: World, document: dict[str, Any], name: str = "orders", **spec: Any) -> dict[str, Any]:
    return await world.create(TEAM, WORKLOADS, name, {"score": document, **spec}, namespace="staging")


async def running_thing(world: World, workload: dict[str, Any]) -> Thing:
    return world.driver.things[workload["metadata"]["uid"]]


async def test_a_workload_gets_its_resources_and_runs_with_secrets_by_reference(world: World) -> None:
    await world.create(TEAM, COMPONENTS, "orders", {}, namespace="default")
    await run(world, score())

    workload = await world.ready(WORKLOADS, "orders", "staging")

    claim = await world.get(THINGS, "orders-db", "staging")
    thing = await running_thing(world, workload)
    password = world.driver.things[claim["metadata"]["uid"]].password
    assert claim["spec"] == {"size": 2, "class": "default", "id": "workloads.orders.db"}
    assert claim["metadata"]["ownerReferences"][0]["uid"] == workload["metadata"]["uid"]
    assert thing.inputs["containers"]["main"] == {
        "image": ".",
        "command": ["python", "-c", "echo ${HOME}"],
        "variables": {
            "NAME": "orders",
            "URL": {"parts": ["box://orders-db:", {"secret": "db.password"}, "@memory"]},
        },
        "files": {"/a": {"content": "${literal}", "noExpand": True}},
    }
    assert thing.secrets == {"db.password": password}
    status = workload["status"]
    assert status["endpoints"] == [{"name": "http", "url": "http://127.0.0.1:8080"}]
    assert (status["health"], status["definition"]) == ("healthy", "root:acme/runtime")
    assert status["resources"] == [
        {
            "alias": "db", "type": "thing", "class": "default", "id": "workloads.orders.db", "claim": "Thing/orders-db",
            "ready": True, "message": "",
        }
    ]  # fmt: skip
    release = await world.get(RELEASES, status["release"], "staging")
    assert release["spec"]["score"] == score()
    for manifest in (workload, release, claim):
        assert password not in str(manifest)
    component = await world.until(
        "the catalog shows it", COMPONENTS, "orders", "default",
        lambda c: c.get("status", {}).get("health") == "healthy",
    )  # fmt: skip
    assert component["status"]["deployments"][0]["endpoints"] == status["endpoints"]


async def test_an_update_makes_another_release_and_drops_what_is_not_asked_for_any_more(world: World) -> None:
    await run(world, score())
    first = await world.ready(WORKLOADS, "orders", "staging")
    changed = score(containers={"main": {"image": ".", "command": ["run"]}}, resources={})

    await world.client.at(TEAM).update(WORKLOADS, {**first, "spec": {"score": changed}})

    await world.gone(THINGS, "orders-db", "staging")
    second = await world.ready(WORKLOADS, "orders", "staging")
    assert second["status"]["release"] != first["status"]["release"]


async def test_workloads_share_a_resource_by_its_id(world: World) -> None:
    shared = score(resources={"db": {"type": "thing", "id": "main", "params": {"size": 2}}})
    await run(world, shared)
    await run(world, {**shared, "metadata": {"name": "billing"}}, "billing")

    await world.ready(WORKLOADS, "orders", "staging")
    await world.ready(WORKLOADS, "billing", "staging")

    claim = await world.get(THINGS, "thing-main", "staging")
    assert "ownerReferences" not in claim["metadata"]
    assert (await world.client.at(TEAM).list(THINGS, "staging")).items == [claim]


async def test_sharing_with_different_params_is_refused(world: World) -> None:
    await run(world, score(resources={"db": {"type": "thing", "id": "main", "params": {"size": 2}}}))
    await world.ready(WORKLOADS, "orders", "staging")
    other = score(
        metadata={"name": "billing"}, resources={"db": {"type": "thing", "id": "main", "params": {"size": 3}}}
    )
    await run(world, other, "billing")

    workload = await world.not_ready(WORKLOADS, "billing", "staging", "SharedDiffers")

    assert "Thing thing-main is shared by id main and has {'size': 2}" in workload["status"]["message"]


@pytest.mark.parametrize(
    ("reason", "document", "says"),
    [
        ("InvalidScore", score(containers={}), "spec.score: containers: is empty; expected at least one container"),
        (
            "UnknownResourceType",
            score(resources={"db": {"type": "redis"}}),
            "resources.db.type: there is no resource type redis; there are dns, environment, repository, route",
        ),
        (
            "InvalidPlaceholder",
            score(containers={"main": {"image": "img:${value.tag}"}}),
            "containers.main.image: ${value.tag}: references start with metadata or resources",
        ),
        (
            "InvalidPlaceholder",
            score(containers={"main": {"image": ".", "variables": {"A": "${resources.db.colour}"}}}),
            "resource db has no output colour; it has host, password, port, provider, size, type, username",
        ),
        (
            "InvalidResources",
            score(resources={"db": {"type": "thing", "params": {"size": "${resources.nix.x}"}}}),
            "resources.db.params refers to resources.nix",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_its_path(
    world: World, reason: str, document: dict[str, Any], says: str
) -> None:
    await run(world, document)

    workload = await world.not_ready(WORKLOADS, "orders", "staging", reason)

    assert says in workload["status"]["conditions"][0]["message"]
    assert workload["metadata"]["uid"] not in world.driver.things


async def test_the_root_cause_of_waiting_reaches_the_workload(world: World) -> None:
    world.driver.refuse = "size 2 is sold out"
    await run(world, score())

    await world.until(
        "it says what it waits for and why", WORKLOADS, "orders", "staging",
        lambda w: w.get("status", {}).get("message") == "waiting for Thing orders-db: Refused: size 2 is sold out",
    )  # fmt: skip


async def test_a_crash_is_shown_with_its_last_words_and_told(world: World) -> None:
    await run(world, score())
    await world.ready(WORKLOADS, "orders", "staging")
    world.driver.health, world.driver.message = Health.DEGRADED, "main exited with code 3: no such table"
    await world.client.at(TEAM).patch(WORKLOADS, "orders", {"metadata": {"labels": {"look": "again"}}}, "staging")

    workload = await world.not_ready(WORKLOADS, "orders", "staging", "Degraded")

    assert workload["status"]["message"] == "main exited with code 3: no such table"
    assert workload["status"]["containers"] == [{"name": "main", "state": "crashed", "restarts": 0, "message": ""}]
    assert await world.event("Degraded") == "main exited with code 3: no such table"


async def test_resources_without_claims_have_values_too(world: World) -> None:
    client = world.client.at(TEAM)
    await client.create(CONFIG_MAPS, {"metadata": {"name": "environment"}, "data": {"LEVEL": "info"}}, "staging")
    await client.create(SECRETS, {"metadata": {"name": "environment"}, "stringData": {"KEY": "hidden"}}, "staging")
    await run(world, score(resources={}, containers={"main": {"image": "."}}))
    await world.ready(WORKLOADS, "orders", "staging")
    other = score(
        metadata={"name": "web"},
        containers={
            "main": {
                "image": ".",
                "variables": {
                    "ORDERS": "http://${resources.orders.hostname}:${resources.orders.port}",
                    "HOST": "${resources.dns.host}",
                    "LEVEL": "${resources.env.LEVEL}",
                    "KEY": "${resources.env.KEY}",
                },
                "volumes": {"/data": {"source": "${resources.data}"}},
            }
        },
        resources={
            "orders": {"type": "service-port", "params": {"workload": "orders", "port": 8080}},
            "dns": {"type": "dns"},
            "route": {"type": "route", "params": {"host": "${resources.dns.host}", "path": "/", "port": 8080}},
            "env": {"type": "environment"},
            "data": {"type": "volume"},
        },
    )
    await run(world, other, "web")

    workload = await world.ready(WORKLOADS, "web", "staging")

    main = (await running_thing(world, workload)).inputs["containers"]["main"]
    assert main["variables"] == {
        "ORDERS": "http://127.0.0.1:8080", "HOST": "localhost", "LEVEL": "info",
        "KEY": {"parts": [{"secret": "env.KEY"}]},
    }  # fmt: skip
    assert main["volumes"] == {"/data": {"source": "web-data"}}


async def test_a_workload_goes_with_proof_and_its_claims_follow(world: World) -> None:
    await world.create(TEAM, COMPONENTS, "orders", {}, namespace="default")
    await run(world, score())
    await world.ready(WORKLOADS, "orders", "staging")
    world.driver.linger = 2

    await world.client.at(TEAM).delete(WORKLOADS, "orders", "staging")

    await world.gone(WORKLOADS, "orders", "staging")
    await world.gone(THINGS, "orders-db", "staging")
    assert world.driver.things == {}
    component = await world.get(COMPONENTS, "orders", "default")
    assert component["status"]["deployments"] == []
