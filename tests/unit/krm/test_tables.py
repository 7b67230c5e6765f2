from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from portway.krm import tables
from portway.krm.identity import GroupVersionKind
from portway.krm.served import Column, Served

NOW = datetime.datetime(2026, 1, 1, 12, 5, tzinfo=datetime.UTC)
SERVED = Served(GroupVersionKind("ex.io", "v1", "Widget"), "widgets", "widget", True, {}, custom=True)
COLUMNS = (
    Column("Phase", ".status.phase"),
    Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
    Column("Replicas", ".spec.replicas", "integer"),
    Column("Ratio", ".spec.ratio", "number"),
    Column("On", ".spec.on", "boolean"),
    Column("Hosts", ".spec.hosts", priority=1),
    Column("Done", ".status.done", "date"),
)
OBJECT: dict[str, Any] = {
    "apiVersion": "ex.io/v1",
    "kind": "Widget",
    "metadata": {"name": "a", "creationTimestamp": "2026-01-01T12:00:00Z"},
    "spec": {"replicas": 3, "ratio": 0.5, "on": True, "hosts": ["x", "y"]},
    "status": {"phase": "Ready", "conditions": [{"type": "Ready", "status": "True"}], "done": "2026-01-01T12:03:00Z"},
}


def test_without_columns_there_are_name_and_age() -> None:
    table = tables.render(SERVED, [OBJECT], metadata={"resourceVersion": "7"}, now=NOW)
    assert (table["kind"], table["apiVersion"], table["metadata"]) == (
        "Table",
        "meta.k8s.io/v1",
        {"resourceVersion": "7"},
    )
    assert [(c["name"], c["type"], c["format"]) for c in table["columnDefinitions"]] == [
        ("Name", "string", "name"),
        ("Age", "date", ""),
    ]
    assert table["rows"][0]["cells"] == ["a", "5m"]


def test_cells_have_the_type_of_their_column() -> None:
    table = tables.render(dataclasses.replace(SERVED, columns=COLUMNS), [OBJECT], now=NOW)
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", *(c.name for c in COLUMNS)]
    assert table["rows"][0]["cells"] == ["a", "Ready", "True", 3, 0.5, True, '["x","y"]', "2m"]


def test_what_is_missing_or_of_another_type_is_an_empty_cell() -> None:
    spec = {"replicas": "many", "ratio": True, "on": "yes"}
    table = tables.render(
        dataclasses.replace(SERVED, columns=COLUMNS), [{"metadata": {"name": "a"}, "spec": spec}], now=NOW
    )
    assert table["rows"][0]["cells"] == ["a", None, None, None, None, None, None, None]


def test_an_object_without_creation_time_has_an_unknown_age() -> None:
    assert tables.render(SERVED, [{"metadata": {"name": "a"}}], now=NOW)["rows"][0]["cells"] == ["a", "<unknown>"]


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (tables.NONE, None),
        (tables.OBJECT, OBJECT),
        (
            tables.METADATA,
            {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": OBJECT["metadata"]},
        ),
    ],
)
def test_rows_carry_what_of_the_object_was_asked_for(include: str, expected: Any) -> None:
    assert tables.render(SERVED, [OBJECT], include=include, now=NOW)["rows"][0].get("object") == expected
