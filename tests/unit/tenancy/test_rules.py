from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from portway.tenancy import rules
from portway.tenancy.rules import TypeReference

TYPES: dict[TypeReference, Mapping[str, Any]] = {
    TypeReference("root", "universal"): {},
    TypeReference("root", "organization"): {
        "extend": {"with": [{"path": "root", "name": "universal"}]},
        "limitAllowedChildren": {"types": [{"path": "root", "name": "team"}]},
    },
    TypeReference("root", "team"): {
        "extend": {"with": [{"path": "root", "name": "universal"}]},
        "limitAllowedChildren": {"none": True},
        "limitAllowedParents": {"types": [{"path": "root", "name": "organization"}]},
    },
    TypeReference("root", "squad"): {"extend": {"with": [{"path": "root", "name": "team"}]}},
    TypeReference("root", "circle"): {"extend": {"with": [{"path": "root", "name": "circle"}]}},
}


def of(name: str) -> TypeReference:
    return TypeReference("root", name)


@pytest.mark.parametrize(
    ("parent", "child", "reason"),
    [
        ("organization", "team", None),
        ("organization", "squad", None),
        ("universal", "organization", None),
        ("organization", "universal", "'organization' may not contain workspaces of type 'universal'"),
        ("team", "team", "'team' may not contain workspaces of type 'team'"),
        ("universal", "team", "'team' may not be made in workspaces of type 'universal'"),
    ],
)
def test_types_limit_what_may_be_made_where(parent: str, child: str, reason: str | None) -> None:
    refusal = rules.refusal(of(parent), of(child), TYPES.get)
    assert refusal is None if reason is None else refusal is not None and reason in refusal


def test_a_lineage_is_the_type_and_all_it_extends_even_in_a_circle() -> None:
    assert rules.lineage(of("squad"), TYPES.get) == (of("squad"), of("team"), of("universal"))
    assert rules.lineage(of("circle"), TYPES.get) == (of("circle"),)


def test_a_type_may_be_left_out_of_a_lineage_with_what_only_it_brings() -> None:
    types: dict[TypeReference, Mapping[str, Any]] = {
        of("a"): {
            "extend": {"with": [{"name": "b"}], "without": [{"name": "c"}]},
            "additionalWorkspaceLabels": {"x": "a"},
        },
        of("b"): {"extend": {"with": [{"name": "c"}]}, "initializer": True, "additionalWorkspaceLabels": {"x": "b"}},
        of("c"): {"initializer": True, "defaultAPIBindings": [{"export": "e"}]},
    }
    found = rules.lineage(of("a"), types.get)
    assert found == (of("a"), of("b"))
    assert rules.waiting_for("initializer", found, types.get) == [of("b")]
    assert rules.labels(found, types.get) == {"x": "a"}
    assert list(rules.bindings(found, types.get)) == []
    assert list(rules.bindings((of("c"),), types.get)) == [("root", "e")]
