"""The whole life of a claim: match, plan, make, credentials, drift, failure, removal with proof."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.behaviour.controllers import worlds
from tests.behaviour.controllers.worlds import THINGS, World

from portway.apis.resources import (
    API_BINDINGS,
    API_EXPORTS,
    ENVIRONMENTS,
    NAMESPACES,
    RESOURCE_DEFINITIONS,
    RESOURCE_TYPES,
    SECRETS,
)
from portway.drivers.contract import Health


def password_of(secret: dict[str, Any]) -> str:
    return base64.b64decode(secret["data"]["password"]).decode()


async def test_a_claim_becomes_ready_with_outputs_plan_price_and_credentials(world: World) -> None:
    await world.ready(THINGS, (await world.claim("box", size=3))["metadata"]["name"], "staging")

    claim = await world.get(THINGS, "box", "staging")
    secret = await world.get(SECRETS, "box", "staging")
    status = claim["status"]
    assert status["outputs"] == {"host": "memory", "port": 7, "username": "box", "size": 3}
    assert status["plan"]["steps"] == [
        {"verb": "create", "what": "create thing box", "before": {}, "after": {"size": 3}}
    ]
    assert status["plan"]["cost"] == {"monthly": 4.0, "currency": "EUR"}
    assert status["match"] == [
        {"definition": "root:acme/things", "matched": True, "chosen": True, "reason": "matches: always"}
    ]
    assert (status["definition"], status["driver"], status["health"]) == ("root:acme/things", "memory", "healthy")
    assert status["binding"] == {"name": "box"}
    assert secret["type"] == "servicebinding.io/memory"
    assert password_of(secret) == world.driver.things[claim["metadata"]["uid"]].password
    assert password_of(secret) not in str(claim)
    assert await world.event("Provisioned") == "create thing box"


async def test_a_claim_that_nothing_matches_says_which_definitions_were_looked_at_and_why(world: World) -> None:
    await world.client.at(worlds.ORGANISATION).delete(RESOURCE_DEFINITIONS, "things")
    await worlds.define(world, "production", criteria=[{"envType": "production"}])
    await worlds.define(world, "large", criteria=[{"class": "large"}])
    await world.claim("box")

    claim = await world.not_ready(THINGS, "box", "staging", "NoMatchingDefinition")

    assert (await world.event("NoMatchingDefinition")) == (
        "No ResourceDefinition matches type thing, class default, environment staging (development). Looked at "
        "root:acme/large: class is default, needs large; "
        "root:acme/production: environment type is development, needs production."
    )
    assert [line["definition"] for line in claim["status"]["match"]] == ["root:acme/large", "root:acme/production"]
    assert "finalizers" not in claim["metadata"]


async def test_a_claim_without_a_match_is_made_when_a_definition_comes(world: World) -> None:
    await world.claim("box", **{"class": "large"}, size=1)
    await world.client.at(worlds.ORGANISATION).delete(RESOURCE_DEFINITIONS, "things")
    await worlds.define(world, "large", criteria=[{"class": "large"}])

    claim = await world.until(
        "it is made by the new definition", THINGS, "box", "staging",
        lambda c: c.get("status", {}).get("definition") == "root:acme/large",
    )  # fmt: skip

    assert claim["status"]["driver"] == "memory"


async def test_a_dry_run_answers_with_match_plan_and_price_and_makes_nothing(world: World) -> None:
    await world.ready(RESOURCE_TYPES, "thing", at=worlds.ORGANISATION)
    manifest = {"kind": "Thing", "metadata": {"name": "box", "namespace": "staging"}, "spec": {"size": 2}}

    status = await world.planner.plan(worlds.TEAM, manifest)

    assert status["message"] == "Would create thing box."
    assert status["plan"]["cost"]["monthly"] == 4
    assert status["conditions"][0]["reason"] == "Planned"
    assert world.driver.things == {}


async def test_a_refusal_of_the_driver_is_final_until_something_changes(world: World) -> None:
    world.driver.refuse = "size 3 is not offered"
    await world.claim("box", size=3)
    claim = await world.not_ready(THINGS, "box", "staging", "Refused")
    assert claim["status"]["conditions"][0]["message"] == "size 3 is not offered"

    world.driver.refuse = ""
    await world.client.at(worlds.TEAM).patch(THINGS, "box", {"spec": {"size": 4}}, "staging")

    assert (await world.ready(THINGS, "box", "staging"))["status"]["outputs"]["size"] == 4


async def test_a_passing_failure_is_tried_again(world: World) -> None:
    world.driver.fail = "connection lost"
    await world.claim("box", size=1)

    await world.ready(THINGS, "box", "staging")

    assert await world.event("Failed") == "connection lost"


async def test_a_slow_driver_has_its_plan_shown_meanwhile(world: World) -> None:
    world.driver.seconds = 1.0
    await world.claim("box", size=1)

    claim = await world.not_ready(THINGS, "box", "staging", "Provisioning")

    assert claim["status"]["message"] == "In progress: create thing box."
    assert claim["status"]["plan"]["steps"]
    await world.ready(THINGS, "box", "staging")


async def test_drift_is_repaired_with_the_same_password_and_told(world: World) -> None:
    claim = await world.claim("box", size=3)
    await world.ready(THINGS, "box", "staging")
    thing = world.driver.things[claim["metadata"]["uid"]]
    thing.inputs["size"] = 9

    await world.client.at(worlds.TEAM).patch(THINGS, "box", {"metadata": {"labels": {"look": "again"}}}, "staging")

    assert await world.event("DriftRepaired") == "change size of thing box (size was 9, is 3)"
    repaired = world.driver.things[claim["metadata"]["uid"]]
    assert (repaired.inputs, repaired.password) == ({"size": 3}, thing.password)


async def test_what_is_degraded_says_so_and_recovers(world: World) -> None:
    world.driver.health, world.driver.message = Health.DEGRADED, "disk is full"
    await world.claim("box", size=1)
    claim = await world.not_ready(THINGS, "box", "staging", "Degraded")
    assert (claim["status"]["health"], claim["status"]["message"]) == ("degraded", "disk is full")

    world.driver.health, world.driver.message = Health.HEALTHY, ""
    await world.client.at(worlds.TEAM).patch(THINGS, "box", {"metadata": {"labels": {"look": "again"}}}, "staging")

    assert (await world.ready(THINGS, "box", "staging"))["status"]["health"] == "healthy"


async def test_deletion_waits_for_proof(world: World) -> None:
    uid = (await world.claim("box", size=1))["metadata"]["uid"]
    await world.ready(THINGS, "box", "staging")
    world.driver.linger = 1_000_000

    await world.client.at(worlds.TEAM).delete(THINGS, "box", "staging")

    claim = await world.not_ready(THINGS, "box", "staging", "Deleting", says="waiting")
    assert "waiting until driver memory sees that it is gone" in claim["status"]["message"]
    world.driver.linger = 0
    await world.gone(THINGS, "box", "staging")
    assert uid not in world.driver.things
    await world.gone(SECRETS, "box", "staging")


async def test_what_is_to_be_retained_stays(world: World) -> None:
    uid = (await world.claim("box", size=1, deletionPolicy="Retain"))["metadata"]["uid"]
    await world.ready(THINGS, "box", "staging")

    await world.client.at(worlds.TEAM).delete(THINGS, "box", "staging")

    await world.gone(THINGS, "box", "staging")
    assert uid in world.driver.things
    assert await world.event("Retained") == f"deletionPolicy is Retain: thing {uid} stays"


async def test_a_secret_of_somebody_else_is_not_overwritten(world: World) -> None:
    await world.client.at(worlds.TEAM).create(SECRETS, {"metadata": {"name": "box"}}, "staging")
    await world.claim("box", size=1)

    claim = await world.not_ready(THINGS, "box", "staging", "SecretNameTaken")

    assert "give the claim another name" in claim["status"]["conditions"][0]["message"]
    assert world.driver.applies == 0


async def test_two_definitions_that_tie_are_both_named(world: World) -> None:
    await worlds.define(world, "others")
    await world.claim("box")

    await world.not_ready(THINGS, "box", "staging", "NoMatchingDefinition")

    assert "root:acme/others and root:acme/things match equally well" in await world.event("NoMatchingDefinition")


async def test_a_definition_with_another_driver_does_not_take_over_what_is_there(world: World) -> None:
    await world.claim("box", size=1)
    await world.ready(THINGS, "box", "staging")
    patch = {"metadata": {"annotations": {"portway.dev/made-by": "other"}}}
    await world.client.at(worlds.TEAM).patch(THINGS, "box", patch, "staging")

    await world.not_ready(THINGS, "box", "staging", "DefinitionChanged")

    assert "this was made by driver other; it is left as it is" in await world.event("DefinitionChanged")


async def test_types_are_exported_and_bound_in_every_workspace_below(world: World) -> None:
    found = await world.ready(RESOURCE_TYPES, "thing", at=worlds.ORGANISATION)
    export = await world.get(API_EXPORTS, "resources.portway.dev", at=worlds.ORGANISATION)

    assert found["status"]["claimApi"] == "things.resources.portway.dev/v1"
    schemas = [name.split(".", 1)[1] for name in export["spec"]["latestResourceSchemas"]]
    assert "things.resources.portway.dev" in schemas
    for workspace in (worlds.ORGANISATION, worlds.TEAM):
        binding = await world.until(
            "it is bound", API_BINDINGS, "resources.root.acme", None, lambda _: True, at=workspace
        )
        assert binding["spec"]["reference"]["export"] == {"path": "root:acme", "name": "resources.portway.dev"}


async def test_a_type_stays_until_its_claims_are_gone(world: World) -> None:
    await world.claim("box", size=1)
    await world.ready(THINGS, "box", "staging")
    await world.client.at(worlds.ORGANISATION).delete(RESOURCE_TYPES, "thing")
    blocked = await world.until(
        "it says who uses it", RESOURCE_TYPES, "thing", None,
        lambda t: t["status"]["conditions"][0]["reason"] == "ClaimsExist", at=worlds.ORGANISATION,
    )  # fmt: skip
    assert "root:acme:payments staging/box" in blocked["status"]["conditions"][0]["message"]

    await world.client.at(worlds.TEAM).delete(THINGS, "box", "staging")

    await world.gone(THINGS, "box", "staging")
    await world.gone(RESOURCE_TYPES, "thing", at=worlds.ORGANISATION)


@pytest.mark.parametrize(
    ("reason", "spec", "says"),
    [
        ("DriverNotInstalled", {"driver": "redis"}, "driver redis is not installed; installed are memory"),
        ("NoResourceType", {"type": "queue"}, "there is no ResourceType queue in root:acme or above"),
        ("InvalidInputs", {"inputs": {"size": 0}}, "spec.inputs.size: 0 is less than the minimum of 1 (driver memory)"),
        ("InvalidInputs", {"inputs": {"colour": 1}}, "'colour'"),
        ("InvalidInputs", {"inputs": {"label": "${context.region}"}}, "${context.region} is not known"),
        ("CriteriaTaken", {}, "root:acme/things has the same criteria (always), so neither is chosen"),
    ],
)
async def test_a_definition_is_checked_when_it_is_written(
    world: World, reason: str, spec: dict[str, Any], says: str
) -> None:
    await worlds.define(world, "new", **{"criteria": [{"class": "x"}] if reason != "CriteriaTaken" else [], **spec})

    found = await world.until(
        "it is refused", RESOURCE_DEFINITIONS, "new", None,
        lambda d: (d.get("status", {}).get("conditions") or [{}])[0].get("reason") == reason, at=worlds.ORGANISATION,
    )  # fmt: skip

    assert says in found["status"]["conditions"][0]["message"]


async def test_an_environment_is_a_namespace_and_both_go_together(world: World) -> None:
    made = await world.ready(ENVIRONMENTS, "staging")
    await world.get(NAMESPACES, "staging")

    await world.client.at(worlds.TEAM).delete(ENVIRONMENTS, "staging")

    assert made["status"]["namespace"] == "staging"
    await world.gone(ENVIRONMENTS, "staging")
    await world.gone(NAMESPACES, "staging")


async def test_killed_at_any_write_a_claim_ends_with_one_thing_and_its_password() -> None:
    """The controllers die after their first, second, … write, and start again on what is there."""
    for writes in range(1, 60):
        world = World()
        await worlds.furnish(world)
        await world.claim("box", size=1)
        died = await worlds.run_until_death(world, writes)

        async with worlds.running(world):
            claim = await world.ready(THINGS, "box", "staging")
            secret = await world.get(SECRETS, "box", "staging")

        assert list(world.driver.things) == [claim["metadata"]["uid"]]
        assert password_of(secret) == world.driver.things[claim["metadata"]["uid"]].password
        if not died:
            return
    raise AssertionError("the controllers never came to rest")
