"""What a template must be, on tables and on real files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from portway.krm import decoding
from portway.scaffolder import parameters, templates

CORPUS = Path(os.environ.get("PORTWAY_CORPUS", Path(__file__).parents[4] / "shared" / "corpus")) / "templates"


def document(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "service"},
        "spec": {"type": "service", "steps": [{"action": "debug:log"}], **spec},
    }


@pytest.mark.parametrize(
    ("reason", "value", "says"),
    [
        ("not a mapping", [], "is not a mapping"),
        ("another version", {**document(), "apiVersion": "v1"}, "apiVersion: is 'v1', expected scaffolder"),
        ("no type", document(type=""), "spec.type: is missing"),
        ("no steps", document(steps=None), "spec.steps: is missing"),
        ("no action", document(steps=[{"id": "a"}]), "spec.steps[0].action: is missing"),
        ("an id twice", document(steps=[{"id": "a", "action": "x"}] * 2), "spec.steps[1].id: 'a' is the id of step 0"),
        ("input is a list", document(steps=[{"action": "x", "input": []}]), "spec.steps[0].input: is not a mapping"),
        ("parameters are text", document(parameters="x"), "spec.parameters: is neither a JSON Schema nor a list"),
    ],
)
def test_a_mistake_is_named_with_its_field(reason: str, value: Any, says: str) -> None:
    assert any(says in str(problem) for problem in templates.parse(value).problems)


def test_steps_without_ids_get_them_by_their_place() -> None:
    parsed = templates.parse(document())

    assert parsed.template is not None
    assert parsed.template.steps[0].id == "step-1"


def test_parameters_are_checked_on_all_pages_with_defaults_filled_in() -> None:
    pages = [
        {"required": ["name"], "properties": {"name": {"type": "string", "ui:field": "X", "maxLength": 3}}},
        {"properties": {"size": {"type": "integer", "default": 2, "minimum": 1}}},
    ]
    parsed = templates.parse(document(parameters=pages))
    assert parsed.template is not None

    assert parameters.with_defaults(parsed.template, {"name": "a"}) == {"name": "a", "size": 2}
    assert [str(p) for p in parameters.check(parsed.template, {"name": "long", "size": 0})] == [
        'parameters.name: "long" is longer than 3 characters',
        "parameters.size: 0 is less than the minimum of 1",
    ]


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus of real files at {CORPUS}; set PORTWAY_CORPUS")
def test_real_templates_are_read_and_included_parts_are_not_taken_for_templates() -> None:
    refused = set()
    for path in sorted(CORPUS.glob("*.yaml")):
        for found in decoding.documents(path.read_text()):
            assert found.error is None
            if templates.parse(found.value).problems:
                refused.add(path.name)

    parts = {path.name for path in CORPUS.glob("*-service-*-*.yaml") if "-service-template" not in path.name}
    assert refused == {name for name in parts if "elasticache-service-parameters" in name or "service-steps" in name}
