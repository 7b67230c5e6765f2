"""From a protobuf body to the manifest that the same object has as JSON.

Go writes out plain fields even when empty, so a zero value counts as absent unless the field is a pointer, or is
required and not text. All errors are StatusError 400.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson

from portway.krm.builtins import catalogue, definitions
from portway.krm.builtins.declarations import Field, Message
from portway.krm.errors import bad_request
from portway.krm.identity import GroupVersion, GroupVersionKind, Manifest
from portway.krm.protobuf import values, wire

MAGIC = b"k8s\x00"
_DEPTH = 100
"""Of nested messages; schemas in CRDs are the deep ones."""


def decode(body: bytes, default: GroupVersionKind | None = None) -> Manifest:
    """``default`` is the kind that the URL implies, for a body that names none."""
    return _envelope(body, default, 0)


def _envelope(body: bytes, default: GroupVersionKind | None, depth: int) -> Manifest:
    if not body.startswith(MAGIC):
        raise wire.malformed('it does not begin with "k8s\\x00"')
    api_version = kind = content_type = ""
    raw = b""
    for number, value in wire.fields(body[len(MAGIC) :]):
        data = values.blob(value, number)
        if number == 1:
            named = {n: values.text(v, n) for n, v in wire.fields(data)}
            api_version, kind = named.get(1, ""), named.get(2, "")
        elif number == 2:
            raw = data
        elif number == 3 and data:
            raise wire.malformed("its content encoding is not supported; send it unencoded")
        elif number == 4:
            content_type = values.text(data, number)
    if default is not None:
        api_version, kind = api_version or default.api_version, kind or default.kind
    if content_type.startswith("application/json"):
        return _json_object(raw)
    message = kind_message(api_version, kind)
    return {"apiVersion": api_version, "kind": kind, **_message(message, raw, depth)}


def kind_message(api_version: str, kind: str) -> Message:
    """The declaration of a kind that can travel as protobuf; StatusError 400 when there is none."""
    group, version = GroupVersion.parse(api_version)
    options = definitions.MESSAGES.get(f"{definitions.META}.{kind}")
    if options is not None and options.is_kind:
        return options
    try:
        message = definitions.MESSAGES[catalogue.definition_name(GroupVersionKind(group, version, kind))]
    except KeyError:
        message = None
    if message is None or f".{version}." not in message.name or not all(f.number for f in message.fields):
        what = f"{api_version} {kind}".strip() or "an object without apiVersion and kind"
        raise bad_request(f"{what} cannot be sent as protobuf; send it as application/json")
    return message


def _json_object(raw: bytes) -> Manifest:
    value = _json(raw)
    if not isinstance(value, dict):
        raise wire.malformed("its JSON is not an object")
    return value


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise wire.malformed(f"JSON in it is malformed: {error}") from None


@cache
def _by_number(name: str) -> dict[int, Field]:
    return {field.number: field for field in definitions.MESSAGES[name].fields}


def _message(message: Message, data: bytes, depth: int) -> dict[str, Any]:
    if depth > _DEPTH:
        raise wire.malformed(f"it is nested more than {_DEPTH} deep")
    declared = _by_number(message.name)
    found: dict[str, Any] = {}
    for number, value in wire.fields(data):
        field = declared.get(number)
        if field is None:
            continue
        if field.inline:
            found |= _message(definitions.MESSAGES[field.type], values.blob(value, number), depth + 1)
        elif field.repeated:
            found.setdefault(field.name, []).append(_value(field, value, depth))
        elif field.mapped:
            key, item = _entry(field, values.blob(value, number), depth)
            found.setdefault(field.name, {})[key] = item
        else:
            found[field.name] = _value(field, value, depth)
    return {name: value for name, value in found.items() if not _absent(_by_name(message.name).get(name), value)}


@cache
def _by_name(message: str) -> dict[str, Field]:
    return {field.name: field for field in definitions.MESSAGES[message].fields}


def _absent(field: Field | None, value: Any) -> bool:
    if value is None:
        return field is None or field.type != "json"
    if field is None or field.pointer:
        return False
    if field.required:
        return bool(value == "")
    return bool(value in ("", 0, {}, []))


def _entry(field: Field, data: bytes, depth: int) -> tuple[str, Any]:
    key, value = "", _zero(field)
    for number, item in wire.fields(data):
        if number == 1:
            key = values.text(item, number)
        elif number == 2:
            value = item
    return key, _value(field, value, depth)


def _zero(field: Field) -> wire.Value:
    return 0 if field.type in ("int32", "int64", "bool") else b""


def _value(field: Field, value: wire.Value, depth: int) -> Any:
    if field.is_message:
        return _message(definitions.MESSAGES[field.type], values.blob(value, field.number), depth + 1)
    simple = _SIMPLE.get(field.type)
    if simple is not None:
        return simple(value, field.number)
    data = values.blob(value, field.number)
    if field.type in ("raw", "json", "fieldsv1"):
        return _wrapped(field, data, depth)
    return _schema_union(field.type, data, depth)


_SIMPLE: dict[str, Callable[[wire.Value, int], Any]] = {
    "string": values.text,
    "int32": values.integer,
    "int64": values.integer,
    "double": values.double,
    "bool": values.boolean,
    "bytes": values.base64_text,
    "time": values.time,
    "microtime": values.micro_time,
    "quantity": values.quantity,
    "intorstring": values.int_or_string,
    "strings": values.strings,
}


def _wrapped(field: Field, data: bytes, depth: int) -> Any:
    """RawExtension, JSON and FieldsV1: bytes of JSON in field 1."""
    raw = b""
    for number, value in wire.fields(data):
        if number == 1:
            raw = values.blob(value, number)
    if not raw:
        return None
    if field.type == "raw" and raw.startswith(MAGIC):
        if depth > _DEPTH:
            raise wire.malformed(f"it is nested more than {_DEPTH} deep")
        return _envelope(raw, None, depth + 1)
    return _json(raw)


_SCHEMA = f"{definitions.PACKAGES['extensions']}.JSONSchemaProps"


def _schema_union(type_: str, data: bytes, depth: int) -> Any:
    """JSONSchemaPropsOrArray, …OrBool and …OrStringArray: one of two shapes."""
    schema: Any = None
    several: list[Any] = []
    allows = False
    for number, value in wire.fields(data):
        if type_ == "schemaorbool" and number == 1:
            allows = values.boolean(value, number)
        elif type_ == "schemaorstrings" and number == 2:
            several.append(values.text(value, number))
        elif number == (2 if type_ == "schemaorbool" else 1):
            schema = _message(definitions.MESSAGES[_SCHEMA], values.blob(value, number), depth + 1)
        elif number == 2:
            several.append(_message(definitions.MESSAGES[_SCHEMA], values.blob(value, number), depth + 1))
    if schema is not None:
        return schema
    return allows if type_ == "schemaorbool" else several
