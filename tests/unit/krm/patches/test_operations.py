from __future__ import annotations

from typing import Any

import pytest

from portway.krm import patches
from portway.krm.errors import StatusError


@pytest.mark.parametrize(
    ("target", "operation", "expected"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": 1}, {"op": "add", "path": "/a", "value": None}, {"a": None}),
        ({"a": 1}, {"op": "add", "path": "", "value": {"b": 1}}, {"b": 1}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"a/b": 1, "m~n": 2}, {"op": "remove", "path": "/a~1b"}, {"m~n": 2}),
        ({"a": [1, 2]}, {"op": "replace", "path": "/a/1", "value": 3}, {"a": [1, 3]}),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": "/c"}, {"a": {}, "c": 1}),
        ({"a": [1, 2, 3]}, {"op": "move", "from": "/a/0", "path": "/a/2"}, {"a": [2, 3, 1]}),
        ({"a": {"b": 1}}, {"op": "copy", "from": "/a", "path": "/c"}, {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": 1.0}, {"a": 1}),
        ({"a": {"b": [1]}}, {"op": "test", "path": "/a", "value": {"b": [1]}}, {"a": {"b": [1]}}),
        ({}, {"op": "test", "path": "/a", "value": None}, {}),
    ],
)
def test_operations_follow_the_rfc(target: dict[str, Any], operation: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(target)
    assert patches.json_patch(target, [operation]) == expected
    assert repr(target) == before


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ({}, 400),
        (["x"], 400),
        ([{"op": "erase", "path": "/a"}], 422),
        ([{"op": "add", "path": "a", "value": 1}], 422),
        ([{"op": "add", "path": "/a"}], 422),
        ([{"op": "remove", "path": "/missing"}], 422),
        ([{"op": "remove", "path": ""}], 422),
        ([{"op": "replace", "path": "/missing", "value": 1}], 422),
        ([{"op": "add", "path": "/missing/deeper", "value": 1}], 422),
        ([{"op": "add", "path": "/list/3", "value": 1}], 422),
        ([{"op": "add", "path": "/list/01", "value": 1}], 422),
        ([{"op": "remove", "path": "/list/-"}], 422),
        ([{"op": "remove", "path": "/list/-1"}], 422),
        ([{"op": "add", "path": "/text/x", "value": 1}], 422),
        ([{"op": "test", "path": "/text", "value": "other"}], 422),
        ([{"op": "test", "path": "/one", "value": True}], 422),
        ([{"op": "test", "path": "/missing", "value": "x"}], 422),
        ([{"op": "move", "from": "/map", "path": "/map/inner"}], 422),
        ([{"op": "add", "path": "", "value": []}], 422),
        ([{"op": "test", "path": "/one", "value": 1}] * 10_001, 413),
    ],
)
def test_operations_that_do_not_fit_are_refused(operations: Any, code: int) -> None:
    target = {"list": [1, 2], "text": "x", "one": 1, "map": {"inner": {}}}
    with pytest.raises(StatusError) as caught:
        patches.json_patch(target, operations)
    assert caught.value.code == code
    assert target == {"list": [1, 2], "text": "x", "one": 1, "map": {"inner": {}}}
