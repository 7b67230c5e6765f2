from __future__ import annotations

from typing import Any

import pytest

from portway.krm.schemas import pruning

STRING = {"type": "string"}
OPEN = "x-kubernetes-preserve-unknown-fields"
POINT = {"type": "object", "properties": {"x": STRING}}


@pytest.mark.parametrize(
    ("reason", "schema", "value", "left", "gone"),
    [
        ("undeclared fields go", POINT, {"x": "1", "y": 2, "z": {}}, {"x": "1"}, ("spec.y", "spec.z")),
        (
            "below lists and maps too",
            {
                "type": "object",
                "properties": {
                    "l": {"type": "array", "items": POINT},
                    "m": {"type": "object", "additionalProperties": POINT},
                },
            },
            {"l": [{"x": "1"}, {"y": 1}], "m": {"k": {"x": "", "y": 1}}},
            {"l": [{"x": "1"}, {}], "m": {"k": {"x": ""}}},
            ("spec.l[1].y", "spec.m.k.y"),
        ),
        ("preserved fields stay", {"type": "object", OPEN: True}, {"a": {"b": [1]}}, {"a": {"b": [1]}}, ()),
        (
            "declared children of a preserving node are pruned",
            {"type": "object", OPEN: True, "properties": {"p": POINT}},
            {"a": 1, "p": {"x": "", "y": 1}},
            {"a": 1, "p": {"x": ""}},
            ("spec.p.y",),
        ),
        (
            "below a pruning node another may preserve",
            {"type": "object", "properties": {"raw": {OPEN: True}}},
            {"raw": {"any": [{"thing": 1}]}, "other": 1},
            {"raw": {"any": [{"thing": 1}]}},
            ("spec.other",),
        ),
        ("an object without properties holds nothing", {"type": "object"}, {"a": 1}, {}, ("spec.a",)),
        (
            "any values, if all are allowed",
            {"type": "object", "additionalProperties": True},
            {"a": {"b": 1}},
            {"a": {"b": 1}},
            (),
        ),
        ("int-or-string is left alone", {"x-kubernetes-int-or-string": True}, 5, 5, ()),
        ("a value of the wrong type is left to validation", POINT, "text", "text", ()),
        ("null is left alone", POINT, None, None, ()),
        (
            "an embedded resource keeps its type and metadata",
            {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": POINT}},
            {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n", "bad": 1}, "spec": {"y": 1}, "status": {}},
            {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "spec": {}},
            ("spec.metadata.bad", "spec.spec.y", "spec.status"),
        ),
    ],
)
def test_pruning(reason: str, schema: dict[str, Any], value: Any, left: Any, gone: tuple[str, ...]) -> None:
    manifest = {"apiVersion": "ex/v1", "kind": "K", "metadata": {"name": "a"}, "spec": value}
    removed = pruning.prune({"type": "object", "properties": {"spec": schema}}, manifest)
    assert (manifest["spec"], removed) == (left, gone), reason
    assert manifest.keys() == {"apiVersion", "kind", "metadata", "spec"}


def test_metadata_keeps_what_object_meta_has() -> None:
    manifest = {
        "metadata": {"name": "a", "labels": {"a": "b"}, "ownerReferences": [{"uid": "u", "odd": 1}], "color": "red"}
    }
    assert pruning.prune({"type": "object"}, manifest) == ("metadata.ownerReferences[0].odd", "metadata.color")
    assert manifest == {"metadata": {"name": "a", "labels": {"a": "b"}, "ownerReferences": [{"uid": "u"}]}}


def test_entries_of_managed_fields_keep_their_fields() -> None:
    manifest = {"metadata": {"managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {"f:x": {}}}}]}}
    assert pruning.prune({"type": "object"}, manifest) == ()
