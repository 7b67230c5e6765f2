"""From a manifest to the protobuf body Go would write: plain fields always, pointers only when present.

For Go clients' round trips and for tests; the API answers in JSON.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any

import orjson

from portway.krm.builtins import definitions
from portway.krm.builtins.declarations import Field, Message
from portway.krm.errors import bad_request
from portway.krm.identity import Manifest
from portway.krm.protobuf import wire
from portway.krm.protobuf.decoding import MAGIC, kind_message

_SCHEMA = f"{definitions.PACKAGES['extensions']}.JSONSchemaProps"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(manifest: Manifest) -> bytes:
    """With its envelope. StatusError 400 when the kind does not travel as protobuf."""
    api_version, kind = manifest.get("apiVersion", ""), manifest.get("kind", "")
    message = kind_message(api_version, kind)
    type_meta = wire.bytes_field(1, api_version.encode()) + wire.bytes_field(2, kind.encode())
    raw = _message(message, manifest)
    unknown = wire.bytes_field(1, type_meta) + wire.bytes_field(2, raw)
    return MAGIC + unknown + wire.bytes_field(3, b"") + wire.bytes_field(4, b"")


def _message(message: Message, value: dict[str, Any]) -> bytes:
    out = bytearray()
    for field in sorted(message.fields, key=lambda f: f.number):
        if field.inline:
            out += wire.bytes_field(field.number, _message(definitions.MESSAGES[field.type], value))
            continue
        item = value.get(field.name)
        if field.repeated:
            for single in item or ():
                out += _value(field, field.number, single)
        elif field.mapped:
            for key, single in (item or {}).items():
                entry = wire.bytes_field(1, key.encode()) + _value(field, 2, single)
                out += wire.bytes_field(field.number, entry)
        elif item is not None:
            out += _value(field, field.number, item)
        elif not field.pointer:
            out += _zero(field)
    return bytes(out)


def _zero(field: Field) -> bytes:
    if field.type in ("int32", "int64", "bool"):
        return wire.number_field(field.number, 0)
    if field.is_message:
        return wire.bytes_field(field.number, _message(definitions.MESSAGES[field.type], {}))
    return wire.bytes_field(field.number, b"")


def _value(field: Field, number: int, value: Any) -> bytes:
    if field.type in ("int32", "int64", "bool"):
        return wire.number_field(number, int(value))
    if field.type == "double":
        return wire.double_field(number, float(value))
    return wire.bytes_field(number, _bytes(field, value))


def _bytes(field: Field, value: Any) -> bytes:
    if field.is_message:
        return _message(definitions.MESSAGES[field.type], value)
    match field.type:
        case "string":
            return str(value).encode()
        case "bytes":
            return base64.b64decode(value)
        case "time" | "microtime":
            return _time(value)
        case "quantity":
            return wire.bytes_field(1, str(value).encode())
        case "intorstring":
            return _int_or_string(value)
        case "raw" | "json" | "fieldsv1":
            return wire.bytes_field(1, orjson.dumps(value))
        case "strings":
            return b"".join(wire.bytes_field(1, item.encode()) for item in value)
        case _:
            return _schema_union(field.type, value)


_RFC3339 = re.compile(r"^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$")


def _time(text: str) -> bytes:
    found = _RFC3339.match(text)
    if not found:
        raise bad_request(f'"{text}" is not a time; expected RFC 3339, such as 2026-01-31T12:00:00Z')
    whole, fraction, zone = found.groups()
    moment = datetime.fromisoformat(whole + ("+00:00" if zone in "Zz" else zone))
    difference = moment - _EPOCH
    seconds = difference.days * 86400 + difference.seconds
    nanos = int((fraction or "0")[:9].ljust(9, "0"))
    return wire.number_field(1, seconds) + wire.number_field(2, nanos)


def _int_or_string(value: int | str) -> bytes:
    is_text = isinstance(value, str)
    number = 0 if is_text else int(value)
    words = str(value) if is_text else ""
    return wire.number_field(1, int(is_text)) + wire.number_field(2, number) + wire.bytes_field(3, words.encode())


def _schema_union(type_: str, value: Any) -> bytes:
    schema = definitions.MESSAGES[_SCHEMA]
    if type_ == "schemaorbool":
        if isinstance(value, bool):
            return wire.number_field(1, int(value))
        return wire.number_field(1, 1) + wire.bytes_field(2, _message(schema, value))
    if isinstance(value, dict):
        return wire.bytes_field(1, _message(schema, value))
    if type_ == "schemaorstrings":
        return b"".join(wire.bytes_field(2, item.encode()) for item in value)
    return b"".join(wire.bytes_field(2, _message(schema, item)) for item in value)
