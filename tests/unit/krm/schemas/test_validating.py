from __future__ import annotations

from typing import Any

import pytest

from portway.krm.errors import Cause
from portway.krm.schemas import validating


def spec(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": schema}, **more}}}


def found(schema: dict[str, Any], value: Any) -> list[tuple[str, str, str]]:
    causes = validating.validate(spec(schema), {"spec": {"x": value}})
    return [(c.reason, c.field, c.message) for c in causes]


INV, T, R, N = "FieldValueInvalid", "FieldValueTypeInvalid", "FieldValueRequired", "FieldValueNotSupported"
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
ITEMS = {"type": "object", "required": ["port"], "properties": {"port": INTEGER, "name": STRING}}


@pytest.mark.parametrize(
    ("schema", "value", "reason", "message"),
    [
        (INTEGER, "a", T, 'Invalid value: "string": spec.x in body must be of type integer: "string"'),
        (INTEGER, 1.5, T, 'Invalid value: "number": spec.x in body must be of type integer: "number"'),
        (INTEGER, True, T, 'Invalid value: "boolean": spec.x in body must be of type integer: "boolean"'),
        (STRING, 1, T, 'Invalid value: "integer": spec.x in body must be of type string: "integer"'),
        (STRING, None, T, 'Invalid value: "null": spec.x in body must be of type string: "null"'),
        (STRING, {}, T, 'Invalid value: "object": spec.x in body must be of type string: "object"'),
        ({"type": "boolean"}, "true", T, 'Invalid value: "string": spec.x in body must be of type boolean: "string"'),
        ({"type": "object"}, [], T, 'Invalid value: "array": spec.x in body must be of type object: "array"'),
        (
            {"type": "array", "items": STRING},
            {},
            T,
            'Invalid value: "object": spec.x in body must be of type array: "object"',
        ),
        (
            {"x-kubernetes-int-or-string": True},
            True,
            T,
            'Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"',
        ),
        ({"type": "string", "enum": ["a", "b"]}, "c", N, 'Unsupported value: "c": supported values: "a", "b"'),
        ({"type": "integer", "enum": [1, 2]}, 3, N, 'Unsupported value: 3: supported values: "1", "2"'),
        (
            {"type": "string", "minLength": 2},
            "a",
            INV,
            'Invalid value: "a": spec.x in body should be at least 2 chars long',
        ),
        ({"type": "string", "maxLength": 2}, "abc", "FieldValueTooLong", "Too long: may not be more than 2 bytes"),
        ({"type": "string", "pattern": "^a+$"}, "b", INV, "Invalid value: \"b\": spec.x in body should match '^a+$'"),
        (
            {"type": "string", "format": "date-time"},
            "now",
            T,
            'Invalid value: "now": spec.x in body must be of type date-time: "now"',
        ),
        (
            {"type": "integer", "maximum": 5},
            6,
            INV,
            "Invalid value: 6: spec.x in body should be less than or equal to 5",
        ),
        (
            {"type": "integer", "minimum": 5},
            4,
            INV,
            "Invalid value: 4: spec.x in body should be greater than or equal to 5",
        ),
        (
            {"type": "number", "maximum": 5, "exclusiveMaximum": True},
            5,
            INV,
            "Invalid value: 5: spec.x in body should be less than 5",
        ),
        (
            {"type": "number", "minimum": 0.5, "exclusiveMinimum": True},
            0.5,
            INV,
            "Invalid value: 0.5: spec.x in body should be greater than 0.5",
        ),
        ({"type": "integer", "multipleOf": 5}, 6, INV, "Invalid value: 6: spec.x in body should be a multiple of 5"),
        (
            {"type": "integer", "format": "int32"},
            2**31,
            INV,
            "Invalid value: 2147483648: spec.x in body must be of type integer with format int32",
        ),
        (
            {"type": "array", "items": STRING, "maxItems": 1},
            ["a", "b"],
            "FieldValueTooMany",
            "Too many: 2: must have at most 1 items",
        ),
        (
            {"type": "array", "items": STRING, "minItems": 1},
            [],
            INV,
            "Invalid value: 0: spec.x in body should have at least 1 items",
        ),
        (
            {"type": "object", "additionalProperties": STRING, "maxProperties": 0},
            {"a": "b"},
            "FieldValueTooMany",
            "Too many: 1: must have at most 0 items",
        ),
        (
            {"type": "object", "additionalProperties": STRING, "minProperties": 1},
            {},
            INV,
            "Invalid value: 0: spec.x in body should have at least 1 properties",
        ),
        (
            {"type": "string", "not": {"enum": ["a"]}},
            "a",
            INV,
            'Invalid value: "": "spec.x" must not validate the schema (not)',
        ),
    ],
)
def test_violations_have_upstreams_reason_and_text(
    schema: dict[str, Any], value: Any, reason: str, message: str
) -> None:
    assert found(schema, value) == [(reason, "spec.x", message)]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (INTEGER, 1.0),
        (INTEGER, -(2**62)),
        ({"type": "number"}, 1),
        ({"type": "string", "nullable": True}, None),
        ({"type": "array", "items": STRING, "nullable": True}, None),
        ({"x-kubernetes-int-or-string": True}, "80%"),
        ({"x-kubernetes-int-or-string": True}, 80),
        ({"x-kubernetes-preserve-unknown-fields": True}, [1, {"a": None}]),
        ({"type": "integer", "enum": [1]}, 1.0),
        ({"type": "string", "format": "unheard-of"}, "anything"),
        ({"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^ä", "enum": ["äöü"]}, "äöü"),
        ({"type": "string", "anyOf": [{"pattern": "^a"}, {"pattern": "^b"}]}, "bc"),
        ({"type": "string", "oneOf": [{"pattern": "^a"}, {"pattern": "c$"}]}, "bc"),
        ({"type": "string", "allOf": [{"minLength": 1}, {"maxLength": 2}]}, "bc"),
        ({"type": "array", "items": INTEGER, "x-kubernetes-list-type": "set"}, [1, 2]),
        ({"type": "array", "items": {"type": "string", "nullable": True}}, ["a", None]),
    ],
)
def test_good_values_have_no_violation(schema: dict[str, Any], value: Any) -> None:
    assert found(schema, value) == []


