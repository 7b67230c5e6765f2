"""The life of a CustomResourceDefinition and its objects through kubectl."""

from __future__ import annotations

import json
from typing import Any

import pytest


def _definition() -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "string", "enum": ["s", "m", "l"], "description": "How big."},
                    "replicas": {"type": "integer", "default": 1},
                },
            },
            "status": {
                "type": "object",
                "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}},
            },
        },
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
        "additionalPrinterColumns": [{"name": "Size", "type": "string", "jsonPath": ".spec.size"}],
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [version],
        },
    }


def _widget(**spec: Any) -> str:
    return json.dumps({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": spec})


@pytest.fixture
def widgets(kubectl: Any) -> Any:
    kubectl("apply", "-f", "-", stdin=json.dumps(_definition()))
    kubectl("wait", "--for=condition=Established", "crd/widgets.example.org", "--timeout=30s")
    return kubectl


def test_an_object_can_be_applied_as_soon_as_its_kind_is_established(widgets: Any) -> None:
    widgets("apply", "-f", "-", stdin=_widget(size="m"))
    header, row = widgets("get", "wd").splitlines()
    assert header.split() == ["NAME", "SIZE"]
    assert row.split() == ["one", "m"]
    assert widgets.json("get", "widget", "one")["spec"] == {"size": "m", "replicas": 1}


def test_explain_shows_the_published_schema(widgets: Any) -> None:
    explained = widgets("explain", "widget.spec.size")
    assert "ENUM:\n    s\n    m\n    l" in explained
    assert "How big." in explained


def test_values_outside_the_schema_are_refused(widgets: Any) -> None:
    refused = widgets("apply", "-f", "-", stdin=_widget(size="xl"), fails=True)
    assert 'spec.size: Unsupported value: "xl": supported values: "s", "m", "l"' in refused
    refused = widgets("apply", "-f", "-", stdin=_widget(size="m", colour="red"), fails=True)
    assert 'unknown field "spec.colour"' in refused
    assert "spec.size: Required value" in widgets("apply", "-f", "-", stdin=_widget(), fails=True)


def test_unknown_fields_are_pruned_when_validation_is_off(widgets: Any) -> None:
    widgets("apply", "--validate=ignore", "-f", "-", stdin=_widget(size="m", colour="red"))
    assert "colour" not in widgets.json("get", "widget", "one")["spec"]


def test_status_is_a_world_of_its_own(widgets: Any) -> None:
    widgets("apply", "-f", "-", stdin=_widget(size="m"))
    widgets("patch", "widget", "one", "--type=merge", "-p", '{"status":{"phase":"Lost"}}')
    assert "status" not in widgets.json("get", "widget", "one")
    both = '{"spec":{"size":"l"},"status":{"phase":"Ready"}}'
    widgets("patch", "widget", "one", "--subresource=status", "--type=merge", "-p", both)
    widgets("wait", "--for=jsonpath={.status.phase}=Ready", "widget/one", "--timeout=30s")
    found = widgets.json("get", "widget", "one")
    assert found["spec"]["size"] == "m"
    assert found["metadata"]["generation"] == 1


def test_scale(widgets: Any) -> None:
    widgets("apply", "-f", "-", stdin=_widget(size="m"))
    widgets("scale", "widget", "one", "--replicas=3")
    found = widgets.json("get", "widget", "one")
    assert found["spec"]["replicas"] == 3
    assert found["metadata"]["generation"] == 2


def test_deleting_the_definition_deletes_its_objects(widgets: Any) -> None:
    widgets("apply", "-f", "-", stdin=_widget(size="m"))
    widgets("delete", "crd", "widgets.example.org", "--timeout=30s")
    assert "widgets" not in widgets("api-resources", "-o", "name")
    widgets("apply", "-f", "-", stdin=json.dumps(_definition()))
    assert widgets("get", "widgets", "-o", "name") == ""


def test_a_schema_that_is_not_structural_is_refused(kubectl: Any) -> None:
    definition = _definition()
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].pop("type")
    refused = kubectl("create", "-f", "-", stdin=json.dumps(definition), fails=True)
    assert "spec.validation.openAPIV3Schema.properties[spec].type: Required value" in refused


def test_finalizers_hold_deletion_until_they_are_gone(widgets: Any) -> None:
    widgets("apply", "-f", "-", stdin=_widget(size="m"))
    widgets("patch", "widget", "one", "--type=merge", "-p", '{"metadata":{"finalizers":["example.org/hold"]}}')
    widgets("delete", "widget", "one", "--wait=false")
    assert widgets.json("get", "widget", "one")["metadata"]["deletionTimestamp"]
    widgets("patch", "widget", "one", "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]')
    assert "NotFound" in widgets("get", "widget", "one", fails=True)
