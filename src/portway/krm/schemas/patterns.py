"""Regular expressions as CRD authors write them (Go's RE2 syntax), matched in linear time.

Python's ``re`` backtracks, so that a pattern from one tenant could hold up every request; the Rust engine that
``jsonschema_rs`` brings does not. Its syntax is RE2's but for the few spellings translated here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import jsonschema_rs

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_SPELLINGS = re.compile(r"\\\\|\\z|\\p([A-Z])|\(\?P<|\[:(\w+):\]")


class BadPattern(ValueError):
    """The text is no RE2 regular expression."""


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether the pattern is found anywhere in a text. Raises BadPattern."""
    translated = _SPELLINGS.sub(_translate, pattern)
    try:
        validator = jsonschema_rs.validator_for({"pattern": translated}, pattern_options=jsonschema_rs.RegexOptions())
    except (ValueError, jsonschema_rs.ValidationError) as refused:
        raise BadPattern(f"{pattern!r} is not a regular expression in RE2 syntax") from refused
    return validator.is_valid


def _translate(match: re.Match[str]) -> str:
    found = match.group()
    if found == r"\z":
        return "$"
    if found == "(?P<":
        return "(?<"
    if match.group(1):
        return rf"\p{{{match.group(1)}}}"
    if match.group(2):
        return _POSIX.get(match.group(2), found)
    return found