def test_a_value_outside_an_enum_and_of_the_wrong_type_has_both_violations() -> None:
    assert [reason for reason, _, _ in found({"type": "string", "enum": ["a"]}, 5)] == [T, N]


def test_paths_lead_through_lists_and_maps() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "array", "items": INTEGER}}}
    assert [(f, m) for _, f, m in found(schema, {"k": [[1], [2, "x"]]})] == [
        ("spec.x.k[1][1]", 'Invalid value: "string": spec.x.k[1][1] in body must be of type integer: "string"')
    ]


def test_required_fields_are_reported_where_they_are_missing() -> None:
    schema = spec(STRING, required=["x", "y"])
    assert validating.validate(schema, {"spec": {}}) == (
        Cause(R, "Required value", "spec.x"),
        Cause(R, "Required value", "spec.y"),
    )


def test_all_violations_are_reported_at_once() -> None:
    schema = {"type": "object", "properties": {"a": INTEGER, "b": STRING}, "required": ["c"]}
    assert [field for _, field, _ in found(schema, {"a": "x", "b": 1})] == ["spec.x.a", "spec.x.b", "spec.x.c"]


@pytest.mark.parametrize(
    ("junctor", "value", "says"),
    [
        ("anyOf", "x", "must validate at least one schema (anyOf)"),
        ("oneOf", "x", "must validate one and only one schema (oneOf). Found none valid"),
        ("oneOf", "aab", "must validate one and only one schema (oneOf). Found 2 valid alternatives"),
        ("allOf", "a", "must validate all the schemas (allOf)"),
    ],
)
def test_junctors_say_what_was_expected(junctor: str, value: str, says: str) -> None:
    schema = {"type": "string", junctor: [{"pattern": "^a"}, {"pattern": "b$"}]}
    assert found(schema, value)[-1] == (INV, "spec.x", f'Invalid value: "": "spec.x" {says}')


def test_required_inside_a_junctor_names_the_missing_field() -> None:
    schema = {
        "type": "object",
        "properties": {"a": STRING, "b": STRING},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    assert [field for _, field, _ in found(schema, {})] == ["spec.x.a", "spec.x"]
    assert found(schema, {"a": ""}) == []


def test_items_of_a_set_are_distinct() -> None:
    schema = {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"}
    assert found(schema, ["a", "b", "a"]) == [("FieldValueDuplicate", "spec.x[2]", 'Duplicate value: "a"')]


def test_items_of_a_map_list_are_distinct_by_their_keys() -> None:
    schema = {"type": "array", "items": ITEMS, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"]}
    assert found(schema, [{"port": 1, "name": "a"}, {"port": 2}, {"port": 1.0}]) == [
        ("FieldValueDuplicate", "spec.x[2]", 'Duplicate value: {"port":1.0}')
    ]


def test_a_default_stands_for_a_missing_key() -> None:
    items = {"type": "object", "properties": {"port": INTEGER, "protocol": {"type": "string", "default": "TCP"}}}
    keys = ["port", "protocol"]
    schema = {"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
    assert found(schema, [{"port": 1}, {"port": 1, "protocol": "UDP"}]) == []
    assert [f for _, f, _ in found(schema, [{"port": 1}, {"port": 1, "protocol": "TCP"}])] == ["spec.x[1]"]
    assert found(schema, [{"protocol": "TCP"}]) == [(R, "spec.x[0].port", "Required value")]


def test_true_and_one_are_different_items_of_a_set() -> None:
    schema = {"type": "array", "x-kubernetes-list-type": "set", "items": {"x-kubernetes-preserve-unknown-fields": True}}
    assert found(schema, [1, True, "1"]) == []


def test_an_embedded_resource_names_its_type() -> None:
    schema = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    assert found(schema, {"apiVersion": "v1", "metadata": {"name": 5}}) == [
        (
            T,
            "spec.x.metadata.name",
            'Invalid value: "integer": spec.x.metadata.name in body must be of type string: "integer"',
        ),
        (R, "spec.x.kind", "Required value"),
    ]


def test_the_types_of_metadata_are_checked_without_the_schema_saying_so() -> None:
    causes = validating.validate({"type": "object"}, {"metadata": {"labels": {"a": 1}}})
    assert [c.field for c in causes] == ["metadata.labels.a"]


def test_deep_nesting_with_an_error_at_the_bottom_takes_linear_time() -> None:
    schema: dict[str, Any] = INTEGER
    value: Any = "x"
    for _ in range(60):
        schema, value = {"type": "object", "required": ["a"], "properties": {"a": schema}}, {"a": value}
    assert len(validating.validate(schema, value)) == 1
