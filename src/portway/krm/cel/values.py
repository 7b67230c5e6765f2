"""Values at run time. JSON values are themselves; the rest of CEL's types are here.

Invariant: bool is not int and int is not double, although Python takes them as equal: compare with ``equal``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from portway.krm.cel.types import Type

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1
UINT_MAX = (1 << 64) - 1


class EvaluationError(Exception):
    """The expression has no value for this input."""


class CostExceeded(EvaluationError):
    """The evaluation would take too long."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


def no_overload() -> EvaluationError:
    return EvaluationError("no such overload")


class Uint(int):
    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    name: str


class Optional:
    __slots__ = ("has", "value")

    def __init__(self, value: Any = None, *, has: bool = True) -> None:
        self.value = value
        self.has = has


NONE = Optional(has=False)


@dataclass(frozen=True, slots=True)
class StructValue:
    """A value made by ``Name{field: …}``."""

    name: str
    fields: dict[str, Any]


class Lazy:
    """Named expressions, each evaluated at most once, when asked for."""

    __slots__ = ("_found", "_makers")

    def __init__(self, makers: dict[str, Callable[[], Any]]) -> None:
        self._makers = makers
        self._found: dict[str, tuple[Any, EvaluationError | None]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._makers

    def get(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            maker = self._makers.get(name)
            if maker is None:
                raise EvaluationError(f"no such key: {name}")
            try:
                found = (maker(), None)
            except CostExceeded:
                raise
            except EvaluationError as error:
                found = (None, error)
            self._found[name] = found
        if found[1] is not None:
            raise found[1]
        return found[0]


_PRIMITIVE = frozenset((str, bool, bytes))
_NUMBERS = frozenset((int, float, Uint))


def equal(a: Any, b: Any) -> bool:
    kind = type(a)
    if kind is type(b):
        if kind is list:
            return len(a) == len(b) and all(map(equal, a, b))
        if kind is dict:
            return len(a) == len(b) and all(key in b and equal(value, b[key]) for key, value in a.items())
        if kind is Optional:
            return a.has == b.has and (not a.has or equal(a.value, b.value))
        if kind is StructValue:
            return a.name == b.name and equal(a.fields, b.fields)
        return bool(a == b)
    if kind in _NUMBERS and type(b) in _NUMBERS:
        return bool(a == b)
    return False


_TYPE_NAMES: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    datetime: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    TypeValue: "type",
    Optional: "optional_type",
}
TYPE_VALUES = {name: TypeValue(name) for name in _TYPE_NAMES.values()}


def type_name(value: Any) -> str:
    found = _TYPE_NAMES.get(type(value))
    return found or str(getattr(value, "type_name", None) or getattr(value, "name", type(value).__name__))


_KINDS: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "uint": (Uint,),
    "double": (float,),
    "string": (str,),
    "bytes": (bytes,),
    "list": (list,),
    "map": (dict,),
    "timestamp": (datetime,),
    "duration": (Duration,),
    "type": (TypeValue,),
    "optional": (Optional,),
    "object": (dict, StructValue, Lazy),
}


def fits(type_: Type) -> Callable[[Any], bool] | None:
    """A test whether a value is of the type; None when all are."""
    if type_.kind in ("dyn", "param"):
        return None
    if type_.kind == "opaque":
        name = type_.name
        return lambda value: getattr(value, "type_name", "") == name
    kinds = _KINDS[type_.kind]
    if len(kinds) == 1:
        only = kinds[0]
        return lambda value: type(value) is only
    return lambda value: type(value) in kinds


_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def timestamp(text: str) -> datetime:
    match = _RFC3339.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        zone = "+00:00" if match[4] in "Zz" else match[4]
        return datetime.fromisoformat(f"{match[1]}T{match[2]}{(match[3] or '')[:7]}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise EvaluationError(f'invalid timestamp "{text}"') from None


def date(text: str) -> datetime:
    return timestamp(text + "T00:00:00Z" if "T" not in text else text)


def duration(text: str) -> Duration:
    """Go's notation: ``1h30m``, ``-1.5s``."""
    sign, body = (-1, text[1:]) if text[:1] == "-" else (1, text[1:] if text[:1] == "+" else text)
    if body == "0":
        return Duration(0)
    parts = _DURATION.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        raise EvaluationError(f'invalid duration "{text}"')
    total = 0
    for number, unit in parts:
        whole, _, fraction = number.partition(".")
        total += int(whole or "0") * _UNITS[unit]
        if fraction:
            total += int(fraction) * _UNITS[unit] // 10 ** len(fraction)
    if total > INT_MAX:
        raise EvaluationError(f'invalid duration "{text}"')
    return Duration(sign * total)


def of_timedelta(delta: timedelta) -> Duration:
    return Duration((delta.days * 86400 + delta.seconds) * 10**9 + delta.microseconds * 1000)


def to_timedelta(value: Duration) -> timedelta:
    return timedelta(microseconds=value.nanoseconds // 1000)


def converter(type_: Type) -> Callable[[Any], Any] | None:
    """From JSON to a type that JSON has not; None when nothing is to be done. Objects convert field by field."""
    kind = type_.kind
    if kind == "timestamp":
        return lambda value: date(value) if type(value) is str else value
    if kind == "duration":
        return lambda value: duration(value) if type(value) is str else value
    if kind == "bytes":
        return _decoded
    if kind == "double":
        return lambda value: float(value) if type(value) is int else value
    if kind == "int":
        return lambda value: int(value) if type(value) is float and value.is_integer() else value
    if kind in ("list", "map"):
        inner = converter(type_.params[-1])
        if inner is None or type_.params[-1].kind == "int":
            return None
        if kind == "list":
            return lambda value: [inner(item) for item in value] if type(value) is list else value
        return lambda value: {k: inner(item) for k, item in value.items()} if type(value) is dict else value
    return None


def _decoded(value: Any) -> Any:
    import base64
    import binascii

    if type(value) is not str:
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise EvaluationError(f"invalid base64: {value[:40]}") from None
