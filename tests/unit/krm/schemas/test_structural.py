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
        {"type": "object", "additionalProperties": False},
        {"type": "string", "x-kubernetes-int-or-string": True},
        {"type": "array", "items": STRING, "x-kubernetes-preserve-unknown-fields": True},
        {"type": "object", "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
    ],
)
def test_structural_schemas_are_accepted(schema: dict[str, Any]) -> None:
    assert structural.check(at(schema)) == ()


TYPE_LIST = '"array", "boolean", "integer", "number", "object", "string"'
LIST, KEYS, MAP = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
PRESERVE, EMBEDDED, EITHER = (
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
)
PART_OF_KEYS = f"this property is in {KEYS}, so it"
OPEN = {"type": "object", EMBEDDED: True, PRESERVE: True}


@pytest.mark.parametrize(
    ("schema", "field", "says", "reason"),
    [
        ({}, ".type", "Required value: must not be empty for specified object fields", "fields have a type"),
        (
            {"type": "array", "items": {"description": "x"}},
            ".items.type",
            "Required value: must not be empty for specified array items",
            "and so have items",
        ),
        ({"type": "float"}, ".type", f'Unsupported value: "float": supported values: {TYPE_LIST}', "of OpenAPI"),
        ({"type": "array"}, ".items", "Required value: must be specified", "lists say what they hold"),
        ({"type": "string", "$ref": "#/x"}, ".$ref", "Forbidden: $ref is not supported", "no references"),
        (
            {"type": "object", "definitions": {"a": STRING}},
            ".definitions",
            "Forbidden: definitions is not supported",
            "nothing is defined for later",
        ),
        (
            {"type": "object", "patternProperties": {"a": STRING}},
            ".patternProperties",
            "Forbidden: patternProperties is not supported",
            "names are not matched",
        ),
        (
            {"type": "array", "items": STRING, "uniqueItems": True},
            ".uniqueItems",
            "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            "a list of type set does the same",
        ),
        (
            {"type": "object", "properties": {"a": STRING}, "additionalProperties": STRING},
            ".additionalProperties",
            "Forbidden: additionalProperties and properties are mutual exclusive",
            "an object is a struct or a map",
        ),
        (
            {**OPEN, "additionalProperties": STRING},
            ".additionalProperties",
            f"Forbidden: must not be used if {EMBEDDED} is set",
            "an object of its own is no map",
        ),
        (
            {"type": "string", "pattern": "("},
            ".pattern",
            "Invalid value: \"(\": must be a valid regular expression, but isn't: '(' is not a regular "
            "expression in RE2 syntax",
            "RE2 reads it",
        ),
        (
            {EITHER: True, PRESERVE: True},
            f".{PRESERVE}",
            f"Invalid value: true: must be false if {EITHER} is true",
            "neither type has fields",
        ),
        (
            {"type": "string", EMBEDDED: True, "properties": {"a": STRING}},
            ".type",
            f'Invalid value: "string": must be object if {EMBEDDED} is true',
            "only an object can be embedded",
        ),
        (
            {EMBEDDED: True, PRESERVE: True},
            ".type",
            f"Required value: must be object if {EMBEDDED} is true",
            "and has to say so",
        ),
        (
            {"type": "object", EMBEDDED: True},
            ".properties",
            f"Required value: must not be empty if {EMBEDDED} is true without {PRESERVE}",
            "else all of it would be pruned",
        ),
        (
            {**OPEN, "properties": {"metadata": {"type": "string"}}},
            ".properties[metadata].type",
            'Invalid value: "string": must be object',
            "metadata of an embedded object",
        ),
        (
            {"type": "object", PRESERVE: False},
            f".{PRESERVE}",
            "Invalid value: false: must be true or undefined",
            "false says nothing",
        ),
        (
            {"type": "string", LIST: "set"},
            ".type",
            f'Invalid value: "string": must be array if {LIST} is specified',
            "only lists have a list type",
        ),
        (
            {"type": "array", "items": STRING, LIST: "bag"},
            f".{LIST}",
            'Unsupported value: "bag": supported values: "atomic", "set", "map"',
            "of three",
        ),
        (
            {"type": "array", "items": {"type": "object"}, LIST: "set"},
            f".items.{MAP}",
            f"Invalid value: null: must be atomic as item of a list with {LIST}=set",
            "items of sets are merged whole",
        ),
        (
            {"type": "array", "items": {**STRING, "nullable": True}, LIST: "set"},
            ".items.nullable",
            f"Forbidden: cannot be nullable when {LIST} is set",
            "null is nobody's identity",
        ),
        (
            {"type": "array", "items": STRING, LIST: "set", KEYS: ["name"]},
            f".{LIST}",
            f'Invalid value: "set": must be map if {KEYS} is non-empty',
            "keys are for maps",
        ),
        (
            {"type": "array", "items": STRING, KEYS: ["name"]},
            f".{LIST}",
            f"Required value: must be map if {KEYS} is non-empty",
            "keys are for maps",
        ),
        (
            {"type": "array", "items": NAMED, LIST: "map"},
            f".{KEYS}",
            f"Required value: must not be empty if {LIST} is map",
            "maps have keys",
        ),
        (
            {"type": "array", "items": STRING, **KEYED},
            ".items.type",
            f'Invalid value: "string": must be object if parent array\'s {LIST} is map',
            "that are fields",
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": STRING}}, **KEYED},
            f".{KEYS}",
            'Invalid value: ["name"]: entries must all be names of item properties',
            "that are declared",
        ),
        (
            {"type": "array", "items": NAMED, **KEYED, KEYS: ["name", "name"]},
            f".{KEYS}",
            'Invalid value: ["name","name"]: must not contain duplicate entries',
            "once",
        ),
        (
            {"type": "array", "items": {**NAMED, "properties": {"name": {"type": "object"}}}, **KEYED},
            ".items.properties[name].type",
            f'Invalid value: "object": must be a scalar type if parent array\'s {LIST} is map',
            "that can be compared",
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"name": STRING}}, **KEYED},
            ".items.properties[name].default",
            f"Required value: {PART_OF_KEYS} must have a default or be a required property",
            "that are always there",
        ),
        (
            {"type": "array", "items": {**NAMED, "properties": {"name": {**STRING, "nullable": True}}}, **KEYED},
            ".items.properties[name].nullable",
            f"Forbidden: {PART_OF_KEYS} cannot be nullable",
            "and never null",
        ),
        (
            {"type": "string", MAP: "atomic"},
            ".type",
            f'Invalid value: "string": must be object if {MAP} is specified',
            "only objects have a map type",
        ),
        (
            {"type": "object", MAP: "odd"},
            f".{MAP}",
            'Unsupported value: "odd": supported values: "atomic", "granular"',
            "of two",
        ),
        (
            {"type": "string", "anyOf": [{"type": "string"}]},
            ".anyOf[0].type",
            "Forbidden: must be empty to be structural",
            "junctors have no types",
        ),
        (
            {"type": "string", "allOf": [{"default": "x"}]},
            ".allOf[0].default",
            "Forbidden: must be undefined to be structural",
            "nor defaults",
        ),
        (
            {"type": "string", "oneOf": [{"nullable": True}]},
            ".oneOf[0].nullable",
            "Forbidden: must be false to be structural",
            "nor may they be null",
        ),
        (
            {"type": "string", "allOf": [{"x-kubernetes-validations": [{"rule": "true"}]}]},
            ".allOf[0].x-kubernetes-validations",
            "Forbidden: must be empty to be structural",
            "nor rules",
        ),
        ("text", "", 'Invalid value: "text": must be a schema', "a schema is an object"),
    ],
)
def test_what_is_not_structural_is_named(schema: Any, field: str, says: str, reason: str) -> None:
    assert [(c.field, c.message) for c in structural.check(at(schema))] == [(SPEC + field, says)], reason


