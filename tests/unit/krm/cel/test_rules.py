"""Rules of schemas: what refuses a definition, what refuses an object, what is forgiven."""

from __future__ import annotations

from typing import Any

import pytest

from portway.krm.cel import rulechecks, rules
from portway.krm.schemas import ratcheting, validating


def schema(properties: dict[str, Any], *entries: dict[str, Any]) -> dict[str, Any]:
    spec = {"type": "object", "properties": properties, "x-kubernetes-validations": list(entries)}
    return {"type": "object", "properties": {"spec": spec}}


NUMBER, TEXT = {"type": "integer"}, {"type": "string"}
NAMED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": TEXT, "size": {**NUMBER, "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}},
    },
}


@pytest.mark.parametrize(
    ("reason", "properties", "rule", "spec", "old", "found"),
    [
        ("a rule that holds", {"a": NUMBER}, {"rule": "self.a > 0"}, {"a": 1}, None, []),
        (
            "a failed rule",
            {"a": NUMBER},
            {"rule": "self.a > 0"},
            {"a": 0},
            None,
            ["spec: Invalid value: failed rule: self.a > 0"],
        ),
        (
            "its message",
            {"a": NUMBER},
            {"rule": "self.a > 0", "message": " too small "},
            {"a": 0},
            None,
            ["spec: Invalid value: too small"],
        ),
        (
            "its messageExpression",
            {"a": NUMBER},
            {"rule": "self.a > 0", "message": "no", "messageExpression": "'a is ' + string(self.a)"},
            {"a": 0},
            None,
            ["spec: Invalid value: a is 0"],
        ),
        (
            "a messageExpression that fails gives way to the message",
            {"a": NUMBER, "b": TEXT},
            {"rule": "self.a > 0", "message": "no", "messageExpression": "self.b"},
            {"a": 0},
            None,
            ["spec: Invalid value: no"],
        ),
        (
            "reason and fieldPath",
            {"a": NUMBER},
            {"rule": "self.a > 0", "reason": "FieldValueForbidden", "fieldPath": ".a"},
            {"a": 0},
            None,
            ["spec.a: Forbidden: failed rule: self.a > 0"],
        ),
        (
            "a rule on a scalar shows the value",
            {"a": {**NUMBER, "x-kubernetes-validations": [{"rule": "self > 0"}]}},
            {"rule": "true"},
            {"a": -1},
            None,
            ["spec.a: Invalid value: -1: failed rule: self > 0"],
        ),
        (
            "a missing field is an error",
            {"a": NUMBER},
            {"rule": "self.a > 0"},
            {},
            None,
            ['spec: Invalid value: "object": no such key: a evaluating rule: self.a > 0'],
        ),
        ("transition rules do not run on creation", {"a": NUMBER}, {"rule": "self.a == oldSelf.a"}, {"a": 1}, None, []),
        (
            "transition rules run on update",
            {"a": NUMBER},
            {"rule": "self.a == oldSelf.a"},
            {"a": 2},
            {"a": 1},
            ["spec: Invalid value: failed rule: self.a == oldSelf.a"],
        ),
        (
            "optionalOldSelf runs on creation too",
            {"a": NUMBER},
            {"rule": "!oldSelf.hasValue() && self.a > 1", "optionalOldSelf": True},
            {"a": 1},
            None,
            ["spec: Invalid value: failed rule: !oldSelf.hasValue() && self.a > 1"],
        ),
        ("an unchanged part is forgiven", {"a": NUMBER}, {"rule": "self.a > 0"}, {"a": 0}, {"a": 0}, []),
        (
            "a changed part is not",
            {"a": NUMBER},
            {"rule": "self.a > 0"},
            {"a": 0},
            {"a": -1},
            ["spec: Invalid value: failed rule: self.a > 0"],
        ),
        (
            "items of map lists are told apart by their keys",
            {"list": NAMED},
            {"rule": "true"},
            {"list": [{"name": "b", "size": 1}, {"name": "a", "size": 5}]},
            {"list": [{"name": "a", "size": 5}, {"name": "b", "size": 2}]},
            ["spec.list[0].size: Invalid value: 1: failed rule: self >= oldSelf"],
        ),
        (
            "rules in additionalProperties",
            {
                "m": {
                    "type": "object",
                    "additionalProperties": {**TEXT, "x-kubernetes-validations": [{"rule": "self != ''"}]},
                }
            },
            {"rule": "true"},
            {"m": {"k": ""}},
            None,
            ["spec.m[k]: Invalid value: \"\": failed rule: self != ''"],
        ),
    ],
)
def test_rules_of_objects(reason: str, properties: Any, rule: Any, spec: Any, old: Any, found: list[str]) -> None:
    report = rules.validate(schema(properties, rule), {"spec": spec}, {"spec": old} if old is not None else None)
    assert [f"{cause.field}: {cause.message}" for cause in report.causes] == found, reason


