"""What holds for every schema and value: pruning, defaulting and validating agree with each other."""

from __future__ import annotations

import copy
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from portway.krm.schemas import defaulting, pruning, structural, validating

names = st.sampled_from(["a", "b", "c"])
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0]), st.sampled_from(["", "a", "abc"])
)
values = st.recursive(
    scalars,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(names, below, max_size=3)),
    max_leaves=12,
)
leaves = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"minLength": st.integers(0, 2), "enum": st.just(["a", ""]), "nullable": st.booleans()},
    ),
    st.fixed_dictionaries(
        {"type": st.just("integer")}, optional={"minimum": st.integers(-1, 1), "maximum": st.integers(0, 2)}
    ),
    st.sampled_from(
        [
            {"type": "boolean"},
            {"type": "number"},
            {"x-kubernetes-int-or-string": True},
            {"x-kubernetes-preserve-unknown-fields": True},
            {"type": "string", "default": "a"},
            {"type": "integer", "default": 1},
        ]
    ),
)


def nested(below: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(names, below, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": properties},
            optional={"required": st.lists(names, max_size=2, unique=True), "nullable": st.booleans()},
        ),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": below}),
        st.fixed_dictionaries({"type": st.just("array"), "items": below}, optional={"maxItems": st.integers(0, 3)}),
    )


schemas = st.recursive(leaves, nested, max_leaves=8)


def at_spec(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": schema}}


@given(schemas)
def test_the_schemas_of_these_tests_are_structural(schema: dict[str, Any]) -> None:
    assert structural.check(at_spec(schema)) == ()


@given(schemas, values)
@settings(deadline=None)
def test_pruning_twice_is_pruning_once(schema: dict[str, Any], value: Any) -> None:
    manifest = {"spec": copy.deepcopy(value)}
    gone = pruning.prune(at_spec(schema), manifest)
    assert (gone == ()) is (manifest == {"spec": value} and orjson.dumps(manifest) == orjson.dumps({"spec": value}))
    assert pruning.prune(at_spec(schema), manifest) == ()


@given(schemas, values)
@settings(deadline=None)
def test_defaulting_twice_is_defaulting_once(schema: dict[str, Any], value: Any) -> None:
    once = {"spec": copy.deepcopy(value)}
    defaulting.default(at_spec(schema), once)
    twice = copy.deepcopy(once)
    defaulting.default(at_spec(schema), twice)
    assert orjson.dumps(once) == orjson.dumps(twice)


def slow(schema: dict[str, Any], value: Any) -> bool:
    """The meaning of a schema, written as plainly as possible."""
    if value is None and schema.get("nullable"):
        return True
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return True
    if schema.get("x-kubernetes-int-or-string"):
        return isinstance(value, str) or whole(value)
    match schema["type"]:
        case "string":
            right = isinstance(value, str) and len(value) >= schema.get("minLength", 0)
            return right and value in schema.get("enum", [value])
        case "integer":
            return whole(value) and schema.get("minimum", value) <= value <= schema.get("maximum", value)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            fits = isinstance(value, list) and len(value) <= schema.get("maxItems", len(value))
            return fits and all(slow(schema["items"], item) for item in value)
    if not isinstance(value, dict) or any(name not in value for name in schema.get("required", ())):
        return False
    children = schema.get("properties", {})
    other = schema.get("additionalProperties")
    return all(
        slow(children.get(name, other), item) for name, item in value.items() if children.get(name, other) is not None
    )


def whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


@given(schemas, values)
@settings(max_examples=400, deadline=None)
def test_validation_says_what_the_schema_means(schema: dict[str, Any], value: Any) -> None:
    assert (validating.validate(at_spec(schema), {"spec": value}) == ()) is slow(schema, value)


@given(schemas, values)
@settings(deadline=None)
def test_every_violation_names_a_field_of_the_value(schema: dict[str, Any], value: Any) -> None:
    for cause in validating.validate(at_spec(schema), {"spec": value}):
        assert cause.field.startswith("spec")
        assert cause.reason.startswith("FieldValue")
