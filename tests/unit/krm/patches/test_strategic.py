from __future__ import annotations

from typing import Any

import pytest

from portway.krm import patches
from portway.krm.errors import StatusError

STRING = {"type": "string"}
PORTS = {
    "type": "array",
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "name",
    "items": {
        "type": "object",
        "properties": {
            "name": STRING,
            "port": {"type": "integer"},
            "env": {"type": "object", "additionalProperties": STRING},
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "ports": PORTS,
        "tags": {"type": "array", "items": STRING, "x-kubernetes-patch-strategy": "merge"},
        "plain": {"type": "array", "items": STRING},
        "keyed": {
            **{k: v for k, v in PORTS.items() if "patch" not in k},
            "x-kubernetes-list-map-keys": ["name"],
            "x-kubernetes-list-type": "map",
        },
        "whole": {"type": "object", "x-kubernetes-patch-strategy": "replace"},
        "data": {"type": "object", "additionalProperties": STRING},
        "choice": {
            "type": "object",
            "x-kubernetes-patch-strategy": "retainKeys",
            "properties": {"a": STRING, "b": STRING},
        },
    },
}
A, B, C = ({"name": n, "port": p} for n, p in (("a", 1), ("b", 2), ("c", 3)))


@pytest.mark.parametrize(
    ("reason", "target", "patch", "expected"),
    [
        ("maps merge", {"data": {"a": "1", "b": "2"}}, {"data": {"a": None, "c": "3"}}, {"data": {"b": "2", "c": "3"}}),
        (
            "keyed items merge",
            {"ports": [A, B]},
            {"ports": [{"name": "b", "port": 9}]},
            {"ports": [A, {"name": "b", "port": 9}]},
        ),
        ("new items are appended", {"ports": [A]}, {"ports": [C]}, {"ports": [A, C]}),
        ("a list that was not there", {}, {"ports": [A]}, {"ports": [A]}),
        ("items can be deleted", {"ports": [A, B]}, {"ports": [{"name": "a", "$patch": "delete"}]}, {"ports": [B]}),
        (
            "deleting what is not there is fine",
            {"ports": [A]},
            {"ports": [{"name": "z", "$patch": "delete"}]},
            {"ports": [A]},
        ),
        ("a list can be replaced", {"ports": [A, B]}, {"ports": [C, {"$patch": "replace"}]}, {"ports": [C]}),
        (
            "list type map gives the key too",
            {"keyed": [A]},
            {"keyed": [{"name": "a", "port": 5}]},
            {"keyed": [{"name": "a", "port": 5}]},
        ),
        ("other lists are replaced", {"plain": ["a"]}, {"plain": ["b"]}, {"plain": ["b"]}),
        ("sets merge", {"tags": ["a", "b"]}, {"tags": ["b", "c"]}, {"tags": ["a", "b", "c"]}),
        (
            "values of sets can be deleted",
            {"tags": ["a", "b"]},
            {"$deleteFromPrimitiveList/tags": ["a"], "tags": ["c"]},
            {"tags": ["b", "c"]},
        ),
        (
            "order can be set",
            {"ports": [A, B]},
            {"$setElementOrder/ports": [{"name": "c"}, {"name": "b"}, {"name": "a"}], "ports": [C]},
            {"ports": [C, B, A]},
        ),
        (
            "items the order does not name keep their place",
            {"tags": ["x", "a", "b"]},
            {"$setElementOrder/tags": ["b", "a"]},
            {"tags": ["x", "b", "a"]},
        ),
        (
            "a map can be replaced",
            {"data": {"a": "1"}},
            {"data": {"$patch": "replace", "b": "2"}},
            {"data": {"b": "2"}},
        ),
        ("a map can be deleted", {"data": {"a": "1"}, "plain": []}, {"data": {"$patch": "delete"}}, {"plain": []}),
        ("strategy replace", {"whole": {"a": 1}}, {"whole": {"b": 2}}, {"whole": {"b": 2}}),
        (
            "retainKeys drops the others",
            {"choice": {"a": "1"}},
            {"choice": {"$retainKeys": ["b"], "b": "2"}},
            {"choice": {"b": "2"}},
        ),
        (
            "maps inside keyed items merge",
            {"ports": [{"name": "a", "env": {"X": "1", "Y": "2"}}]},
            {"ports": [{"name": "a", "env": {"X": None, "Z": "3"}}]},
            {"ports": [{"name": "a", "env": {"Y": "2", "Z": "3"}}]},
        ),
        (
            "owner references are keyed by uid",
            {"metadata": {"ownerReferences": [{"uid": "1", "name": "a"}]}},
            {"metadata": {"ownerReferences": [{"uid": "1", "name": "b"}, {"uid": "2"}]}},
            {"metadata": {"ownerReferences": [{"uid": "1", "name": "b"}, {"uid": "2"}]}},
        ),
        (
            "finalizers are a set",
            {"metadata": {"finalizers": ["a", "b"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}},
            {"metadata": {"finalizers": ["b"]}},
        ),
        ("unknown fields merge as maps", {"odd": {"a": 1}}, {"odd": {"b": 2}}, {"odd": {"a": 1, "b": 2}}),
    ],
)
def test_strategic_merge_patch(
    reason: str, target: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = repr(target)
    assert patches.strategic_merge_patch(target, patch, SCHEMA) == expected, reason
    assert repr(target) == before


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ([], "must be an object"),
        ({"data": {"$patch": "explode"}}, "Unknown patch type: explode"),
        ({"ports": [{"port": 1}]}, "does not contain declared merge key: name"),
        ({"ports": ["a"]}, "merged by it"),
        ({"$deleteFromPrimitiveList/tags": "a"}, "must be a list"),
        ({"choice": {"$retainKeys": "a"}}, "must be a list"),
        ({"$setElementOrder/ports": [{"name": "a"}], "ports": [{"name": "z"}]}, "doesn't match"),
        ({"$setElementOrder/tags": "a", "tags": ["b"]}, "must be a list"),
    ],
)
def test_malformed_strategic_patches_are_bad_requests(patch: Any, says: str) -> None:
    with pytest.raises(StatusError) as caught:
        patches.strategic_merge_patch({"ports": [A], "tags": []}, patch, SCHEMA)
    assert caught.value.code == 400
    assert says in caught.value.message
