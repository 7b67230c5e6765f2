"""Single values of the wire as JSON has them. Each raises StatusError 400 for the wrong wire type."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from portway.kit import clocks
from portway.krm.protobuf import wire

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def blob(value: wire.Value, number: int) -> bytes:
    if not isinstance(value, bytes):
        raise wire.malformed(f"field {number} should hold bytes")
    return value


def text(value: wire.Value, number: int) -> str:
    try:
        return blob(value, number).decode()
    except UnicodeDecodeError:
        raise wire.malformed(f"field {number} is not UTF-8 text") from None


def integer(value: wire.Value, number: int) -> int:
    if not isinstance(value, int):
        raise wire.malformed(f"field {number} should hold an integer")
    return wire.signed(value)


def double(value: wire.Value, number: int) -> float | int:
    """Whole numbers as int, as they stand in JSON."""
    if not isinstance(value, float):
        raise wire.malformed(f"field {number} should hold a floating-point number")
    return int(value) if value.is_integer() else value


def boolean(value: wire.Value, number: int) -> bool:
    return bool(integer(value, number))


def base64_text(value: wire.Value, number: int) -> str:
    return base64.b64encode(blob(value, number)).decode()


def time(value: wire.Value, number: int) -> str | None:
    """RFC 3339 with seconds; None for Go's zero time, which is an empty message."""
    moment = _moment(blob(value, number))
    return clocks.rfc3339(moment) if moment else None


def micro_time(value: wire.Value, number: int) -> str | None:
    moment = _moment(blob(value, number))
    return clocks.rfc3339_micro(moment) if moment else None


def _moment(data: bytes) -> datetime | None:
    if not data:
        return None
    found = {number: integer(value, number) for number, value in wire.fields(data)}
    try:
        return _EPOCH + timedelta(seconds=found.get(1, 0), microseconds=found.get(2, 0) // 1000)
    except OverflowError:
        raise wire.malformed("a time is out of range") from None


def quantity(value: wire.Value, number: int) -> str:
    found = "0"
    for inner, item in wire.fields(blob(value, number)):
        if inner == 1:
            found = text(item, inner) or "0"
    return found


def int_or_string(value: wire.Value, number: int) -> int | str:
    type_, whole, words = 0, 0, ""
    for inner, item in wire.fields(blob(value, number)):
        if inner == 1:
            type_ = integer(item, inner)
        elif inner == 2:
            whole = integer(item, inner)
        elif inner == 3:
            words = text(item, inner)
    return words if type_ else whole


def strings(value: wire.Value, number: int) -> list[str]:
    return [text(item, inner) for inner, item in wire.fields(blob(value, number)) if inner == 1]
