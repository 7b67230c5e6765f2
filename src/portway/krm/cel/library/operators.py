"""Arithmetic, comparison, membership. Equality, logic and indexing are compiled directly."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from portway.krm.cel.library.declaring import Library
from portway.krm.cel.values import (
    INT_MAX,
    INT_MIN,
    UINT_MAX,
    Duration,
    EvaluationError,
    Optional,
    Uint,
    equal,
    of_timedelta,
    to_timedelta,
)

LIBRARY = Library()
_MIN_TIME, _MAX_TIME = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def _int(value: int) -> int:
    if not INT_MIN <= value <= INT_MAX:
        raise EvaluationError("integer overflow")
    return value


def _uint(value: int) -> Uint:
    if not 0 <= value <= UINT_MAX:
        raise EvaluationError("unsigned integer overflow")
    return Uint(value)


def _quotient(a: int, b: int) -> int:
    if not b:
        raise EvaluationError("division by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int:
    if not b:
        raise EvaluationError("modulus by zero")
    return int(math.fmod(a, b)) if max(abs(a), abs(b)) < 1 << 53 else a - b * _quotient(a, b)


def _double_quotient(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if not a or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def _moved(at: datetime, by: Duration) -> datetime:
    try:
        moved = at + to_timedelta(by)
    except OverflowError:
        raise EvaluationError("timestamp overflow") from None
    if not _MIN_TIME <= moved <= _MAX_TIME:
        raise EvaluationError("timestamp overflow")
    return moved


def _duration(nanoseconds: int) -> Duration:
    if not INT_MIN <= nanoseconds <= INT_MAX:
        raise EvaluationError("duration overflow")
    return Duration(nanoseconds)


def _in_list(value: Any, items: list[Any]) -> bool:
    if type(value) is str:
        return value in items
    return any(equal(value, item) for item in items)


def _in_map(value: Any, items: dict[Any, Any]) -> bool:
    try:
        return value in items
    except TypeError:
        return False


for _name, _sign in (("_+_", "+"), ("_-_", "-"), ("_*_", "*"), ("_/_", "/")):
    _on_double = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": _double_quotient,
    }[_sign]
    LIBRARY.declare(_name, "(double, double) double", _on_double)
LIBRARY.declare("_+_", "(int, int) int", lambda a, b: _int(a + b))
LIBRARY.declare("_+_", "(uint, uint) uint", lambda a, b: _uint(int(a) + int(b)))
LIBRARY.declare("_+_", "(string, string) string", lambda a, b: a + b)
LIBRARY.declare("_+_", "(bytes, bytes) bytes", lambda a, b: a + b)
LIBRARY.declare("_+_", "(list(A), list(A)) list(A)", lambda a, b: a + b)
LIBRARY.declare("_+_", "(timestamp, duration) timestamp", _moved)
LIBRARY.declare("_+_", "(duration, timestamp) timestamp", lambda a, b: _moved(b, a))
LIBRARY.declare("_+_", "(duration, duration) duration", lambda a, b: _duration(a.nanoseconds + b.nanoseconds))
LIBRARY.declare("_-_", "(int, int) int", lambda a, b: _int(a - b))
LIBRARY.declare("_-_", "(uint, uint) uint", lambda a, b: _uint(int(a) - int(b)))
LIBRARY.declare("_-_", "(timestamp, duration) timestamp", lambda a, b: _moved(a, Duration(-b.nanoseconds)))
LIBRARY.declare("_-_", "(timestamp, timestamp) duration", lambda a, b: of_timedelta(a - b))
LIBRARY.declare("_-_", "(duration, duration) duration", lambda a, b: _duration(a.nanoseconds - b.nanoseconds))
LIBRARY.declare("_*_", "(int, int) int", lambda a, b: _int(a * b))
LIBRARY.declare("_*_", "(uint, uint) uint", lambda a, b: _uint(int(a) * int(b)))
LIBRARY.declare("_/_", "(int, int) int", lambda a, b: _int(_quotient(a, b)))
LIBRARY.declare("_/_", "(uint, uint) uint", lambda a, b: _uint(_quotient(int(a), int(b))))
LIBRARY.declare("_%_", "(int, int) int", _remainder)
LIBRARY.declare("_%_", "(uint, uint) uint", lambda a, b: _uint(_remainder(int(a), int(b))))
LIBRARY.declare("-_", "(int) int", lambda a: _int(-a))
LIBRARY.declare("-_", "(double) double", lambda a: -a)
LIBRARY.declare("-_", "(duration) duration", lambda a: _duration(-a.nanoseconds))
LIBRARY.declare("!_", "(bool) bool", lambda a: not a)
LIBRARY.declare("@in", "(A, list(A)) bool", _in_list)
LIBRARY.declare("@in", "(A, map(A, B)) bool", _in_map)
for _name, _compare in (
    ("_<_", lambda a, b: a < b),
    ("_<=_", lambda a, b: a <= b),
    ("_>_", lambda a, b: a > b),
    ("_>=_", lambda a, b: a >= b),
):
    for _kind in ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"):
        LIBRARY.declare(_name, f"({_kind}, {_kind}) bool", _compare)
    for _left in ("int", "uint", "double"):
        for _right in ("int", "uint", "double"):
            if _left != _right:
                LIBRARY.declare(_name, f"({_left}, {_right}) bool", _compare)


def _unused(*_values: Any) -> Any:
    raise AssertionError("compiled directly")


LIBRARY.declare("_==_", "(A, A) bool", equal)
LIBRARY.declare("_!=_", "(A, A) bool", lambda a, b: not equal(a, b))
LIBRARY.declare("_&&_", "(bool, bool) bool", _unused)
LIBRARY.declare("_||_", "(bool, bool) bool", _unused)
LIBRARY.declare("_?_:_", "(bool, A, A) A", _unused)


def _item(items: list[Any], index: Any) -> Any:
    if type(index) is float and index.is_integer():
        index = int(index)
    if index < 0 or index >= len(items):
        raise EvaluationError(f"index out of bounds: {index}")
    return items[index]


def _entry(entries: dict[Any, Any], key: Any) -> Any:
    try:
        return entries[key]
    except KeyError:
        raise EvaluationError(f"no such key: {key}") from None
    except TypeError:
        raise EvaluationError("unsupported index type") from None


def _optional_item(items: list[Any], index: int) -> Optional:
    return Optional(items[index]) if 0 <= index < len(items) else Optional(has=False)


def _optional_entry(entries: dict[Any, Any], key: Any) -> Optional:
    return Optional(entries[key]) if key in entries else Optional(has=False)


def _inside(value: Optional, key: Any) -> Optional:
    if not value.has:
        return value
    inner = value.value
    return _optional_item(inner, key) if type(inner) is list else _optional_entry(inner, key)


LIBRARY.declare("_[_]", "(list(A), int) A", _item)
LIBRARY.declare("_[_]", "(map(A, B), A) B", _entry)
LIBRARY.declare("_[_]", "(optional(list(A)), int) optional(A)", _inside)
LIBRARY.declare("_[_]", "(optional(map(A, B)), A) optional(B)", _inside)
LIBRARY.declare("_[?_]", "(list(A), int) optional(A)", _optional_item)
LIBRARY.declare("_[?_]", "(map(A, B), A) optional(B)", _optional_entry)
LIBRARY.declare("_[?_]", "(optional(list(A)), int) optional(A)", _inside)
LIBRARY.declare("_[?_]", "(optional(map(A, B)), A) optional(B)", _inside)
