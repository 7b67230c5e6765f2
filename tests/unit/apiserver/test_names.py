from __future__ import annotations

import pytest

from portway.apiserver import names
from portway.krm.errors import Cause

LABEL = names.LABEL_TEXT
SUBDOMAIN = names.SUBDOMAIN_TEXT
QUALIFIED = names.QUALIFIED_TEXT
ROLES = "roles.rbac.authorization.k8s.io"
LONG = "must be no more than"


def said(causes: list[Cause]) -> list[tuple[str, str]]:
    return [(cause.field, cause.message) for cause in causes]


@pytest.mark.parametrize(
    ("resource", "name", "faults", "reason"),
    [
        ("configmaps", "a.b-c", [], "a subdomain"),
        ("configmaps", "A", [SUBDOMAIN], "in lower case"),
        ("configmaps", "a..b", [SUBDOMAIN], "whose labels are not empty"),
        ("configmaps", "a" * 254, [f"{LONG} 253 characters"], "not too long"),
        ("configmaps", "-" * 254, [f"{LONG} 253 characters", SUBDOMAIN], "both are said"),
        ("namespaces", "a.b", ["must not contain dots"], "a namespace is one label"),
        ("namespaces", "a_b", [LABEL], "of letters, digits and dashes"),
        ("services", "a" * 64, [f"{LONG} 63 characters"], "not too long"),
        (ROLES, "System:a@b", [], "roles are named freely"),
        (ROLES, "a/b%c", ["may not contain '/'", "may not contain '%'"], "as far as a path goes"),
        (ROLES, "..", ["may not be '..'"], "and goes nowhere else"),
    ],
)
def test_names_are_as_their_kind_wants_them(resource: str, name: str, faults: list[str], reason: str) -> None:
    expected = [("metadata.name", f'Invalid value: "{name}": {fault}') for fault in faults]
    assert said(names.check(resource, name)) == expected, reason


@pytest.mark.parametrize(
    ("resource", "prefix", "faults", "reason"),
    [
        ("configmaps", "a-", [], "what follows is no dash"),
        ("configmaps", "A-", [], "upstream masks the last two characters"),
        ("configmaps", "Ab-", [SUBDOMAIN], "the rest is checked"),
        (ROLES, "..", [], "something follows"),
        (ROLES, "a/", ["may not contain '/'"], "that does not help"),
    ],
)
def test_prefixes_of_names_are_checked_too(resource: str, prefix: str, faults: list[str], reason: str) -> None:
    expected = [("metadata.generateName", f'Invalid value: "{prefix}": {fault}') for fault in faults]
    assert said(names.check_prefix(resource, prefix)) == expected, reason


@pytest.mark.parametrize(
    ("key", "faults", "reason"),
    [
        ("example.org/Some_Name.x", [], "a prefix and a name"),
        ("", ["name part must be non-empty", QUALIFIED], "the name is needed"),
        ("/a", ["prefix part must be non-empty"], "with a slash the prefix too"),
        ("Example.org/a", [f"prefix part {SUBDOMAIN}"], "which is a subdomain"),
        ("a" * 64, ["name part must be no more than 63 bytes"], "the name is short"),
        ("-", [QUALIFIED], "and begins with a letter or digit"),
        (
            "a/b/c",
            [
                f"a valid label key {QUALIFIED.removeprefix('name part ')} with an optional DNS subdomain prefix and "
                "'/' (e.g. 'example.com/MyName')"
            ],
            "there is one slash",
        ),
    ],
)
def test_qualified_names(key: str, faults: list[str], reason: str) -> None:
    assert names.qualified_faults(key) == faults, reason


def test_values_of_labels_are_short_words() -> None:
    found = names.check_labels({"a": "x" * 64, "b": "no words", "c": ""}, "metadata.labels")
    assert said(found) == [
        ("metadata.labels", f'Invalid value: "{"x" * 64}": must be no more than 63 bytes'),
        ("metadata.labels", f'Invalid value: "no words": {names.LABEL_VALUE_TEXT}'),
    ]


def test_annotations_are_counted_in_bytes() -> None:
    assert names.check_annotations({"a": "x" * (256 * 1024 - 1)}) == []
    too_long = [("metadata.annotations", "Too long: may not be more than 262144 bytes")]
    assert said(names.check_annotations({"a": "x" * 256 * 1024})) == too_long
    assert said(names.check_annotations({"a": "é" * 128 * 1024})) == too_long
