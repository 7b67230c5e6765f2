"""A template from the form to the running service, and what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.behaviour.controllers import worlds
from tests.behaviour.controllers.worlds import TEAM, World

from portway.apis.portal import TemplateReference
from portway.apis.resources import COMPONENTS, TEMPLATE_RUNS, TEMPLATES, WORKLOADS
from portway.drivers.services import SourceFile
from portway.krm.identity import Manifest
from portway.scaffolder.actions.publish_portway import REPOSITORIES

SOURCE = "http://127.0.0.1/git/root:acme/templates.git@main"
CATALOG_INFO = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: "${{ values.name }}"}
spec: {type: service, lifecycle: production, owner: payments}
"""
SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: "${{ values.name }}"}
service: {ports: {http: {port: 8080}}}
containers: {main: {image: .}}
"""
PIPELINE = "steps: [{name: Test, run: pytest}]\ndeploy: {environment: staging}\n"


def template(**changes: Any) -> Manifest:
    return {
        "type": "service",
        "parameters": [
            {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z-]+$"},
                    "docs": {"type": "boolean", "default": False},
                },
            }
        ],
        "steps": [
            step("fetch", "fetch:template", url="./skeleton", values={"name": "${{ parameters.name }}"}),
            {**step("docs", "debug:log", message="docs"), "if": "${{ parameters.docs }}"},
            step("publish", "publish:portway", name="${{ parameters.name }}"),
            step("pipeline", "pipeline:run", **of_publish()),
            step("register", "catalog:register", **of_publish()),
        ],
        "output": {
            "links": [
                {"title": "Service", "url": "${{ steps.pipeline.output.endpoint }}"},
                {"title": "Catalog", "entityRef": "${{ steps.register.output.entityRef }}"},
                {"title": "Docs", "url": "/docs", "if": "${{ parameters.docs }}"},
            ]
        },
        **changes,
    }


def step(identifier: str, action: str, **given: Any) -> dict[str, Any]:
    return {"id": identifier, "name": identifier.title(), "action": action, "input": given}


def of_publish() -> dict[str, str]:
    return {
        "repository": "${{ steps.publish.output.repository }}",
        "revision": "${{ steps.publish.output.commit }}",
    }


async def offer(world: World, spec: Manifest) -> None:
    files = {
        "catalog-info.yaml": SourceFile(CATALOG_INFO.encode()),
        "score.yaml": SourceFile(SCORE.encode()),
        ".portway/pipeline.yaml": SourceFile(PIPELINE.encode()),
        "run-${{ values.name }}.sh": SourceFile(b"#!/bin/sh\n", executable=True),
    }
    world.sources.trees[SOURCE, "service/skeleton"] = files
    annotations = {"backstage.io/managed-by-location": f"url:{SOURCE}//service/template.yaml"}
    await world.create(worlds.ORGANISATION, TEMPLATES, "service", spec, namespace="default", annotations=annotations)


async def start(world: World, **parameters: Any) -> None:
    spec = {"template": {"name": "service"}, "parameters": parameters}
    await world.create(TEAM, TEMPLATE_RUNS, "run", spec, namespace="default")


async def over(world: World, phase: str) -> Manifest:
    return await world.until(
        f"it is {phase}", TEMPLATE_RUNS, "run", "default", lambda r: r.get("status", {}).get("phase") == phase
    )


async def test_the_golden_path_ends_with_a_running_service_in_the_catalog(world: World) -> None:
    await offer(world, template())

    await start(world, name="orders")

    run = await over(world, "Succeeded")
    assert [(s["id"], s["phase"]) for s in run["status"]["steps"]] == [
        ("fetch", "Succeeded"), ("docs", "Skipped"), ("publish", "Succeeded"), ("pipeline", "Succeeded"),
        ("register", "Succeeded"),
    ]  # fmt: skip
    links = [{k: v for k, v in link.items() if v} for link in run["status"]["output"]["links"]]
    assert links == [
        {"title": "Service", "url": "http://127.0.0.1:8080"},
        {"title": "Catalog", "entityRef": "component:default/orders"},
    ]
    change = world.repositories.changes[0]
    assert change.files["run-orders.sh"].executable
    assert (await world.ready(WORKLOADS, "orders", "staging"))["spec"]["source"]["repository"] == "orders"
    component = await world.until(
        "the catalog shows it healthy", COMPONENTS, "orders", "default",
        lambda c: c.get("status", {}).get("health") == "healthy",
    )  # fmt: skip
    assert component["metadata"]["annotations"]["portway.dev/repository"] == "orders"
    assert not (world.home / "runs" / run["metadata"]["uid"]).exists()


async def test_wrong_parameters_are_refused_before_anything_is_made(world: World) -> None:
    await offer(world, template())

    await start(world, name="Orders!")

    run = await over(world, "Failed")
    assert run["status"]["message"] == 'parameters.name: "Orders!" does not match "^[a-z-]+$"'
    assert run["status"]["steps"] == []
    assert (await world.client.at(TEAM).list(REPOSITORIES)).items == []


@pytest.mark.parametrize(
    ("reason", "steps", "says"),
    [
        ("an unknown action", [step("a", "github:create")], "spec.steps[0].action: there is no action github:create"),
        ("a wrong input", [step("a", "publish:portway")], 'step A failed: input: "name" is a required property'),
        ("a bad expression", [step("a", "debug:log", message="${{ 1 + }}")], "unexpected 'end of template'"),
        ("a path outside", [step("a", "fs:delete", files=["../x"])], "'../x' leads out of the folder of the run"),
        (
            "an absolute target",
            [step("a", "fetch:plain", url="./skeleton", targetPath="/etc")],
            "leads out of the folder",
        ),
        ("a missing source", [step("a", "fetch:plain", url="./nothing")], "there is no folder service/nothing"),
        ("a source outside", [step("a", "fetch:plain", url="../../x")], "leads out of the template's repository"),
        ("nothing to publish", [step("a", "publish:portway", name="x")], "there is nothing to publish"),
    ],
)
async def test_a_step_that_cannot_be_fails_the_run_with_its_reason(
    world: World, reason: str, steps: list[dict[str, Any]], says: str
) -> None:
    await offer(world, template(steps=steps))

    await start(world, name="orders")

    assert says in (await over(world, "Failed"))["status"]["message"]


async def test_a_failing_pipeline_fails_the_step_with_its_words(world: World) -> None:
    await offer(world, template())
    files = world.sources.trees[SOURCE, "service/skeleton"]
    files[".portway/pipeline.yaml"] = SourceFile(PIPELINE.replace("pytest", "exit false").encode())

    await start(world, name="orders")

    run = await over(world, "Failed")
    assert "step Test failed with exit code 1" in run["status"]["message"]
    assert [s["phase"] for s in run["status"]["steps"]] == ["Succeeded", "Skipped", "Succeeded", "Failed", "Skipped"]


async def test_a_second_try_goes_on_with_what_a_failed_one_left(world: World) -> None:
    await offer(world, template())
    files = world.sources.trees[SOURCE, "service/skeleton"]
    files[".portway/pipeline.yaml"] = SourceFile(PIPELINE.replace("pytest", "exit false").encode())
    await start(world, name="orders")
    await over(world, "Failed")

    files[".portway/pipeline.yaml"] = SourceFile(PIPELINE.encode())
    spec = {"template": {"name": "service"}, "parameters": {"name": "orders"}}
    await world.create(TEAM, TEMPLATE_RUNS, "again", spec, namespace="default")

    await world.until(
        "the second try succeeds", TEMPLATE_RUNS, "again", "default",
        lambda r: r.get("status", {}).get("phase") == "Succeeded",
    )  # fmt: skip


async def test_a_repository_of_somebody_else_is_not_taken_over(world: World) -> None:
    await offer(world, template())
    await world.create(TEAM, REPOSITORIES, "orders", {}, namespace="default")

    await start(world, name="orders")

    message = (await over(world, "Failed"))["status"]["message"]
    assert "there is a Repository orders in root:acme:payments already; choose another name" in message


async def test_an_unknown_template_is_answered_with_the_known_ones(world: World) -> None:
    await offer(world, template())

    await world.create(TEAM, TEMPLATE_RUNS, "run", {"template": {"name": "nix"}}, namespace="default")

    assert (
        "there is no Template nix in root:acme:payments or root:acme or root; there are service"
        in (await over(world, "Failed"))["status"]["message"]
    )


async def test_a_run_goes_on_after_a_restart_and_makes_nothing_twice(world: World) -> None:
    await offer(world, template())
    files = world.sources.trees[SOURCE, "service/skeleton"]
    files[".portway/pipeline.yaml"] = SourceFile(PIPELINE.replace("pytest", "sleep 1").encode())
    await start(world, name="orders")
    await world.until(
        "the pipeline runs", TEMPLATE_RUNS, "run", "default",
        lambda r: any(s["id"] == "pipeline" and s["phase"] == "Running" for s in r.get("status", {}).get("steps", [])),
    )  # fmt: skip
    world.jobs.released.set()

    async with worlds.running(World(**world.__dict__)):
        await over(world, "Succeeded")

    assert len(world.repositories.changes) == 1


async def test_each_runs_a_step_for_every_entry(world: World) -> None:
    steps = [
        {**step("a", "debug:log", message="${{ each.key }}=${{ each.value }}"), "each": "${{ parameters.all }}"},
        step("b", "catalog:write", entity={"kind": "Component", "metadata": {"name": "${{ parameters.name }}"}}),
        step("c", "fs:rename", files=[{"from": "catalog-info.yaml", "to": "deep/info.yaml"}]),
        step("d", "fs:readdir", path=".", recursive=True),
    ]
    await offer(
        world, template(steps=steps, output={"text": [{"title": "Files", "content": "${{ steps.d.output.files }}"}]})
    )

    await start(world, name="orders", all={"x": 1, "y": True})

    run = await over(world, "Succeeded")
    assert run["status"]["steps"][0]["log"] == ["x=1", "y=true"]
    assert "deep/info.yaml" in run["status"]["output"]["text"][0]["content"]


async def test_a_requester_who_may_not_is_told_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await offer(world, template())
    asked: list[Manifest] = []

    async def no(self: Any, path: str, body: Manifest) -> Manifest:
        asked.append(body["spec"])
        return {"status": {"allowed": False, "reason": "only viewers' rights"}}

    monkeypatch.setattr(type(world.client), "post", no)
    manifest = {
        "metadata": {"name": "run"}, "spec": {"template": {"name": "service"}, "parameters": {"name": "orders"}},
    }  # fmt: skip
    await type(world.client)(TEAM, user="vera", _objects=world.client._objects).create(
        TEMPLATE_RUNS, manifest, "default"
    )

    message = (await over(world, "Failed"))["status"]["message"]
    assert message.endswith(
        "vera may not create repositories in root:acme:payments, namespace default: only viewers' rights"
    )
    assert asked[0]["user"] == "vera"


async def test_a_preview_shows_the_files_and_makes_nothing(world: World) -> None:
    await offer(world, template())
    reference = TemplateReference(name="service")

    shown = await world.previewer.preview(world.client, TEAM, reference, {"name": "orders"})
    refused = await world.previewer.preview(world.client, TEAM, reference, {"name": "Orders"})

    assert sorted(shown.files) == [".portway/pipeline.yaml", "catalog-info.yaml", "run-orders.sh", "score.yaml"]
    assert b'name: "orders"' in shown.files["score.yaml"].content
    assert shown.left_out == ("publish", "pipeline", "register")
    assert [problem.field for problem in refused.problems] == ["parameters.name"]
    assert (await world.client.at(TEAM).list(REPOSITORIES)).items == []
