from __future__ import annotations

import pytest

from portway.tenancy import paths
from portway.tenancy.paths import WorkspacePath

PAYMENTS = WorkspacePath(("root", "acme", "payments"))


def test_a_path_is_parsed_and_written_back() -> None:
    assert WorkspacePath.parse("root:acme:payments") == PAYMENTS
    assert str(PAYMENTS) == "root:acme:payments"


def test_ancestors_come_nearest_first_up_to_the_root() -> None:
    assert [str(path) for path in PAYMENTS.ancestors()] == ["root:acme", "root"]
    assert list(paths.ROOT.ancestors()) == []


def test_parent_name_and_join_are_each_others_inverse() -> None:
    assert PAYMENTS.parent is not None
    assert PAYMENTS.parent.join(PAYMENTS.name) == PAYMENTS
    assert paths.ROOT.parent is None


def test_a_home_has_nothing_above_it() -> None:
    home = WorkspacePath.parse("user:alice")
    assert (home.parent, list(home.ancestors()), home.is_root) == (None, [], False)
    assert list(home.join("play").ancestors()) == [home]
    with pytest.raises(paths.InvalidPath):
        WorkspacePath.parse("user")


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("root", "root:acme", True),
        ("root:acme", "root:acme:payments", True),
        ("root:acme", "root:acme", False),
        ("root:acme", "root:acmeish", False),
        ("root:acme:payments", "root:acme", False),
    ],
)
def test_an_ancestor_is_strictly_above(above: str, below: str, expected: bool) -> None:
    assert WorkspacePath.parse(above).is_ancestor_of(WorkspacePath.parse(below)) is expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "must begin with 'root'"),
        ("acme:payments", "must begin with 'root'"),
        ("root:", "a workspace name is empty"),
        ("root::a", "a workspace name is empty"),
        ("root:Acme", "'Acme' is not valid"),
        ("root:-a", "'-a' is not valid"),
        ("root:a-", "'a-' is not valid"),
        ("root:a.b", "'a.b' is not valid"),
        ("root:a\n", "is not valid"),
        ("root:" + "a" * 64, "has 64 characters: at most 63"),
    ],
)
def test_a_wrong_path_says_which_part_and_what_was_expected(text: str, part: str) -> None:
    with pytest.raises(paths.InvalidPath) as caught:
        WorkspacePath.parse(text)
    assert part in str(caught.value)
