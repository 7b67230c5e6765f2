from __future__ import annotations

from typing import Any

import pytest

from portway.krm import selectors
from portway.krm.errors import StatusError


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a=b", {}, False),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in (b,)", {"a": ""}, True),
        ("a in (b)", {}, False),
        ("a notin (b,c)", {"a": "d"}, True),
        ("a notin (b,c)", {}, True),
        ("a", {"a": ""}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("!a", {"a": "x"}, False),
        ("a=", {"a": ""}, True),
        ("n>1", {"n": "2"}, True),
        ("n<1", {"n": "2"}, False),
        ("n>1", {"n": "x"}, False),
        ("n>1", {}, False),
        (" a = b , example.com/c in ( x , y ) ,!d ", {"a": "b", "example.com/c": "y"}, True),
        ("in=notin", {"in": "notin"}, True),
        ("a in ()", {"a": ""}, True),
    ],
)
def test_label_selectors_match_as_kubernetes_does(text: str, labels: dict[str, str], matches: bool) -> None:
    assert selectors.parse_labels(text).matches(labels) is matches


@pytest.mark.parametrize(
    "text",
    [
        "a in",
        "a in (",
        "a in (b",
        "a in b",
        "=a",
        "a=b,",
        "a b",
        "a=b=c",
        "a!",
        "!",
        "-a",
        "a=-",
        "a>x",
        "a/b/c",
        "a,,b",
        "()",
    ],
)
def test_a_text_that_is_no_label_selector_is_a_bad_request(text: str) -> None:
    with pytest.raises(StatusError) as caught:
        selectors.parse_labels(text)
    assert caught.value.code == 400
    assert "unable to parse requirement" in caught.value.message


def test_absent_labels_are_no_labels() -> None:
    assert selectors.parse_labels("!a").matches(None)


SELECTOR = {
    "matchLabels": {"app": "web"},
    "matchExpressions": [
        {"key": "tier", "operator": "NotIn", "values": ["db"]},
        {"key": "canary", "operator": "DoesNotExist"},
        {"key": "zone", "operator": "Exists"},
    ],
}


@pytest.mark.parametrize(
    ("labels", "matches"),
    [
        ({"app": "web", "zone": "a"}, True),
        ({"app": "web", "zone": "a", "tier": "db"}, False),
        ({"app": "web", "zone": "a", "canary": ""}, False),
        ({"app": "web"}, False),
    ],
)
def test_selector_objects_combine_labels_and_expressions(labels: dict[str, str], matches: bool) -> None:
    assert selectors.labels_from(SELECTOR).matches(labels) is matches


@pytest.mark.parametrize(
    "expression",
    [
        {"key": "a", "operator": "Is"},
        {"key": "a", "operator": "In"},
        {"key": "a", "operator": "Exists", "values": ["b"]},
    ],
)
def test_selector_objects_with_wrong_operators_are_refused(expression: dict[str, Any]) -> None:
    with pytest.raises(StatusError):
        selectors.labels_from({"matchExpressions": [expression]})


def test_no_selector_object_matches_everything() -> None:
    assert selectors.labels_from(None).everything


OBJECT = {"metadata": {"name": "a", "namespace": "n"}, "spec": {"on": True, "count": 3}, "status": {"phase": "Ready"}}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("metadata.name=a", True),
        ("metadata.name==b", False),
        ("metadata.name!=b,status.phase=Ready", True),
        ("status.phase!=Ready", False),
        ("status.missing=", True),
        ("spec.on=true,spec.count=3", True),
    ],
)
def test_field_selectors_compare_texts(text: str, matches: bool) -> None:
    assert selectors.parse_fields(text).matches(OBJECT) is matches


def test_field_selectors_tell_their_fields_and_exact_values() -> None:
    selector = selectors.parse_fields("metadata.name=x,type!=y")
    assert selector.fields == ("metadata.name", "type")
    assert (selector.exact("metadata.name"), selector.exact("type")) == ("x", None)


def test_values_of_field_selectors_may_be_escaped() -> None:
    assert selectors.parse_fields(r"a=b\,c\=d\\e,f=g").requirements == (
        selectors.FieldRequirement("a", r"b,c=d\e"),
        selectors.FieldRequirement("f", "g"),
    )


@pytest.mark.parametrize("text", ["a", "a=b=c", r"a=\x"])
def test_a_text_that_is_no_field_selector_is_a_bad_request(text: str) -> None:
    with pytest.raises(StatusError):
        selectors.parse_fields(text)
