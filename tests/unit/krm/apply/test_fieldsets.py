from __future__ import annotations

from typing import Any

import pytest

from portway.krm.apply import atoms, fieldsets
from portway.krm.apply.fieldsets import FieldSet

V1 = {
    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
    "f:spec": {
        "f:finalizers": {'v:"a"': {}},
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}, "i:0": {}},
    },
}
FIELDS: FieldSet = {
    ("f:metadata", "f:labels"),
    ("f:metadata", "f:labels", "f:app"),
    ("f:spec", "f:finalizers", 'v:"a"'),
    ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}'),
    ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:port"),
    ("f:spec", "f:ports", "i:0"),
}


def test_field_sets_are_written_and_read_as_fields_v1() -> None:
    assert fieldsets.decode(V1) == FIELDS
    assert fieldsets.encode(FIELDS) == V1


def test_keys_are_normal_however_they_were_written() -> None:
    assert fieldsets.decode({'k:{"b": 1.0, "a": "x"}': {}}) == {('k:{"a":"x","b":1}',)}


@pytest.mark.parametrize("raw", [{"spec": {}}, {"f:a": 1}, {"k:[1]": {}}, {"k:{": {}}, [], {"x:a": {}}])
def test_what_is_no_fields_v1_is_refused(raw: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        fieldsets.decode(raw)


def test_paths_are_shown_as_upstream_does() -> None:
    shown = sorted(fieldsets.display(path) for path in FIELDS)
    assert shown == [
        ".metadata.labels",
        ".metadata.labels.app",
        '.spec.finalizers[="a"]',
        ".spec.ports[0]",
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].port',
    ]


def test_a_place_that_became_atomic_is_owned_as_a_whole() -> None:
    atomic = {"type": "object", "properties": {"m": {"type": "object", "x-kubernetes-map-type": "atomic"}}}
    assert fieldsets.reconciled({("f:m", "f:a"), ("f:m", "f:b", "f:c")}, atoms.of(atomic)) == {("f:m",)}


def test_fields_of_untyped_places_stay_as_they_are() -> None:
    open_schema = {"type": "object", "properties": {"m": {"x-kubernetes-preserve-unknown-fields": True}}}
    fields = {("f:m", "f:a"), ("f:m", "f:l", "i:0")}
    assert fieldsets.reconciled(fields, atoms.of(open_schema)) == fields
