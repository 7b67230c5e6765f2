from __future__ import annotations

from typing import Any

import pytest

from portway.krm import patches, values


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (False, 0.0, False),
        (None, False, False),
        ([1, {"a": 1}], [1.0, {"a": 1.0}], True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        ({}, {"a": None}, False),
        ("1", 1, False),
        ([1], [1, 2], False),
    ],
)
def test_values_are_equal_as_json_values(left: Any, right: Any, equal: bool) -> None:
    assert values.same(left, right) is equal


def test_a_patched_object_shares_nothing_with_the_one_before() -> None:
    target: dict[str, Any] = {"a": {"b": []}}
    patch: dict[str, Any] = {"c": {"d": []}}
    operations = [{"op": "add", "path": "/c", "value": patch["c"]}]
    for result in (
        patches.merge_patch(target, patch),
        patches.strategic_merge_patch(target, patch, {}),
        patches.json_patch(target, operations),
    ):
        result["a"]["b"].append(1)
        result["c"]["d"].append(1)
    assert (target, patch) == ({"a": {"b": []}}, {"c": {"d": []}})
