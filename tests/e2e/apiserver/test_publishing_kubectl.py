"""kubectl on custom resources whose definition was just made: upstream's CustomResourcePublishOpenAPI."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

FOO = yaml.safe_load("""
description: Foo CRD for Testing
type: object
properties:
  spec:
    type: object
    description: Specification of Foo
    properties:
      bars:
        description: List of Bars and their specs.
        type: array
        items:
          type: object
          required: [name]
          properties:
            name: {description: Name of Bar., type: string}
            age: {description: Age of Bar., type: string}
            bazs: {description: List of Bazs., items: {type: string}, type: array}
""")
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
NESTED = {
    "description": "preserve-unknown-properties in nested field for Testing",
    "type": "object",
    "properties": {"spec": {**OPEN, "description": "Specification of Waldo"}},
}


def definition(plural: str, schema: dict[str, Any]) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.publish-test.example.com"},
        "spec": {
            "group": "publish-test.example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": plural[:-1], "kind": plural[:-1].title()},
            "versions": [version],
        },
    }


def resource(plural: str, **fields: Any) -> str:
    head = {"apiVersion": "publish-test.example.com/v1", "kind": plural[:-1].title()}
    return json.dumps({**head, "metadata": {"name": "test"}, **fields})


@pytest.mark.parametrize(
    ("plural", "schema", "fields"),
    [
        ("pfoos", FOO, {"spec": {"bars": [{"name": "test-bar"}]}}),
        ("popens", OPEN, {"a": {"b": [{"c": "d"}]}}),
        ("pwaldos", NESTED, {"spec": {"a": None, "b": [{"c": "d"}]}}),
    ],
)
def test_resources_are_created_applied_and_explained(
    kubectl: Any, plural: str, schema: dict[str, Any], fields: dict[str, Any]
) -> None:
    kubectl("create", "-f", "-", stdin=json.dumps(definition(plural, schema)))
    kubectl("wait", "--for=condition=Established", f"crd/{plural}.publish-test.example.com")
    for verb in ("create", "apply"):
        kubectl(verb, "-f", "-", stdin=resource(plural, **fields))
        kubectl("delete", plural, "test")
    explained = kubectl("explain", plural)
    if plural == "pfoos":
        shows(
            explained,
            "DESCRIPTION:.*Foo CRD for Testing.*FIELDS:.*apiVersion.*<string>.*APIVersion defines.*spec.*<Object>.*"
            "Specification of Foo",
        )
        metadata = kubectl("explain", f"{plural}.metadata")
        shows(
            metadata,
            "DESCRIPTION:.*Standard object's metadata.*FIELDS:.*creationTimestamp.*<string>.*"
            "CreationTimestamp is a timestamp",
        )
        spec = kubectl("explain", f"{plural}.spec")
        shows(
            spec,
            r"DESCRIPTION:.*Specification of Foo.*FIELDS:.*bars.*<\[\]Object>.*List of Bars and their.*specs",
        )
        bars = kubectl("explain", f"{plural}.spec.bars")
        shows(
            bars,
            r"FIELD: .*bars.*<\[\]Object>.*DESCRIPTION:.*List of Bars and their specs.*FIELDS:.*bazs.*<\[\]string>.*"
            "List of Bazs.*name.*<string>.*Name of Bar",
        )
        assert 'field "bars2" does not exist' in kubectl("explain", f"{plural}.spec.bars2", fails=True)
    elif plural == "popens":
        shows(explained, "DESCRIPTION:.*<empty>")
    else:
        shows(explained, "DESCRIPTION:.*preserve-unknown-properties in nested field for.*Testing")
    kubectl("delete", "crd", f"{plural}.publish-test.example.com")


def shows(text: str, pattern: str) -> None:
    assert re.search(f"(?s){pattern}", text), text
