"""Tables restated from structured-merge-diff typed/{toset,symdiff,merge,remove}_test.go."""

from __future__ import annotations

from typing import Any

import pytest

from portway.krm.apply import atoms, fieldsets, merging, walking
from portway.krm.apply.fieldsets import FieldSet

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def array(items: dict[str, Any], kind: str = "atomic", *keys: str) -> dict[str, Any]:
    schema = {"type": "array", "items": items, "x-kubernetes-list-type": kind}
    return {**schema, "x-kubernetes-list-map-keys": list(keys)} if keys else schema


ELEMENT = {
    "type": "object",
    "properties": {
        "key": STRING,
        "id": NUMBER,
        "value": {"type": "object", "additionalProperties": STRING},
        "nv": NUMBER,
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "numeric": NUMBER,
        "string": STRING,
        "bool": {"type": "boolean"},
        "set": array(STRING, "set"),
        "setNumeric": array(NUMBER, "set"),
        "list": array(ELEMENT, "map", "key", "id"),
        "atomicList": array(STRING),
        "color": {"type": "object", "properties": {"R": NUMBER}, "x-kubernetes-map-type": "atomic"},
        "inner": {"type": "object", "additionalProperties": STRING},
        "struct": {
            "type": "object",
            "properties": {"a": STRING, "deep": {"type": "object", "properties": {"b": STRING}}},
        },
        "any": {"x-kubernetes-preserve-unknown-fields": True},
    },
}
ATOM = atoms.of(SCHEMA)
K1, K2 = (fieldsets.keyed({"key": "a", "id": n}) for n in (1, 2))


def f(*names: str) -> tuple[str, ...]:
    return tuple(name if ":" in name else f"f:{name}" for name in names)


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"numeric": 1, "string": "a", "bool": False}, {f("numeric"), f("string"), f("bool")}),
        ({"set": ["a", "b"]}, {f("set", 'v:"a"'), f("set", 'v:"b"')}),
        ({"set": ["a", "b", "a"]}, {f("set", 'v:"a"'), f("set", 'v:"b"')}),
        ({"setNumeric": [1, 2.0, 3.5]}, {f("setNumeric", "v:1"), f("setNumeric", "v:2"), f("setNumeric", "v:3.5")}),
        ({"set": []}, set()),
        ({"color": {"R": 255}}, {f("color")}),
        ({"color": {}}, {f("color")}),
        ({"color": None}, {f("color")}),
        ({"atomicList": ["a", "a"]}, {f("atomicList")}),
        ({"inner": {}}, {f("inner")}),
        ({"inner": None}, {f("inner")}),
        ({"inner": {"a": "b"}}, {f("inner", "a")}),
        ({"struct": {"deep": {"b": "x"}}}, {f("struct", "deep", "b")}),
        ({"struct": {}}, {f("struct")}),
        (
            {"list": [{"key": "a", "id": 1, "value": {"x": "y"}}]},
            {f("list", K1), f("list", K1, "key"), f("list", K1, "id"), f("list", K1, "value", "x")},
        ),
        (
            {"list": [{"key": "a", "id": 1, "nv": 2}, {"key": "a", "id": 2, "nv": 3}, {"key": "a", "id": 2}]},
            {f("list", K1), f("list", K1, "key"), f("list", K1, "id"), f("list", K1, "nv"), f("list", K2)},
        ),
        ({"any": {"x": {"y": 1}, "l": [1]}}, {f("any", "x"), f("any", "x", "y"), f("any", "l")}),
    ],
)
def test_the_fields_of_a_value(value: Any, fields: FieldSet) -> None:
    assert walking.fieldset(ATOM, value) == fields


