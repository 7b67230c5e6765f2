"""Tables: which definition is chosen, and the reason given for each of the others."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from portway.apis.platform import Criteria, ResourceDefinitionSpec
from portway.orchestrator import matching
from portway.orchestrator.matching import Candidate, Context

CONTEXT = Context(
    type="postgres",
    workspace="root:acme:payments",
    environment="staging",
    env_type="development",
    class_="default",
    resource_id="shared.main",
)


def criteria(**fields: str) -> Criteria:
    return Criteria.read(fields)


def candidate(
    name: str, *alternatives: Criteria, distance: int = 1, problem: str = "", kind: str = "postgres"
) -> Candidate:
    workspace = ("root:acme:payments", "root:acme", "root")[distance]
    return Candidate(
        workspace,
        name,
        ResourceDefinitionSpec(type=kind, driver="postgres", criteria=list(alternatives)),
        distance,
        problem,
    )


@dataclass(frozen=True)
class Case:
    reason: str
    candidates: tuple[Candidate, ...]
    chosen: str | None
    says: dict[str, str]
    """Definition → part of its line's reason; "" → part of the problem."""


CASES = (
    Case("a definition without criteria fits always", (candidate("any"),), "any", {"any": "matches: always"}),
    Case(
        "an exact class beats class-less",
        (candidate("any"), candidate("mine", criteria(class_="default"))),
        "mine",
        {"any": "root:acme/mine is more specific (class default)"},
    ),
    Case(
        "a set field that differs is the reason why not",
        (candidate("prod", criteria(env_type="production")), candidate("any")),
        "any",
        {"prod": "environment type is development, needs production"},
    ),
    Case(
        "one more specific field beats all less specific ones together",
        (
            candidate("broad", criteria(class_="default", env_type="development", workspace="root:acme:payments")),
            candidate("narrow", criteria(environment="staging")),
        ),
        "narrow",
        {"broad": "more specific"},
    ),
    Case(
        "resource id is the most specific of all",
        (candidate("env", criteria(environment="staging")), candidate("id", criteria(resource_id="shared.main"))),
        "id",
        {},
    ),
    Case(
        "a tie at the most specific field goes to the next",
        (
            candidate("a", criteria(environment="staging")),
            candidate("b", criteria(environment="staging", class_="default")),
        ),
        "b",
        {"a": "more specific"},
    ),
    Case(
        "the nearer workspace wins at equal specificity",
        (candidate("far", distance=2), candidate("near", distance=0)),
        "near",
        {"far": "root:acme:payments/near is in a nearer workspace"},
    ),
    Case(
        "specificity counts more than nearness",
        (candidate("near", distance=0), candidate("far", criteria(env_type="development"), distance=2)),
        "far",
        {"near": "more specific"},
    ),
    Case(
        "equal in both is an error that names the two",
        (candidate("a", criteria(class_="default")), candidate("b", criteria(class_="default"))),
        None,
        {"": "root:acme/a and root:acme/b match equally well (class default)", "a": "ties with root:acme/b"},
    ),
    Case(
        "any of several criteria is enough",
        (candidate("two", criteria(env_type="production"), criteria(environment="staging")),),
        "two",
        {"two": "matches: environment staging"},
    ),
    Case(
        "an unusable definition is passed over with its problem",
        (candidate("broken", problem="driver redis is not installed"), candidate("good")),
        "good",
        {"broken": "driver redis is not installed"},
    ),
    Case(
        "without a match every definition says why",
        (candidate("prod", criteria(env_type="production")), candidate("big", criteria(class_="large"))),
        None,
        {"": "Looked at root:acme/big: class is default, needs large; root:acme/prod: environment type is development"},
    ),
    Case("no definition at all", (), None, {"": "There is no ResourceDefinition of type postgres"}),
    Case(
        "other types are not looked at", (candidate("r", kind="redis"),), None, {"": "There is no ResourceDefinition"}
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_the_right_definition_is_chosen_and_every_line_says_why(case: Case) -> None:
    match = matching.match(CONTEXT, case.candidates)

    assert (match.chosen.name if match.chosen else None) == case.chosen
    reasons = {line.definition.rsplit("/", 1)[1]: line.reason for line in match.lines}
    for name, part in case.says.items():
        assert part in (reasons[name] if name else match.problem)
    assert [line.definition for line in match.lines if line.chosen] == ([match.chosen.title] if match.chosen else [])


def test_identical_criteria_in_one_workspace_are_found_as_duplicates() -> None:
    first = candidate("a", criteria(class_="large"), criteria(env_type="production"))
    second = candidate("b", criteria(env_type="production"))
    elsewhere = candidate("c", criteria(env_type="production"), distance=2)

    assert list(matching.duplicates([second, elsewhere, first])) == [(first, second, "environment type production")]
