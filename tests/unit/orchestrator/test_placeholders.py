"""Score's placeholder rules, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from portway.orchestrator import placeholders
from portway.orchestrator.placeholders import Composite, Secret, Unresolved

VALUES: dict[str, Any] = {
    "metadata": {"name": "orders", "a.b": "dotted", "n": 3},
    "resources": {"db": {"host": "h", "port": 5432, "password": Secret("db.password"), "list": ["x"]}},
}


def lookup(reference: placeholders.Reference) -> Any:
    if reference[0] not in VALUES:
        raise LookupError("references start with metadata or resources")
    return placeholders.walk(VALUES[reference[0]], reference[1:], of=reference[0])


@pytest.mark.parametrize(
    ("reason", "text", "result"),
    [
        ("plain text stays", "hello", "hello"),
        ("a reference is replaced", "${metadata.name}", "orders"),
        ("two side by side", "${metadata.name}${resources.db.host}", "ordersh"),
        ("numbers become text", "p=${resources.db.port}", "p=5432"),
        ("lists become JSON", "${resources.db.list}", '["x"]'),
        ("a literal dot in a name", "${metadata.a\\.b}", "dotted"),
        ("a doubled dollar is one", "$$", "$"),
        ("an escaped placeholder is text", "$${metadata.name}", "${metadata.name}"),
        ("the published example", "$$_$${fizzbuzz}", "$_${fizzbuzz}"),
        ("a lone dollar stays", "cost $5", "cost $5"),
        ("a list element by index", "${resources.db.list.0}", "x"),
        ("a secret stands by reference", "x:${resources.db.password}@", Composite(("x:", Secret("db.password"), "@"))),
        ("a secret alone", "${resources.db.password}", Composite((Secret("db.password"),))),
    ],
)
def test_text_is_resolved_by_scores_rules(reason: str, text: str, result: Any) -> None:
    assert placeholders.resolve(text, lookup) == result


def test_nested_values_are_resolved_and_keys_are_not_touched() -> None:
    value = {"${metadata.name}": ["${metadata.name}", {"n": 1, "m": "${metadata.n}"}]}

    assert placeholders.resolve(value, lookup) == {"${metadata.name}": ["orders", {"n": 1, "m": "3"}]}


def test_a_sole_placeholder_keeps_its_type_when_asked() -> None:
    assert placeholders.resolve({"a": "${metadata.n}", "b": "=${metadata.n}"}, lookup, typed=True) == {
        "a": 3,
        "b": "=3",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${externals.dns.host}", "${externals.dns.host}: references start with metadata or resources"),
        ("${resources.cache.host}", "${resources.cache.host}: resources has no cache; it has db"),
    ],
)
def test_what_is_not_there_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(Unresolved) as caught:
        placeholders.resolve({"variables": {"A": text}}, lookup)

    assert (caught.value.message, caught.value.path) == (message, ("variables", "A"))


def test_references_are_listed_without_the_escaped_ones() -> None:
    found = list(placeholders.references({"a": "$${x} ${y.z}", "b": ["${q}"]}))

    assert found == [("y", "z"), ("q",)]