@pytest.mark.parametrize(
    ("before", "after", "removed", "modified", "added"),
    [
        ({"numeric": 1}, {"numeric": 1.0}, set(), set(), set()),
        ({"numeric": 1}, {"numeric": 2}, set(), {f("numeric")}, set()),
        ({"string": "a"}, {"bool": True}, {f("string")}, set(), {f("bool")}),
        ({"any": True}, {"any": 1}, set(), {f("any")}, set()),
        ({}, {"inner": {}}, set(), set(), {f("inner")}),
        ({"inner": None}, {"inner": {}}, set(), {f("inner")}, set()),
        ({"inner": {}}, {"inner": {"a": "b"}}, set(), set(), {f("inner", "a")}),
        ({}, {"inner": {"a": "b"}}, set(), set(), {f("inner"), f("inner", "a")}),
        (
            {"struct": {"deep": {"b": "x"}}},
            {},
            {f("struct"), f("struct", "deep"), f("struct", "deep", "b")},
            set(),
            set(),
        ),
        ({"atomicList": ["a"]}, {"atomicList": ["b"]}, set(), {f("atomicList")}, set()),
        ({"color": {"R": 1}}, {"color": {"R": 2}}, set(), {f("color")}, set()),
        ({"set": ["a", "b"]}, {"set": ["b", "a"]}, set(), set(), set()),
        ({"set": ["a", "b"]}, {"set": ["b", "c"]}, {f("set", 'v:"a"')}, set(), {f("set", 'v:"c"')}),
        ({"set": ["a"]}, {"set": ["a", "a"]}, {f("set", 'v:"a"')}, set(), {f("set", 'v:"a"')}),
        (
            {"list": [{"key": "a", "id": 1, "nv": 1}]},
            {"list": [{"key": "a", "id": 1, "nv": 2}]},
            set(),
            {f("list", K1, "nv")},
            set(),
        ),
        (
            {"list": [{"key": "a", "id": 1}]},
            {"list": [{"key": "a", "id": 2}]},
            {f("list", K1), f("list", K1, "key"), f("list", K1, "id")},
            set(),
            {f("list", K2), f("list", K2, "key"), f("list", K2, "id")},
        ),
        ({"any": {"b": 1}}, {"any": ["b"]}, {f("any", "b")}, {f("any")}, set()),
    ],
)
def test_what_differs_between_two_values(
    before: Any, after: Any, removed: FieldSet, modified: FieldSet, added: FieldSet
) -> None:
    found = walking.compare(ATOM, before, after)
    assert (found.removed, found.modified, found.added) == (removed, modified, added)
    back = walking.compare(ATOM, after, before)
    assert (back.removed, back.modified, back.added) == (added, modified, removed)


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("abc", "ab", "abc"),
        ("ab", "abc", "abc"),
        ("abc", "", "abc"),
        ("", "abc", "abc"),
        ("ab", "ba", "ba"),
        ("abc", "def", "abcdef"),
        ("abc", "cdef", "abcdef"),
        ("abcgf", "cdef", "abcgdef"),
        ("cdef", "ace", "acdef"),
        ("abcxyz", "def", "abcxyzdef"),
        ("abcxyz", "defxyz", "abcdefxyz"),
        ("cagf", "cfag", "cfag"),
        ("abcd", "defa", "bcdefa"),
        ("cdefghij", "2h3e4kl", "cdfg2hij3e4kl"),
        ("abcdefghij", "1b2h3e4kl", "a1bcdfg2hij3e4kl"),
        ("abb", "c", "abbc"),
        ("abb", "b", "ab"),
        ("abb", "a", "abb"),
        ("abcdec", "1b2ed", "a1bc2ecd"),
        ("abcdec", "1b2ced", "a1b2ced"),
        ("aabb", "bcd", "aabcd"),
        ("aabb", "", "aabb"),
        ("cagfca", "cfag", "cfag"),
    ],
)
def test_the_order_of_merged_sets(live: str, applied: str, merged: str) -> None:
    assert merging.merge(ATOM, {"set": list(live)}, {"set": list(applied)}) == {"set": list(merged)}


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ({"numeric": 1}, {"numeric": 3.5}, {"numeric": 3.5}),
        ({"string": "a"}, {"bool": True}, {"string": "a", "bool": True}),
        ({"inner": {}}, {"inner": None}, {"inner": None}),
        ({"inner": None}, {"inner": {}}, {"inner": {}}),
        ({"inner": {"a": "b"}}, {"inner": None}, {"inner": {"a": "b"}}),
        ({"atomicList": ["a", "b"]}, {"atomicList": ["c"]}, {"atomicList": ["c"]}),
        ({"color": {"R": 1}}, {"color": {}}, {"color": {}}),
        (
            {"list": [{"key": "a", "id": 1, "nv": 1}]},
            {"list": [{"key": "a", "id": 1, "value": {"x": "y"}}, {"key": "b", "id": 1}]},
            {"list": [{"key": "a", "id": 1, "nv": 1, "value": {"x": "y"}}, {"key": "b", "id": 1}]},
        ),
        ({"any": {"a": {"b": 1}}}, {"any": {"a": {"c": 2}}}, {"any": {"a": {"b": 1, "c": 2}}}),
        ({"any": [1]}, {"any": {"a": 1}}, {"any": {"a": 1}}),
    ],
)
def test_merging(live: Any, applied: Any, merged: Any) -> None:
    assert merging.merge(ATOM, live, applied) == merged


@pytest.mark.parametrize(
    ("value", "fields", "left"),
    [
        ({"set": ["a", "b"]}, {f("set", 'v:"a"')}, {"set": ["b"]}),
        ({"set": ["a"], "numeric": 1}, {f("set", 'v:"a"')}, {"numeric": 1}),
        ({"numeric": 1}, {f("numeric")}, {}),
        ({"list": [{"key": "a", "id": 1}, {"key": "a", "id": 2}]}, {f("list", K1)}, {"list": [{"key": "a", "id": 2}]}),
        (
            {"list": [{"key": "a", "id": 1, "nv": 1}]},
            {f("list", K1, "nv")},
            {"list": [{"key": "a", "id": 1}]},
        ),
        ({"color": {"R": 1}, "numeric": 1}, {f("color")}, {"numeric": 1}),
        ({"struct": {"deep": {"b": "x"}, "a": "y"}}, {f("struct", "deep", "b")}, {"struct": {"a": "y"}}),
    ],
)
def test_removing(value: Any, fields: FieldSet, left: Any) -> None:
    assert merging.remove(ATOM, value, fields) == left
