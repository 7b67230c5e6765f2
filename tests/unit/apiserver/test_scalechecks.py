from __future__ import annotations

from typing import Any

import pytest

from portway.apiserver import scalechecks

SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


@pytest.mark.parametrize(
    ("manifest", "found", "reason"),
    [
        ({}, [], "what is not there is none"),
        ({"spec": {"replicas": 2**31 - 1}, "status": {"replicas": 0, "selector": "a=b"}}, [], "a good one"),
        (
            {"spec": {"replicas": -1}, "status": {"replicas": 2**31}},
            [
                (".spec.replicas", "Invalid value: -1: should be a non-negative integer"),
                (".status.replicas", "Invalid value: 2147483648: should be less than or equal to 2147483647"),
            ],
            "a Scale holds 32 bits",
        ),
        (
            {"spec": {"replicas": "two"}, "status": {"replicas": 1.5, "selector": True}},
            [
                (
                    ".spec.replicas",
                    "Invalid value: 0: .spec.replicas accessor error: two is of the type string, expected int64",
                ),
                (
                    ".status.replicas",
                    "Invalid value: 0: .status.replicas accessor error: 1.5 is of the type float64, expected int64",
                ),
                (
                    ".status.selector",
                    'Invalid value: "": .status.selector accessor error: true is of the type bool, expected string',
                ),
            ],
            "whatever the schema says",
        ),
        (
            {"spec": "small"},
            [
                (
                    ".spec.replicas",
                    "Invalid value: 0: .spec accessor error: small is of the type string, expected "
                    "map[string]interface{}",
                )
            ],
            "all the way",
        ),
    ],
)
def test_what_scale_speaks_of(manifest: Any, found: list[tuple[str, str]], reason: str) -> None:
    assert [(cause.field, cause.message) for cause in scalechecks.check(SCALE, manifest)] == found, reason
