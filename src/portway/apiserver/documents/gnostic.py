"""OpenAPI v2 as protobuf, the one form in which client-go asks for it (``OpenAPISchema``).

Each function writes the body of one message of github.com/google/gnostic-models openapiv2/OpenAPIv2.proto from the
JSON form. Free values (defaults, enums, extensions) travel as text that is YAML; JSON is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from portway.krm.protobuf.wire import bytes_field, double_field, number_field

Node = Mapping[str, Any]
_SCHEMA_TEXTS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_SCHEMA_NUMBERS = {"multipleOf": 6, "maximum": 7, "minimum": 9}
_SCHEMA_COUNTS = {
    **{"exclusiveMaximum": 8, "exclusiveMinimum": 10, "maxLength": 11, "minLength": 12, "maxItems": 14},
    **{"minItems": 15, "uniqueItems": 16, "maxProperties": 17, "minProperties": 18},
}
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
_PARAMETER_KINDS = {"query": (3, 6, 20), "path": (4, 5, 19)}
"""Number of the alternative, of its field type and of uniqueItems."""


def text(number: int, value: str) -> bytes:
    return bytes_field(number, value.encode())


def named(name: str, value: bytes) -> bytes:
    return text(1, name) + bytes_field(2, value)


def free(value: Any) -> bytes:
    return text(2, orjson.dumps(value).decode() + "\n")


def extensions(number: int, node: Node) -> bytes:
    return b"".join(bytes_field(number, named(k, free(v))) for k, v in node.items() if k.startswith("x-"))


def schema(node: Node) -> bytes:
    out = bytearray()
    for key, value in node.items():
        if key in _SCHEMA_TEXTS:
            out += text(_SCHEMA_TEXTS[key], value)
        elif key in _SCHEMA_NUMBERS:
            out += double_field(_SCHEMA_NUMBERS[key], float(value))
        elif key in _SCHEMA_COUNTS:
            out += number_field(_SCHEMA_COUNTS[key], int(value))
        elif key in _SCHEMA_PARTS:
            out += _SCHEMA_PARTS[key](value)
    return bytes(out) + extensions(31, node)


def _properties(value: Node) -> bytes:
    return bytes_field(25, b"".join(bytes_field(1, named(k, schema(v))) for k, v in value.items()))


def _additional(value: Any) -> bytes:
    return bytes_field(21, number_field(2, int(value)) if isinstance(value, bool) else bytes_field(1, schema(value)))


_SCHEMA_PARTS: dict[str, Callable[[Any], bytes]] = {
    "default": lambda value: bytes_field(5, free(value)),
    "required": lambda value: b"".join(text(19, item) for item in value),
    "enum": lambda value: b"".join(bytes_field(20, free(item)) for item in value),
    "additionalProperties": _additional,
    "type": lambda value: bytes_field(22, text(1, value)),
    "items": lambda value: bytes_field(23, bytes_field(1, schema(value))),
    "properties": _properties,
    "example": lambda value: bytes_field(30, free(value)),
}


def definition(name: str, node: Node) -> bytes:
    """An entry of ``Definitions``."""
    return bytes_field(1, named(name, schema(node)))


def path(name: str, node: Node) -> bytes:
    """An entry of ``Paths``."""
    out = bytearray()
    for key, value in node.items():
        if key in _METHODS:
            out += bytes_field(_METHODS[key], _operation(value))
        elif key == "parameters":
            out += b"".join(bytes_field(9, _parameter(item)) for item in value)
    return bytes_field(2, named(name, bytes(out)))


def _operation(node: Node) -> bytes:
    out = bytearray()
    for key, number in (("tags", 1), ("produces", 6), ("consumes", 7), ("schemes", 10)):
        out += b"".join(text(number, item) for item in node.get(key, ()))
    out += text(3, node["description"]) + text(5, node["operationId"])
    out += b"".join(bytes_field(8, _parameter(item)) for item in node["parameters"])
    responses = b"".join(bytes_field(1, named(code, _response(item))) for code, item in node["responses"].items())
    return bytes(out) + bytes_field(9, responses) + extensions(13, node)


def _parameter(node: Node) -> bytes:
    """A ``ParametersItem``; those of bodies have a form of their own."""
    required = int(bool(node.get("required")))
    if node["in"] == "body":
        body = text(2, node["name"]) + text(3, "body") + number_field(4, required)
        return bytes_field(1, bytes_field(1, body + bytes_field(5, schema(node["schema"]))))
    alternative, type_, unique = _PARAMETER_KINDS[node["in"]]
    described = number_field(1, required) + text(2, node["in"]) + text(3, node["description"]) + text(4, node["name"])
    described += text(type_, node["type"]) + number_field(unique, int(node["uniqueItems"]))
    return bytes_field(1, bytes_field(2, bytes_field(alternative, described)))


def _response(node: Node) -> bytes:
    described = text(1, node["description"])
    if "schema" in node:
        described += bytes_field(2, bytes_field(1, schema(node["schema"])))
    return bytes_field(1, described)


def document(title: str, version: str, paths: bytes, definitions: bytes) -> bytes:
    """``paths`` and ``definitions`` are joined entries."""
    key = text(1, "apiKey") + text(2, "authorization") + text(3, "header")
    securities = bytes_field(1, named("BearerToken", bytes_field(2, key)))
    return (
        text(1, "2.0")
        + bytes_field(2, text(1, title) + text(2, version))
        + bytes_field(8, paths)
        + bytes_field(9, definitions)
        + bytes_field(12, bytes_field(1, named("BearerToken", b"")))
        + bytes_field(13, securities)
    )
