"""Lists and sets."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from portway.krm.cel.library.declaring import Library
from portway.krm.cel.values import Duration, EvaluationError, Optional, Uint, equal, no_overload

LIBRARY = Library()
declare = LIBRARY.declare
_ORDERED = ("int", "uint", "double", "bool", "string", "bytes", "timestamp", "duration")


def _ordered(items: list[Any]) -> list[Any]:
    numbers = (int, Uint, float)
    for a, b in pairwise(items):
        if type(a) is not type(b) and not (type(a) in numbers and type(b) in numbers):
            raise no_overload()
    if items and type(items[0]) in (list, dict, type(None)):
        raise no_overload()
    return items


def _is_sorted(items: list[Any]) -> bool:
    _ordered(items)
    return all(not b < a for a, b in pairwise(items))


def _extreme(items: list[Any], pick: Any, name: str) -> Any:
    if not items:
        raise EvaluationError(f"{name} called on empty list")
    return pick(_ordered(items))


def _sum(items: list[Any], zero: Any) -> Any:
    total = zero
    for item in items:
        total = Duration(total.nanoseconds + item.nanoseconds) if isinstance(total, Duration) else total + item
    return Uint(total) if isinstance(zero, Uint) else total


for _kind in _ORDERED:
    declare("isSorted", f"list({_kind}).() bool", _is_sorted)
    declare("max", f"list({_kind}).() {_kind}", lambda items: _extreme(items, max, "max"))
    declare("min", f"list({_kind}).() {_kind}", lambda items: _extreme(items, min, "min"))
for _kind, _zero in (("int", 0), ("uint", Uint(0)), ("double", 0.0), ("duration", Duration(0))):
    declare("sum", f"list({_kind}).() {_kind}", lambda items, zero=_zero: _sum(items, zero))


def _index_of(items: list[Any], wanted: Any) -> int:
    return next((index for index, item in enumerate(items) if equal(item, wanted)), -1)


def _last_index_of(items: list[Any], wanted: Any) -> int:
    return next((index for index in range(len(items) - 1, -1, -1) if equal(items[index], wanted)), -1)


def contains(items: list[Any], wanted: Any) -> bool:
    return wanted in items if type(wanted) is str else any(equal(item, wanted) for item in items)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise EvaluationError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise EvaluationError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    flat: list[Any] = []
    for item in items:
        flat.extend(_flatten(item, depth - 1) if type(item) is list and depth else [item])
    return flat


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not contains(found, item):
            found.append(item)
    return found


_RANGE_LIMIT = 1_000_000


def _range(count: int) -> list[int]:
    if count > _RANGE_LIMIT:
        raise EvaluationError(f"lists.range({count}) is longer than {_RANGE_LIMIT}")
    return list(range(count))


def _compare(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _sort(items: list[Any]) -> list[Any]:
    return sorted(_ordered(items), key=cmp_to_key(_compare))


declare("indexOf", "list(A).(A) int", _index_of)
declare("lastIndexOf", "list(A).(A) int", _last_index_of)
declare("includes", "list(A).(A) bool", contains)
declare("slice", "list(A).(int, int) list(A)", _slice)
declare("flatten", "list(A).() list(dyn)", _flatten)
declare("flatten", "list(A).(int) list(dyn)", _flatten)
declare("distinct", "list(A).() list(A)", _distinct)
declare("reverse", "list(A).() list(A)", lambda items: items[::-1])
declare("sort", "list(A).() list(A)", _sort)
declare("lists.range", "(int) list(int)", _range)
declare("first", "list(A).() optional(A)", lambda items: Optional(items[0]) if items else Optional(has=False))
declare("last", "list(A).() optional(A)", lambda items: Optional(items[-1]) if items else Optional(has=False))
declare("sets.contains", "(list(A), list(A)) bool", lambda a, b: all(contains(a, item) for item in b))
declare(
    "sets.equivalent",
    "(list(A), list(A)) bool",
    lambda a, b: all(contains(a, item) for item in b) and all(contains(b, item) for item in a),
)
declare("sets.intersects", "(list(A), list(A)) bool", lambda a, b: any(contains(a, item) for item in b))
