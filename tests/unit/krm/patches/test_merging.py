from __future__ import annotations

from typing import Any

import pytest

from portway.krm import patches
from portway.krm.errors import StatusError


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        # The table of RFC 7396, appendix A, as far as it speaks of objects.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_follow_the_rfc(target: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(target)
    assert patches.merge_patch(target, patch) == expected
    assert repr(target) == before


def test_a_merge_patch_is_an_object() -> None:
    with pytest.raises(StatusError):
        patches.merge_patch({}, ["a"])
