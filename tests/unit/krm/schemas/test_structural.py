from __future__ import annotations

from typing import Any

import pytest

from portway.krm.schemas import structural

STRING = {"type": "string"}
BOTH = [{"type": "integer"}, {"type": "string"}]
KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
NAMED = {"type": "object", "required": ["name"], "properties": {"name": STRING}}


def at(schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": schema}}


SPEC = "openAPIV3Schema.properties[spec]"


@pytest.mark.parametrize(
    "schema",
    [
        STRING,
        {"type": "object", "additionalProperties": STRING},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "properties": {"a": STRING}, "additionalProperties": True},
        {"x-kubernetes-preserve-unknown-fields": True},
        {"x-kubernetes-int-or-string": True},
        {"x-kubernetes-int-or-string": True, "anyOf": BOTH},
        {"x-kubernetes-int-or-string": True, "anyOf": BOTH, "pattern": "^[0-9]+%?$"},
        {"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": BOTH}, {"minimum": 1}]},
        {"type": "array", "items": NAMED, **KEYED},
        {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": STRING}},
        {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
        {
            "type": "object",
            "properties": {"a": STRING},
            "oneOf": [{"required": ["a"]}, {"properties": {"a": {"minLength": 3}}}],
        },
        {"type": "array", "items": STRING, "not": {"items": {"enum": ["a"]}}},
    ],
)
def test_structural_schemas_are_accepted(schema: dict[str, Any]) -> None:
    assert structural.check(at(schema)) == ()


@pytest.mark.parametrize(
    ("schema", "field", "says"),
    [
        ({}, ".type", "Required value: must not be empty for specified object fields"),
        ({"properties": {}}, ".type", "must not be empty"),
        ({"type": "float"}, ".type", 'Unsupported value: "float"'),
        ({"type": "array"}, ".items", "Required value: must be specified"),
        ({"type": "string", "$ref": "#/x"}, ".$ref", "Forbidden"),
        ({"type": "object", "definitions": {"a": STRING}}, ".definitions", "Forbidden"),
        ({"type": "object", "patternProperties": {"a": STRING}}, ".patternProperties", "Forbidden"),
        ({"type": "array", "items": STRING, "uniqueItems": True}, ".uniqueItems", "quadratic"),
        ({"type": "object", "additionalProperties": False}, ".additionalProperties", "cannot be set to false"),
        (
            {"type": "object", "properties": {"a": STRING}, "additionalProperties": STRING},
            ".additionalProperties",
            "mutual exclusive",
        ),
        ({"type": "string", "pattern": "("}, ".pattern", "must be a valid regular expression"),
        ({"type": "string", "x-kubernetes-int-or-string": True}, ".type", "must be empty if"),
        (
            {"type": "string", "x-kubernetes-embedded-resource": True, "properties": {"a": STRING}},
            ".type",
            "must be object if",
        ),
        ({"type": "object", "x-kubernetes-embedded-resource": True}, ".properties", "must not be empty if"),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
            ".x-kubernetes-preserve-unknown-fields",
            "must be true or undefined",
        ),
        ({"type": "string", "x-kubernetes-list-type": "set"}, ".type", "must be array if"),
        ({"type": "array", "items": STRING, "x-kubernetes-list-type": "bag"}, ".x-kubernetes-list-type", "Unsupported"),
        (
            {"type": "array", "items": NAMED, "x-kubernetes-list-type": "map"},
            ".x-kubernetes-list-map-keys",
            "must not be empty",
        ),
        ({"type": "array", "items": STRING, **KEYED}, ".items.type", "must be object"),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": STRING}}, **KEYED},
            ".x-kubernetes-list-map-keys[0]",
            "entries must all be names of item properties",
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"name": STRING}}, **KEYED},
            ".items.properties[name].default",
            "must have a default or be a required property",
        ),
        ({"type": "string", "x-kubernetes-map-type": "atomic"}, ".type", "must be object"),
        ({"type": "object", "x-kubernetes-map-type": "odd"}, ".x-kubernetes-map-type", "Unsupported"),
        ({"type": "string", "anyOf": [{"type": "string"}]}, ".anyOf[0].type", "must be empty to be structural"),
        ({"type": "string", "allOf": [{"default": "x"}]}, ".allOf[0].default", "must be empty to be structural"),
        ({"type": "string", "oneOf": [{"nullable": True}]}, ".oneOf[0].nullable", "must be false to be structural"),
        (
            {"type": "object", "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
            ".properties[a]",
            f"because it is defined in {SPEC}.anyOf[0].properties[a]",
        ),
        ({"type": "string", "not": {"items": {}}}, ".items", "because it is defined in"),
        ("text", "", "must be a schema"),
    ],
)
def test_what_is_not_structural_is_named(schema: Any, field: str, says: str) -> None:
    causes = structural.check(at(schema))
    assert [c.field for c in causes] == [SPEC + field]
    assert says in causes[0].message


def test_the_root_is_an_object() -> None:
    assert [c.field for c in structural.check({"type": "string"})] == ["openAPIV3Schema.type"]


def test_metadata_may_only_restrict_names() -> None:
    name = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 10}}}
    labels = {"type": "object", "properties": {"labels": {"type": "object"}}}
    assert structural.check({"type": "object", "properties": {"metadata": name}}) == ()
    causes = structural.check({"type": "object", "properties": {"metadata": labels}})
    assert [c.field for c in causes] == ["openAPIV3Schema.properties[metadata]"]


def test_defaults_fit_their_own_schema() -> None:
    items = {"type": "array", "items": {"type": "integer"}, "default": [1, "x"]}
    assert [(c.field, c.message) for c in structural.check(at(items))] == [
        (
            f"{SPEC}.default[1]",
            f'Invalid value: "string": {SPEC}.default[1] in body must be of type integer: "string"',
        )
    ]
    assert structural.check(at({"type": "string", "enum": ["a"], "default": "a"})) == ()
    assert len(structural.check(at({"type": "string", "enum": ["a"], "default": "b"}))) == 1
