"""Equality and copies of JSON values: 1 and 1.0 are the same number, true and 1 are not the same value."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson

T = TypeVar("T")


def same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        return numbers and not isinstance(left, bool) and not isinstance(right, bool) and bool(left == right)
    if type(left) is dict:
        if len(left) != len(right):
            return False
        return all(key in right and same(item, right[key]) for key, item in left.items())
    if type(left) is list:
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def copied(value: T) -> T:
    """A copy that shares nothing; the fastest way there is in Python."""
    copy: T = orjson.loads(orjson.dumps(value))
    return copy