ROOT = "openAPIV3Schema"
IMPLICIT = "Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified"


@pytest.mark.parametrize(
    ("schema", "found", "reason"),
    [
        ({}, [(".type", "Required value: must not be empty at the root")], "the root has a type"),
        ({"type": "string"}, [(".type", 'Invalid value: "string": must be object at the root')], "it is an object"),
        (
            {"type": "object", "nullable": True},
            [(".nullable", "Forbidden: nullable cannot be true at the root")],
            "never null",
        ),
        (
            {"type": "object", "additionalProperties": True},
            [(".additionalProperties", "Forbidden: must not be used at the root")],
            "no map",
        ),
        (
            {"type": "object", "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
            [(".properties[a]", f"Required value: because it is defined in {ROOT}.anyOf[0].properties[a]")],
            "whose junctors restrict what it declares",
        ),
        (
            {**at({"type": "object"}), "not": {"properties": {"spec": {"items": {}}}}},
            [
                (
                    ".properties[spec].items",
                    f"Required value: because it is defined in {ROOT}.not.properties[spec].items",
                )
            ],
            "at any depth",
        ),
        (
            {"type": "object", "properties": {"kind": {"type": "integer"}}},
            [(".properties[kind].type", 'Invalid value: "integer": must be string')],
            "with a kind that is a text",
        ),
        (
            {"type": "object", "properties": {"metadata": {"type": "object", "description": "x"}}},
            [(".properties[metadata]", IMPLICIT)],
            "metadata is described elsewhere",
        ),
        (
            {"type": "object", "properties": {"apiVersion": {"type": "string", "default": "v1"}}},
            [(".properties[apiVersion].default", "Forbidden: must not be set in top-level apiVersion")],
            "what identifies an object is given",
        ),
        (
            {
                "type": "object",
                "properties": {"metadata": {"type": "object", "properties": {"name": {**STRING, "default": "a"}}}},
            },
            [(".properties[metadata].properties[name].default", "Forbidden: must not be set in top-level metadata")],
            "a name too",
        ),
    ],
)
def test_what_the_root_may_be(schema: Any, found: list[tuple[str, str]], reason: str) -> None:
    expected = [(f"{ROOT}{field}", message) for field, message in found]
    assert [(c.field, c.message) for c in structural.check(schema)] == expected, reason


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


def test_nothing_of_a_default_is_pruned() -> None:
    pair = {"type": "object", "properties": {"a": STRING}, "default": {"a": "x", "b": 1}}
    assert [(c.field, c.message) for c in structural.check(at(pair))] == [
        (f"{SPEC}.default", 'Invalid value: {"a":"x","b":1}: must not have unknown fields')
    ]


def test_defaults_keep_the_rules_of_their_own_schema() -> None:
    rule = {"rule": "self.a < 3", "message": "too much"}
    pair = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "default": {"a": 5},
        "x-kubernetes-validations": [rule],
    }
    assert [(c.field, c.message) for c in structural.check(at(pair))] == [
        (f"{SPEC}.default", "Invalid value: too much")
    ]
