from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portway.krm import patches
from portway.krm.values import same

names = st.sampled_from(["a", "b", "c~d", "e/f", ""])
values = st.recursive(
    st.one_of(st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x"])),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(names, below, max_size=3)),
    max_leaves=10,
)
objects = st.dictionaries(names, values, max_size=3)


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that leads from one object to another."""
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            patch[name] = difference(old, value)
        else:
            patch[name] = value
    return patch


@given(objects, objects)
def test_a_merge_patch_leads_from_any_object_to_any_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert same(patches.merge_patch(before, difference(before, after)), after)


@given(objects, objects)
def test_without_keyed_lists_a_strategic_patch_is_a_merge_patch(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = difference(before, after)
    assert same(patches.strategic_merge_patch(before, patch, {"type": "object"}), after)


def pointer(*parts: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


@given(objects, names, values)
def test_what_was_added_can_be_tested_moved_and_removed(target: dict[str, Any], name: str, value: Any) -> None:
    operations = [
        {"op": "add", "path": pointer("new"), "value": {}},
        {"op": "add", "path": pointer("new", name), "value": value},
        {"op": "test", "path": pointer("new", name), "value": value},
        {"op": "move", "from": pointer("new", name), "path": pointer("moved")},
        {"op": "test", "path": pointer("moved"), "value": value},
        {"op": "remove", "path": pointer("moved")},
        {"op": "remove", "path": pointer("new")},
    ]
    assert same(patches.json_patch(target, operations), target)
