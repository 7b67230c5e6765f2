from __future__ import annotations

import pytest

from portway.krm.schemas import patterns


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^abc$", "abc\n", False),
        (r"\Aabc\z", "abc", True),
        (r"^\d+$", "12", True),
        (r"^\d+$", "١٢", False),
        (r"^[[:alpha:]][[:alnum:]]*$", "a1", True),
        (r"^[[:digit:]-]+$", "1-2", True),
        (r"^\pL+$", "äé", True),
        (r"^\p{Greek}+$", "αβ", True),
        (r"^(?P<word>a)+$", "aa", True),
        ("(?i)^abc$", "ABC", True),
        (r"^a\\z$", "a\\z", True),
    ],
)
def test_patterns_mean_what_they_mean_in_re2(pattern: str, text: str, matches: bool) -> None:
    assert patterns.matcher(pattern)(text) is matches


@pytest.mark.parametrize("pattern", ["(", "[a", "(?!x)", r"(a)\1"])
def test_what_re2_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(patterns.BadPattern):
        patterns.matcher(pattern)


def test_a_pattern_that_would_backtrack_for_ever_answers_at_once() -> None:
    assert not patterns.matcher("^(a+)+$")("a" * 5000 + "b")
