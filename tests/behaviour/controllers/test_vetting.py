"""What the API refuses at once, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from tests.behaviour.controllers.worlds import TEAM, World

from portway.apis.resources import TEMPLATE_RUNS, TEMPLATES

SCORE = {"apiVersion": "score.dev/v1b1", "metadata": {"name": "orders"}, "containers": {"main": {"image": "."}}}


@pytest.mark.parametrize(
    ("kind", "spec", "field", "says"),
    [
        (
            "Workload",
            {"score": {**SCORE, "containers": {"main": {"image": ""}}}},
            "spec.score.containers.main.image",
            "Invalid value: is an empty string; expected a string that is not empty",
        ),
        (
            "Workload",
            {"score": {**SCORE, "resources": {"db": {"type": "dns", "params": {"a": "${resources.nix.a}"}}}}},
            "spec.score.resources",
            "Invalid value: resources.db.params refers to resources.nix, which there is not; there are db",
        ),
        ("Template", {"type": "service", "steps": [{}]}, "spec.steps[0].action", "Invalid value: is missing"),
        (
            "ResourceDefinition",
            {"inputs": {"a": "${env.HOME}"}},
            "spec.inputs",
            "Invalid value: ${env.HOME} is not known",
        ),
        (
            "TemplateRun",
            {"template": {"name": "service"}, "parameters": {"name": 1}},
            "spec.parameters.name",
            'Invalid value: 1 is not of type "string"',
        ),
    ],
)
async def test_a_mistake_is_a_cause_with_its_field(
    world: World, kind: str, spec: dict[str, Any], field: str, says: str
) -> None:
    template = {
        "type": "service",
        "parameters": {"properties": {"name": {"type": "string"}}},
        "steps": [{"action": "debug:log"}],
    }
    await world.create(TEAM, TEMPLATES, "service", template, namespace="default")
    await world.create(TEAM, TEMPLATE_RUNS, "any", {"template": {"name": "service"}}, namespace="default")
    await world.ready(TEMPLATE_RUNS, "any", "default")

    causes = world.vetting.causes(TEAM, {"kind": kind, "spec": spec})

    assert [cause.field for cause in causes] == [field]
    assert causes[0].message.startswith(says)


async def test_what_is_right_has_no_causes(world: World) -> None:
    assert world.vetting.causes(TEAM, {"kind": "Workload", "spec": {"score": SCORE}}) == ()