LISTS = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("properties", "rule", "found"),
    [
        ({"a": NUMBER}, {"rule": "self.a > 0"}, None),
        ({"a": NUMBER}, {"rule": " "}, ".rule: Required value: rule is not specified"),
        ({"a": NUMBER}, {"rule": "self.b > 0"}, "compilation failed: ERROR: <input>:1:5: undefined field 'b'"),
        ({"a": NUMBER}, {"rule": "self.a"}, "cel expression must evaluate to a bool"),
        ({"a": NUMBER}, {"rule": "self.a > 0", "message": "a\nb"}, "must not contain line breaks"),
        ({"a": NUMBER}, {"rule": "self.a >\n0"}, "message must be specified if rule contains line breaks"),
        (
            {"a": NUMBER},
            {"rule": "self.a > 0", "messageExpression": "self.a"},
            "messageExpression must evaluate to a string",
        ),
        (
            {"a": NUMBER},
            {"rule": "self.a > 0", "messageExpression": "self.x"},
            "messageExpression compilation failed: ERROR",
        ),
        (
            {"a": NUMBER},
            {"rule": "self.a > 0", "reason": "Odd"},
            'Unsupported value: "Odd": supported values: "FieldValueDuplicate"',
        ),
        (
            {"a": NUMBER},
            {"rule": "self.a > 0", "fieldPath": ".b"},
            'fieldPath: Invalid value: ".b": must be a valid path',
        ),
        (
            {"a": NUMBER},
            {"rule": "self.a > 0", "optionalOldSelf": True},
            "may not be set if oldSelf is not used in rule",
        ),
        (
            {"a": LISTS},
            {"rule": "self.a.all(x, self.a.all(y, x == y))"},
            "estimated rule cost exceeds budget by factor of more than 100x",
        ),
        (
            {"a": {**LISTS, "maxItems": 10, "items": {**TEXT, "maxLength": 10}}},
            {"rule": "self.a.all(x, self.a.all(y, x == y))"},
            None,
        ),
        (
            {"a": {"type": "array", "items": {**NUMBER, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}},
            {"rule": "true"},
            "oldSelf cannot be used on the uncorrelatable portion of the schema within "
            "schema.properties[spec].properties[a]",
        ),
    ],
)
def test_rules_are_judged_when_they_are_written(properties: Any, rule: Any, found: str | None) -> None:
    causes = rulechecks.check(schema(properties, rule), "schema")
    if found is None:
        assert causes == ()
    else:
        assert any(found in f"{cause.field}: {cause.message}" for cause in causes), causes


@pytest.mark.parametrize(
    ("reason", "new", "old", "counted"),
    [
        ("unchanged and wrong", {"a": "x", "b": 1}, {"a": "x", "b": 2}, 0),
        ("changed and wrong", {"a": "y", "b": 1}, {"a": "x", "b": 1}, 1),
        ("new and wrong", {"a": "y"}, {}, 1),
    ],
)
def test_errors_of_unchanged_fields_are_forgiven(reason: str, new: Any, old: Any, counted: int) -> None:
    numbers = {"type": "object", "properties": {"a": NUMBER, "b": NUMBER}}
    causes = validating.validate(numbers, new)
    assert len(ratcheting.split(causes, numbers, new, old)[0]) == counted, reason


def test_a_removed_required_field_is_not_forgiven() -> None:
    wanting = {
        "type": "object",
        "properties": {"spec": {"type": "object", "required": ["a"], "properties": {"a": TEXT, "b": TEXT}}},
    }
    new, old = {"spec": {"b": "1"}}, {"spec": {"a": "x", "b": "1"}}
    assert len(ratcheting.split(validating.validate(wanting, new), wanting, new, old)[0]) == 1
    assert ratcheting.split(validating.validate(wanting, new), wanting, new, new)[0] == ()
