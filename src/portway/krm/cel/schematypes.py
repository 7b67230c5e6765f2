"""The CEL type of a structural schema, with the bounds that cost estimates need.

Rules: k8s.io/apiserver pkg/cel/common/schemas.go and escaping.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from portway.krm.cel import types
from portway.krm.cel.types import Type

REQUEST_BYTES = 3 * 1024 * 1024
_RESERVED = frozenset(
    (
        *(
            "true",
            "false",
            "null",
            "in",
            "as",
            "break",
            "const",
        ),
        *(
            "continue",
            "else",
            "for",
            "function",
            "if",
            "import",
            "let",
        ),
        *(
            "loop",
            "package",
            "namespace",
            "return",
            "var",
            "void",
            "while",
        ),
    )
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED = re.compile(r"__|[-./]")
_NAME = re.compile(r"[a-zA-Z_./-][a-zA-Z0-9_./-]*", re.ASCII)
Schema = Mapping[str, Any]
_TEXT = {"type": "string"}
_METADATA = {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}}


def escape(name: str) -> str | None:
    """As CEL writes a property; None when it cannot be written."""
    if name in _RESERVED:
        return f"__{name}__"
    if not _NAME.fullmatch(name):
        return None
    return _ESCAPED.sub(lambda match: _ESCAPES[match.group()], name)


def declared(schema: Schema, *, root: bool = False, name: str = "object") -> Type | None:
    """None when CEL sees nothing of the value. ``root``: of a resource, also an embedded one."""
    if schema.get("x-kubernetes-int-or-string"):
        limit = _bounded(schema, REQUEST_BYTES - 2)
        return Type("dyn", size=limit, min_size=1)
    if root:
        schema = with_type_and_meta(schema)
    kind = schema.get("type")
    if kind == "array":
        return _list(schema, name)
    if kind == "object":
        return _object(schema, name)
    if kind == "string":
        return _string(schema)
    simple = {"boolean": types.BOOL, "number": types.DOUBLE, "integer": types.INT}
    return simple.get(kind) if isinstance(kind, str) else None


def with_type_and_meta(schema: Schema) -> Schema:
    properties = schema.get("properties") or {}
    metadata = properties.get("metadata") or {}
    inner = metadata.get("properties") or {}
    if {"kind", "apiVersion"} <= properties.keys() and {"name", "generateName"} <= inner.keys():
        return schema
    return {**schema, "properties": {**properties, "kind": _TEXT, "apiVersion": _TEXT, "metadata": _METADATA}}


def _list(schema: Schema, name: str) -> Type | None:
    items = schema.get("items")
    if not isinstance(items, Mapping):
        return None
    item = declared(items, root=bool(items.get("x-kubernetes-embedded-resource")), name=f"{name}.@idx")
    if item is None:
        return None
    limit = schema.get("maxItems")
    size = max(limit, 0) if limit is not None else (REQUEST_BYTES - 2) // (item.min_size + 1)
    return types.list_of(item, size)


def _object(schema: Schema, name: str) -> Type | None:
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        value = declared(additional, root=bool(additional.get("x-kubernetes-embedded-resource")), name=f"{name}.@prop")
        if value is None:
            return None
        limit = schema.get("maxProperties")
        size = max(limit, 0) if limit is not None else (REQUEST_BYTES - 2) // (value.min_size + 6)
        return types.map_of(types.STRING, value, size)
    required = set(schema.get("required") or ())
    fields, keys, least = {}, {}, 2
    for prop, child in (schema.get("properties") or {}).items():
        type_ = declared(child, root=bool(child.get("x-kubernetes-embedded-resource")), name=f"{name}.{prop}")
        if type_ is None:
            continue
        escaped = escape(prop)
        if escaped is not None:
            fields[escaped] = type_
            if escaped != prop:
                keys[escaped] = prop
        if prop in required and child.get("default") is None:
            least += len(prop) + type_.min_size + 4
    return Type("object", name=name, fields=fields, keys=keys, min_size=least)


def _string(schema: Schema) -> Type:
    format_ = schema.get("format")
    if format_ == "byte":
        limit = schema.get("maxLength")
        return Type("bytes", size=max(limit, 0) if limit is not None else REQUEST_BYTES - 2, min_size=2)
    if format_ == "duration":
        return Type("duration", size=32, min_size=3)
    if format_ == "date":
        return Type("timestamp", size=12, min_size=12)
    if format_ == "date-time":
        return Type("timestamp", size=32, min_size=21)
    longest = REQUEST_BYTES - 2
    if schema.get("enum"):
        longest = max((len(v) for v in schema["enum"] if isinstance(v, str)), default=0)
    return Type("string", size=_bounded(schema, longest), min_size=2)


def _bounded(schema: Schema, otherwise: int) -> int:
    """maxLength counts characters, of up to four bytes each."""
    limit = schema.get("maxLength")
    return max(limit, 0) * 4 if limit is not None else otherwise
