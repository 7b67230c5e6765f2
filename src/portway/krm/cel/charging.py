"""What calls cost while they run, beyond one unit: in proportion to what they read and make.

The numbers follow cel-go's interpreter/runtimecost.go: a tenth of a unit for a character, one for an item.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Charge = Callable[..., int]
_UNIT = 10
"""Characters per unit."""


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes | list | dict) else 1


def _text(*args: Any) -> int:
    return 1 + _length(args[0]) // _UNIT


def _twice(*args: Any) -> int:
    return 1 + 2 * _length(args[0]) // _UNIT


def _regex(*args: Any) -> int:
    return math.ceil((1 + _length(args[0])) / _UNIT) * math.ceil(_length(args[1]) / 4)


def _both(*args: Any) -> int:
    return 1 + sum(_length(arg) for arg in args) // _UNIT


def _product(*args: Any) -> int:
    return 1 + _length(args[0]) * _length(args[1])


def _items(*args: Any) -> int:
    return 1 + _length(args[0])


def _concat(*args: Any) -> int:
    return 1 + (_both(*args) if isinstance(args[0], str | bytes) else sum(map(_length, args)))


def _replaced(*args: Any) -> int:
    return 1 + _length(args[0]) * max(1, _length(args[2]) if len(args) > 2 else 1) // _UNIT


def _equality(*args: Any) -> int:
    a, b = args
    if isinstance(a, str | bytes):
        return 1 + min(_length(a), _length(b)) // _UNIT
    return 1 + deep_size(a) if isinstance(a, list | dict) and type(a) is type(b) else 1


def deep_size(value: Any) -> int:
    if isinstance(value, list):
        return 1 + sum(map(deep_size, value))
    if isinstance(value, dict):
        return 1 + sum(map(deep_size, value.values()))
    return 1 + (len(value) // _UNIT if isinstance(value, str) else 0)


CHARGES: dict[str, Charge] = {
    **dict.fromkeys(("matches", "find", "findAll"), _regex),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim", "url", "isURL", "cidr", "ip", "isIP"), _text),
    **dict.fromkeys(("isCIDR", "quantity", "isQuantity", "semver", "isSemver", "jsonpatch.escapeKey"), _text),
    **dict.fromkeys(("bytes", "string", "int", "double", "duration", "timestamp", "format"), _text),
    **dict.fromkeys(("startsWith", "endsWith", "contains"), _both),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes", "reverse"), _items),
    **dict.fromkeys(("slice", "flatten", "sort"), _items),
    **dict.fromkeys(("sets.contains", "sets.equivalent", "sets.intersects"), _product),
    "join": lambda items, *separator: (
        1 + sum(_length(i) + 1 for i in items) * max(1, _length(*separator or ("",))) // 10
    ),
    "distinct": lambda items: 1 + len(items) ** 2,
    "lists.range": lambda count: 1 + max(count, 0),
    "replace": _replaced,
    "split": _twice,
    "_+_": _concat,
    "_==_": _equality,
    "_!=_": _equality,
    "@in": lambda _value, items: 1 + (len(items) if isinstance(items, list) else 0),
    "validate": lambda _format, text: 1 + len(text),
    "check": lambda *_args: 350_000,
}
