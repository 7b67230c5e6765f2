"""The protobuf wire format: tags, varints, lengths. Source: protobuf.dev/programming-guides/encoding."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from portway.krm.errors import StatusError, bad_request

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value = int | float | bytes


def malformed(why: str) -> StatusError:
    return bad_request(f"the protobuf body cannot be read: {why}")


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Field numbers with values: int for varints, float for 64-bit ones, bytes for the rest."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise malformed("field number 0")
        value: Value
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind == BYTES:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        elif kind == FIXED64:
            value, at = _double(data, at), at + 8
        elif kind == FIXED32:
            value, at = data[at : at + 4], at + 4
        else:
            raise malformed(f"wire type {kind} of field {number}")
        if at > end:
            raise malformed(f"field {number} ends after the body")
        yield number, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise malformed("a number does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def _double(data: bytes, at: int) -> float:
    if at + 8 > len(data):
        raise malformed("a number does not end")
    return float(struct.unpack_from("<d", data, at)[0])


def signed(value: int) -> int:
    """A varint as the two's complement int64 it stands for."""
    return value - (1 << 64) if value >= 1 << 63 else value


def varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3 | VARINT) + varint(value)


def double_field(number: int, value: float) -> bytes:
    return varint(number << 3 | FIXED64) + struct.pack("<d", value)


def bytes_field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | BYTES) + varint(len(value)) + value
