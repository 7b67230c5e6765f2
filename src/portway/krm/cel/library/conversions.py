"""Conversions, sizes, times, optionals: what is neither operator nor extension."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portway.krm.cel import values
from portway.krm.cel.library.declaring import Library
from portway.krm.cel.values import (
    INT_MAX,
    INT_MIN,
    NONE,
    TYPE_VALUES,
    UINT_MAX,
    Duration,
    EvaluationError,
    Optional,
    TypeValue,
    Uint,
)

LIBRARY = Library()
declare = LIBRARY.declare


def _int_of_double(value: float) -> int:
    if not math.isfinite(value) or not INT_MIN < value < INT_MAX:
        raise EvaluationError("integer overflow")
    return int(value)


def _int_of_text(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise EvaluationError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if not INT_MIN <= number <= INT_MAX:
        raise EvaluationError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def _uint(value: int | float | str) -> Uint:
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise EvaluationError(f'strconv.ParseUint: parsing "{value}": invalid syntax') from None
    if not 0 <= number <= UINT_MAX:
        raise EvaluationError("unsigned integer overflow")
    return Uint(number)


def _double(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise EvaluationError(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None


def _bool(text: str) -> bool:
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise EvaluationError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def show_double(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}" if e and exponent[0] in "+-" else text


def show_duration(value: Duration) -> str:
    seconds, rest = divmod(abs(value.nanoseconds), 10**9)
    text = f"{seconds}.{rest:09d}".rstrip("0").rstrip(".")
    return f"{'-' if value.nanoseconds < 0 else ''}{text}s"


def show_timestamp(value: datetime) -> str:
    text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").zfill(20 - 1)
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f"{text}{fraction}Z"


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None


def _instant(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise EvaluationError("timestamp overflow") from None


for _kind in ("int", "uint", "double", "string", "bool", "bytes", "timestamp", "duration"):
    declare(_kind, f"({_kind}) {_kind}", lambda value: value)
declare("int", "(uint) int", lambda value: int(value) if value <= INT_MAX else _int_of_double(math.inf))
declare("int", "(double) int", _int_of_double)
declare("int", "(string) int", _int_of_text)
declare("int", "(timestamp) int", lambda value: math.floor(value.timestamp()))
declare("int", "(duration) int", lambda value: value.nanoseconds)
for _kind in ("int", "double", "string"):
    declare("uint", f"({_kind}) uint", _uint)
declare("double", "(int) double", float)
declare("double", "(uint) double", float)
declare("double", "(string) double", _double)
declare("bool", "(string) bool", _bool)
declare("bytes", "(string) bytes", lambda value: value.encode())
declare("string", "(bool) string", lambda value: "true" if value else "false")
declare("string", "(int) string", str)
declare("string", "(uint) string", lambda value: str(int(value)))
declare("string", "(double) string", show_double)
declare("string", "(bytes) string", _decode)
declare("string", "(timestamp) string", show_timestamp)
declare("string", "(duration) string", show_duration)
declare("timestamp", "(string) timestamp", values.timestamp)
declare("timestamp", "(int) timestamp", _instant)
declare("duration", "(string) duration", values.duration)
declare("dyn", "(A) dyn", lambda value: value)
declare(
    "type", "(A) type", lambda value: TYPE_VALUES.get(values.type_name(value)) or TypeValue(values.type_name(value))
)
for _kind in ("string", "bytes", "list(A)", "map(A, B)"):
    declare("size", f"({_kind}) int", len)
    declare("size", f"{_kind}.() int", len)


def _zone(name: str) -> Any:
    try:
        if name[:1] in "+-" or name[:1].isdigit():
            sign = -1 if name[0] == "-" else 1
            hours, _, minutes = name.lstrip("+-").partition(":")
            return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, IsADirectoryError):
        raise EvaluationError(f"unknown time zone {name}") from None


for _function, _read in {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDate": lambda at: at.day,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
    "getMilliseconds": lambda at: at.microsecond // 1000,
}.items():
    declare(_function, "timestamp.() int", _read)
    declare(_function, "timestamp.(string) int", lambda at, zone, read=_read: read(at.astimezone(_zone(zone))))
for _function, _unit in {
    "getHours": 3600 * 10**9,
    "getMinutes": 60 * 10**9,
    "getSeconds": 10**9,
}.items():
    declare(_function, "duration.() int", lambda value, unit=_unit: int(value.nanoseconds / unit))
declare("getMilliseconds", "duration.() int", lambda value: value.nanoseconds // 10**6 % 1000)


def _value(optional: Optional) -> Any:
    if not optional.has:
        raise EvaluationError("optional.none() dereference")
    return optional.value


def _of_non_zero(value: Any) -> Optional:
    zero = value is None or value in (0, "", False, b"", 0.0) if not isinstance(value, list | dict) else not value
    return NONE if zero else Optional(value)


declare("optional.of", "(A) optional(A)", Optional)
declare("optional.ofNonZeroValue", "(A) optional(A)", _of_non_zero)
declare("optional.none", "() optional(A)", lambda: NONE)
declare("hasValue", "optional(A).() bool", lambda value: value.has)
declare("value", "optional(A).() A", _value)
declare("or", "optional(A).(optional(A)) optional(A)", lambda value, other: value if value.has else other)
declare("orValue", "optional(A).(A) A", lambda value, other: value.value if value.has else other)
