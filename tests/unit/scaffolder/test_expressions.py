"""Backstage's expressions, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from portway.scaffolder import expressions

CONTEXT: dict[str, Any] = {
    "parameters": {
        "name": "orders", "n": 3, "list": [1, 2], "map": {"k": "v"}, "no": False, "empty": "", "items": "mine",
        "repoUrl": "github.com?owner=acme&repo=orders", "owner": "group:default/payments",
    },
    "steps": {"publish": {"output": {"remoteUrl": "http://x"}}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "text", "value"),
    [
        ("text stays", "plain", "plain"),
        ("one expression keeps its type", "${{ parameters.n }}", 3),
        ("inside text it is text", "v${{ parameters.n }}", "v3"),
        ("a list keeps its type", "${{ parameters.list }}", [1, 2]),
        ("booleans are written as JavaScript does", "x=${{ parameters.no }}", "x=false"),
        ("undefined is nothing", "[${{ parameters.nothing.deeper }}]", "[]"),
        ("an undefined expression is nothing", "${{ parameters.nothing }}", None),
        ("default", "${{ parameters.nothing | default('d') }}", "d"),
        ("or", "${{ parameters.empty or 'other' }}", "other"),
        ("conditional", "${{ 'a' if parameters.n === 3 else 'b' }}", "a"),
        ("strict inequality", "${{ parameters.n !== 3 }}", False),
        ("marks inside quotes stay", "${{ '===' }}", "==="),
        ("a key wins over a method", "${{ parameters.items }}", "mine"),
        ("index with dashes", "${{ steps['publish'].output['remoteUrl'] }}", "http://x"),
        ("JavaScript's methods", "${{ parameters.name.toUpperCase() }}", "ORDERS"),
        ("length", "${{ parameters.list.length }}", 2),
        ("text and number join", "${{ parameters.name + 1 }}", "orders1"),
        ("parseRepoUrl", "${{ (parameters.repoUrl | parseRepoUrl).repo }}", "orders"),
        ("parseRepoUrl and pick", "${{ parameters.repoUrl | parseRepoUrl | pick('owner') }}", "acme"),
        ("projectSlug", "${{ parameters.repoUrl | projectSlug }}", "acme/orders"),
        (
            "parseEntityRef",
            "${{ parameters.owner | parseEntityRef }}",
            {"kind": "group", "namespace": "default", "name": "payments"},
        ),
        ("dump", "${{ parameters.map | dump }}", '{"k":"v"}'),
        ("jsonify", "${{ parameters.list | jsonify }}", "[1, 2]"),
        ("a loop over pairs", "{% for k, v in parameters.map %}${{ k }}=${{ v }}{% endfor %}", "k=v"),
        ("elseif", "{% if parameters.no %}a{% elseif parameters.n %}b{% endif %}", "b"),
        ("Score's placeholders stay", "${resources.db.host} ${{ parameters.name }}", "${resources.db.host} orders"),
    ],
)
def test_an_expression_has_the_value_that_backstage_gives_it(reason: str, text: str, value: Any) -> None:
    assert expressions.resolve(text, CONTEXT) == value


def test_undefined_entries_of_a_mapping_are_left_out() -> None:
    given = {"a": "${{ parameters.nothing }}", "b": ["${{ parameters.n }}"], "${{ parameters.name }}": 1}

    assert expressions.resolve(given, CONTEXT) == {"b": [3], "orders": 1}


@pytest.mark.parametrize(
    "false", [False, None, "", 0, "${{ parameters.nothing }}", "${{ parameters.no }}", "${{ [] }}"]
)
def test_these_conditions_are_false(false: Any) -> None:
    assert not expressions.is_true(false, CONTEXT)


@pytest.mark.parametrize("true", [True, "yes", 1, "${{ parameters.n }}", "${{ {} }}", "${{ not parameters.no }}"])
def test_these_conditions_are_true(true: Any) -> None:
    assert expressions.is_true(true, CONTEXT)


@pytest.mark.parametrize(
    ("reason", "text", "says"),
    [
        ("too long", "${{ 'a' * 10000000 }}", "the result would have 10000000 parts"),
        ("too large", "${{ 9 ** 9999 }}", "is too large"),
        ("too many turns", "{% for i in range(1000000) %}x{% endfor %}", "range of 1000000 is too long"),
        ("an unknown filter", "${{ 1 | nope }}", "No filter named 'nope'"),
        ("not an expression", "${{ 1 + }}", "unexpected 'end of template'"),
        ("a bad repository URL", "${{ 'x' | parseRepoUrl }}", "'x' is not of the form host?owner=…&repo=…"),
    ],
)
def test_what_cannot_be_worked_out_is_named(reason: str, text: str, says: str) -> None:
    with pytest.raises(expressions.ExpressionError) as caught:
        expressions.resolve(text, CONTEXT)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["${{ ''.__class__ }}", "${{ parameters.__class__ }}", "${{ parameters.list.append }}"]
)
def test_the_inside_of_python_cannot_be_reached(text: str) -> None:
    assert expressions.resolve(text, CONTEXT) is None
