"""Checks that a CRD's schema is structural, so that pruning, defaulting and apply mean the same for every value.

Rules and texts: k8s.io/apiextensions-apiserver pkg/apiserver/schema (validation.go, complete.go) and
pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from portway.krm.errors import Cause
from portway.krm.schemas import patterns, validating
from portway.krm.schemas.compiling import Schema
from portway.krm.schemas.findings import Finding, display, quote
from portway.krm.values import copied

TYPES = ("array", "boolean", "integer", "number", "object", "string")
_FORBIDDEN = (
    "additionalItems",
    "definitions",
    "dependencies",
    "$ref",
    "id",
    "patternProperties",
    "$schema",
    "deprecated",
    "discriminator",
    "readOnly",
    "writeOnly",
    "xml",
)
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_NOT_IN_JUNCTORS = (
    "description",
    "type",
    "default",
    "additionalProperties",
    "nullable",
    "title",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
)
_INT_OR_STRING_ANY_OF = [{"type": "integer"}, {"type": "string"}]


def check(schema: Schema, path: str = "openAPIV3Schema") -> tuple[Cause, ...]:
    """Everything that keeps the schema from being structural; ``path`` is the field the schema stands in."""
    found = list(_node(schema, path, root=True))
    if schema.get("type") != "object" and schema.get("type"):
        found.append(_unsupported(f"{path}.type", schema["type"], ("object",), "must be object at the root"))
    return tuple(found) or tuple(_defaults(schema, path))


def _defaults(schema: Schema, path: str) -> Iterator[Cause]:
    """Defaults that their own schema refuses; asked only of schemas that are structural otherwise."""
    if schema.get("default") is not None:
        for finding in validating.compile_check(schema)(copied(schema["default"])) or ():
            yield Finding(f"{path}.default{finding.path}", finding.reason, finding.say).cause()
    for name, child in (schema.get("properties") or {}).items():
        yield from _defaults(child, f"{path}.properties[{name}]")
    for name in ("additionalProperties", "items"):
        if isinstance(schema.get(name), dict):
            yield from _defaults(schema[name], f"{path}.{name}")


def _node(schema: Any, path: str, *, root: bool = False) -> Iterator[Cause]:
    if not isinstance(schema, dict):
        yield Cause("FieldValueTypeInvalid", f"Invalid value: {display(schema)}: must be a schema", path)
        return
    yield from _forbidden(schema, path)
    yield from _type(schema, path)
    yield from _extensions(schema, path)
    yield from _values(schema, path)
    yield from _children(schema, path, root=root)
    yield from _junctors(schema, path)
    if root or schema.get("x-kubernetes-embedded-resource"):
        yield from _metadata(schema, path)


def _forbidden(schema: dict[str, Any], path: str) -> Iterator[Cause]:
    for name in _FORBIDDEN:
        if schema.get(name):
            yield Cause("FieldValueForbidden", f"Forbidden: {name} is not supported", f"{path}.{name}")
    if schema.get("uniqueItems"):
        message = "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield Cause("FieldValueForbidden", message, f"{path}.uniqueItems")
    if schema.get("additionalProperties") is False:
        message = "Forbidden: additionalProperties cannot be set to false"
        yield Cause("FieldValueForbidden", message, f"{path}.additionalProperties")
    if schema.get("properties") and schema.get("additionalProperties") not in (None, True):
        message = "Forbidden: additionalProperties and properties are mutual exclusive"
        yield Cause("FieldValueForbidden", message, f"{path}.additionalProperties")
    if isinstance(schema.get("items"), list):
        message = "Forbidden: items must be a schema object and not an array"
        yield Cause("FieldValueForbidden", message, f"{path}.items")


def _type(schema: dict[str, Any], path: str) -> Iterator[Cause]:
    kind = schema.get("type", "")
    untyped = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not kind and not untyped:
        yield Cause(
            "FieldValueRequired",
            "Required value: must not be empty for specified object fields",
            f"{path}.type",
        )
    elif kind and kind not in TYPES:
        yield _unsupported(f"{path}.type", kind, TYPES)
    if kind == "array" and not schema.get("items"):
        yield Cause("FieldValueRequired", "Required value: must be specified", f"{path}.items")


def _extensions(schema: dict[str, Any], path: str) -> Iterator[Cause]:
    kind = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string") and kind:
        message = f"Invalid value: {quote(kind)}: must be empty if x-kubernetes-int-or-string is true"
        yield Cause("FieldValueInvalid", message, f"{path}.type")
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        message = "Invalid value: false: must be true or undefined"
        yield Cause("FieldValueInvalid", message, f"{path}.x-kubernetes-preserve-unknown-fields")
    if schema.get("x-kubernetes-preserve-unknown-fields") and kind not in ("", "object"):
        message = f"Invalid value: {quote(kind)}: must be object if x-kubernetes-preserve-unknown-fields is true"
        yield Cause("FieldValueInvalid", message, f"{path}.type")
    if schema.get("x-kubernetes-embedded-resource"):
        if kind != "object":
            message = f"Invalid value: {quote(kind)}: must be object if x-kubernetes-embedded-resource is true"
            yield Cause("FieldValueInvalid", message, f"{path}.type")
        if not schema.get("properties") and not schema.get("x-kubernetes-preserve-unknown-fields"):
            message = (
                "Required value: must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            )
            yield Cause("FieldValueRequired", message, f"{path}.properties")
    yield from _list_type(schema, path)
    map_type = schema.get("x-kubernetes-map-type")
    if map_type is not None:
        if map_type not in ("granular", "atomic"):
            yield _unsupported(f"{path}.x-kubernetes-map-type", map_type, ("atomic", "granular"))
        if kind != "object":
            message = f"Invalid value: {quote(kind)}: must be object if x-kubernetes-map-type is specified"
            yield Cause("FieldValueInvalid", message, f"{path}.type")


def _list_type(schema: dict[str, Any], path: str) -> Iterator[Cause]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or []
    where = f"{path}.x-kubernetes-list-map-keys"
    if kind is None:
        if keys:
            message = "Required value: must be map if x-kubernetes-list-map-keys is non-empty"
            yield Cause("FieldValueRequired", message, f"{path}.x-kubernetes-list-type")
        return
    if kind not in ("atomic", "set", "map"):
        yield _unsupported(f"{path}.x-kubernetes-list-type", kind, ("atomic", "map", "set"))
    if schema.get("type") != "array":
        message = (
            f"Invalid value: {quote(schema.get('type', ''))}: must be array if x-kubernetes-list-type is specified"
        )
        yield Cause("FieldValueInvalid", message, f"{path}.type")
        return
    items = schema.get("items") if isinstance(schema.get("items"), dict) else {}
    if kind == "map":
        yield from _map_keys(items or {}, keys, path)
    elif keys:
        message = f"Invalid value: {display(kind)}: must be map if x-kubernetes-list-map-keys is non-empty"
        yield Cause("FieldValueInvalid", message, where)
    if kind == "set" and (items or {}).get("nullable"):
        message = "Forbidden: cannot be nullable when x-kubernetes-list-type is set"
        yield Cause("FieldValueForbidden", message, f"{path}.items.nullable")


def _map_keys(items: dict[str, Any], keys: list[str], path: str) -> Iterator[Cause]:
    where = f"{path}.x-kubernetes-list-map-keys"
    if not keys:
        yield Cause("FieldValueRequired", "Required value: must not be empty if x-kubernetes-list-type is map", where)
    if items.get("type") != "object":
        message = (
            f"Invalid value: {quote(items.get('type', ''))}: must be object if parent array's "
            "x-kubernetes-list-type is map"
        )
        yield Cause("FieldValueInvalid", message, f"{path}.items.type")
        return
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {quote(key)}", f"{where}[{index}]")
        elif key not in properties:
            message = f"Invalid value: {quote(key)}: entries must all be names of item properties"
            yield Cause("FieldValueInvalid", message, f"{where}[{index}]")
        elif properties[key].get("type") in ("array", "object"):
            message = (
                f"Invalid value: {quote(properties[key]['type'])}: must be a scalar type if parent array's "
                "x-kubernetes-list-type is map"
            )
            yield Cause("FieldValueInvalid", message, f"{path}.items.properties[{key}].type")
        elif key not in (items.get("required") or ()) and properties[key].get("default") is None:
            message = (
                "Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be "
                "a required property"
            )
            yield Cause("FieldValueRequired", message, f"{path}.items.properties[{key}].default")


def _values(schema: dict[str, Any], path: str) -> Iterator[Cause]:
    if schema.get("pattern"):
        try:
            patterns.matcher(schema["pattern"])
        except patterns.BadPattern as bad:
            message = f"Invalid value: {quote(schema['pattern'])}: must be a valid regular expression, but isn't: {bad}"
            yield Cause("FieldValueInvalid", message, f"{path}.pattern")


def _children(schema: dict[str, Any], path: str, *, root: bool) -> Iterator[Cause]:
    for name, child in (schema.get("properties") or {}).items():
        if name == "metadata" and (root or schema.get("x-kubernetes-embedded-resource")):
            continue
        yield from _node(child, f"{path}.properties[{name}]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _node(schema["additionalProperties"], f"{path}.additionalProperties")
    if isinstance(schema.get("items"), dict) and schema["items"]:
        yield from _node(schema["items"], f"{path}.items")


def _metadata(schema: dict[str, Any], path: str) -> Iterator[Cause]:
    metadata = (schema.get("properties") or {}).get("metadata")
    if not isinstance(metadata, dict):
        return
    where = f"{path}.properties[metadata]"
    if metadata.get("type") != "object":
        message = f"Invalid value: {quote(metadata.get('type', ''))}: must be object"
        yield Cause("FieldValueInvalid", message, f"{where}.type")
    extra = set(metadata) - {"type", "description", "properties"}
    unknown = set(metadata.get("properties") or {}) - {"name", "generateName"}
    if extra or unknown:
        message = (
            "Forbidden: must not specify anything other than name and generateName, but metadata is "
            "implicitly specified"
        )
        yield Cause("FieldValueForbidden", message, where)


def _junctors(schema: dict[str, Any], path: str) -> Iterator[Cause]:
    for name in _JUNCTORS:
        branches = schema.get(name) or ()
        if name == "anyOf" and schema.get("x-kubernetes-int-or-string") and branches == _INT_OR_STRING_ANY_OF:
            continue
        for index, branch in enumerate(branches):
            allowed = name == "allOf" and schema.get("x-kubernetes-int-or-string")
            if allowed and branch == {"anyOf": _INT_OR_STRING_ANY_OF}:
                continue
            yield from _branch(branch, schema, f"{path}.{name}[{index}]")
    if isinstance(schema.get("not"), dict):
        yield from _branch(schema["not"], schema, f"{path}.not")


def _branch(branch: Any, outside: dict[str, Any], path: str) -> Iterator[Cause]:
    """Inside junctors only values may be restricted, and only of fields specified outside."""
    if not isinstance(branch, dict):
        yield Cause("FieldValueTypeInvalid", f"Invalid value: {display(branch)}: must be a schema", path)
        return
    for name in _NOT_IN_JUNCTORS:
        if branch.get(name):
            message = "Forbidden: must be empty to be structural"
            if name.startswith("x-") or name in ("nullable",):
                message = "Forbidden: must be false to be structural"
            yield Cause("FieldValueForbidden", message, f"{path}.{name}")
    yield from _counterparts(branch, outside, path)
    for name in _JUNCTORS:
        for index, inner in enumerate(branch.get(name) or ()):
            yield from _branch(inner, outside, f"{path}.{name}[{index}]")
    if isinstance(branch.get("not"), dict):
        yield from _branch(branch["not"], outside, f"{path}.not")


_JUNCTOR_STEP = re.compile(r"\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not(?![A-Za-z])")


def _counterparts(branch: dict[str, Any], outside: dict[str, Any], path: str) -> Iterator[Cause]:
    """Fields inside a junctor, each checked against the field outside that it restricts."""
    additional = outside.get("additionalProperties")
    other = additional if isinstance(additional, dict) else None
    inner = {
        f"{path}.properties[{name}]": (child, (outside.get("properties") or {}).get(name, other))
        for name, child in (branch.get("properties") or {}).items()
    }
    if isinstance(branch.get("items"), dict):
        inner[f"{path}.items"] = (branch["items"], outside.get("items"))
    for where, (child, counterpart) in inner.items():
        if isinstance(counterpart, dict):
            yield from _branch(child, counterpart, where)
        else:
            missing = _JUNCTOR_STEP.sub("", where)
            yield Cause("FieldValueRequired", f"Required value: because it is defined in {where}", missing)


def _unsupported(path: str, value: Any, allowed: tuple[str, ...], detail: str = "") -> Cause:
    listed = ", ".join(quote(item) for item in allowed)
    tail = f": {detail}" if detail else ""
    return Cause(
        "FieldValueNotSupported",
        f"Unsupported value: {display(value)}: supported values: {listed}{tail}",
        path,
    )
