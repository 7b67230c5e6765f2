from __future__ import annotations

import pytest

from portway.orchestrator import inputs
from portway.orchestrator.matching import Context
from portway.orchestrator.placeholders import Unresolved

CONTEXT = Context("postgres", "root:acme:payments", "staging", "development", "default", "shared.db")
CLAIM = {"metadata": {"name": "orders-db"}, "spec": {"storage": 10, "extensions": ["pg_trgm"]}}


def test_claim_and_context_are_filled_in_with_their_types() -> None:
    filled = inputs.fill(
        {
            "storage": "${claim.spec.storage}",
            "label": "${context.envType}-${claim.metadata.name}",
            "nested": {"extensions": "${claim.spec.extensions}"},
            "fixed": 1,
        },
        CLAIM,
        CONTEXT,
    )

    assert filled == {
        "storage": 10, "label": "development-orders-db", "nested": {"extensions": ["pg_trgm"]}, "fixed": 1,
    }  # fmt: skip


def test_a_parameter_that_was_not_given_leaves_the_drivers_default() -> None:
    assert inputs.fill({"version": "${claim.spec.version}", "a": 1}, CLAIM, CONTEXT) == {"a": 1}


def test_a_parameter_that_was_not_given_cannot_stand_inside_text() -> None:
    with pytest.raises(Unresolved, match=r"claim\.spec has no version"):
        inputs.fill({"name": "pg-${claim.spec.version}"}, CLAIM, CONTEXT)


def test_placeholders_that_can_never_be_filled_in_are_named() -> None:
    problems = inputs.check({"a": "${context.region}", "b": "${claim.spec.x} ${context.class}", "c": "${env.HOME}"})

    assert [problem.split(" ")[0] for problem in problems] == ["${context.region}", "${env.HOME}"]
