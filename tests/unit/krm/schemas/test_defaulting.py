from __future__ import annotations

from typing import Any

import pytest

from portway.krm.schemas import defaulting

FIVE = {"type": "integer", "default": 5}
WITH_FIVE = {"type": "object", "properties": {"n": FIVE}}


@pytest.mark.parametrize(
    ("reason", "schema", "value", "expected"),
    [
        ("a missing field gets its default", WITH_FIVE, {}, {"n": 5}),
        ("a given one keeps its value", WITH_FIVE, {"n": 0}, {"n": 0}),
        ("null on a field that is not nullable counts as missing", WITH_FIVE, {"n": None}, {"n": 5}),
        (
            "and is dropped without a default",
            {"type": "object", "properties": {"s": {"type": "string"}}},
            {"s": None},
            {},
        ),
        (
            "null on a nullable field is a value",
            {"type": "object", "properties": {"n": {**FIVE, "nullable": True}}},
            {"n": None},
            {"n": None},
        ),
        (
            "defaults appear inside defaults",
            {"type": "object", "properties": {"o": {**WITH_FIVE, "default": {}}}},
            {},
            {"o": {"n": 5}},
        ),
        ("but not inside what is missing", {"type": "object", "properties": {"o": WITH_FIVE}}, {}, {}),
        ("items get them", {"type": "array", "items": WITH_FIVE}, [{}, {"n": 1}], [{"n": 5}, {"n": 1}]),
        ("null items too", {"type": "array", "items": FIVE}, [None, 1], [5, 1]),
        (
            "values of a map get them",
            {"type": "object", "additionalProperties": WITH_FIVE},
            {"a": {}, "b": {"n": 1}},
            {"a": {"n": 5}, "b": {"n": 1}},
        ),
        ("null values of a map too", {"type": "object", "additionalProperties": FIVE}, {"a": None}, {"a": 5}),
        (
            "null values of a map without default stay for validation",
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"a": None},
            {"a": None},
        ),
        ("false is a default", {"type": "object", "properties": {"b": {"default": False}}}, {}, {"b": False}),
        ("a value of the wrong type is left to validation", WITH_FIVE, "text", "text"),
    ],
)
def test_defaulting(reason: str, schema: dict[str, Any], value: Any, expected: Any) -> None:
    manifest = {"spec": value}
    defaulting.default({"type": "object", "properties": {"spec": schema}}, manifest)
    assert manifest == {"spec": expected}, reason


def test_each_object_gets_a_default_of_its_own() -> None:
    schema = {
        "type": "object",
        "properties": {"list": {"type": "array", "default": ["a"], "items": {"type": "string"}}},
    }
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    defaulting.default(schema, first)
    defaulting.default(schema, second)
    first["list"].append("b")
    assert second == {"list": ["a"]}


def test_nulls_of_metadata_are_dropped() -> None:
    manifest = {"metadata": {"name": "a", "creationTimestamp": None}}
    defaulting.default({"type": "object"}, manifest)
    assert manifest == {"metadata": {"name": "a"}}
