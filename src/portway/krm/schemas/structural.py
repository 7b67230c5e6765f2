"""Checks that a CRD's schema is structural, so that pruning, defaulting and apply mean the same for every value.

Rules and texts: k8s.io/apiextensions-apiserver pkg/apiserver/schema (validation.go, convert.go) and
pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.schemas import defaults, junctors, patterns, topologies
from portway.krm.schemas.compiling import Schema
from portway.krm.schemas.findings import display

TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = (
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
_EMBEDDED = "x-kubernetes-embedded-resource"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"


class Level(StrEnum):
    """Where a node stands, as texts name it."""

    ROOT = "at the root"
    ITEM = "for specified array items"
    FIELD = "for specified object fields"


def check(schema: Schema, path: str = "openAPIV3Schema") -> tuple[Cause, ...]:
    """Everything that keeps the schema from being structural; ``path`` is the field the schema stands in."""
    found = [*_node(schema, path, Level.ROOT), *_top_level_metadata(schema, path)]
    if schema.get("nullable"):
        found.append(causes.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    return tuple(found) or tuple(defaults.check(schema, path))


def _node(schema: Any, path: str, level: Level) -> Iterator[Cause]:
    if not isinstance(schema, dict):
        yield Cause("FieldValueTypeInvalid", f"Invalid value: {display(schema)}: must be a schema", path)
        return
    yield from _unsupported(schema, path)
    yield from _type(schema, path, level)
    yield from _additional(schema, path, level)
    yield from _extensions(schema, path)
    yield from topologies.check(schema, path)
    yield from _pattern(schema, path)
    yield from _children(schema, path)
    yield from junctors.check(schema, path, root=level is Level.ROOT)
    if level is Level.ROOT or schema.get(_EMBEDDED):
        yield from _object_fields(schema, path, level)


def _unsupported(schema: Schema, path: str) -> Iterator[Cause]:
    for name in _UNSUPPORTED:
        if schema.get(name):
            yield causes.forbidden(f"{path}.{name}", f"{name} is not supported")
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden(f"{path}.uniqueItems", text)
    if isinstance(schema.get("items"), list):
        yield causes.forbidden(f"{path}.items", "items must be a schema object and not an array")


def _type(schema: Schema, path: str, level: Level) -> Iterator[Cause]:
    kind = schema.get("type", "")
    if not kind and not schema.get(_INT_OR_STRING) and not schema.get(_PRESERVE) and not schema.get(_EMBEDDED):
        yield causes.required(f"{path}.type", f"must not be empty {level}")
    elif kind and kind not in TYPES:
        yield causes.unsupported(f"{path}.type", kind, TYPES)
    if kind == "null":
        text = "type cannot be set to null, use nullable as an alternative"
        yield causes.forbidden(f"{path}.type", text)
    if level is Level.ROOT and kind and kind != "object":
        yield causes.invalid(f"{path}.type", kind, "must be object at the root")
    if kind == "array" and not schema.get("items"):
        yield causes.required(f"{path}.items", "must be specified")


def _additional(schema: Schema, path: str, level: Level) -> Iterator[Cause]:
    additional, where = schema.get("additionalProperties"), f"{path}.additionalProperties"
    if additional is None:
        return
    if level is Level.ROOT:
        yield causes.forbidden(where, "must not be used at the root")
    if schema.get(_EMBEDDED):
        yield causes.forbidden(where, f"must not be used if {_EMBEDDED} is set")
    if schema.get("properties") and additional is not True:
        yield causes.forbidden(where, "additionalProperties and properties are mutual exclusive")


def _extensions(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.get(_INT_OR_STRING):
        for name in (_PRESERVE, _EMBEDDED):
            if schema.get(name):
                yield causes.invalid(f"{path}.{name}", True, f"must be false if {_INT_OR_STRING} is true")
    if schema.get(_PRESERVE) is False:
        yield causes.invalid(f"{path}.{_PRESERVE}", False, "must be true or undefined")
    if schema.get(_EMBEDDED):
        yield from topologies.must_be(schema, "object", f"if {_EMBEDDED} is true", path)
        if not schema.get("properties") and not schema.get(_PRESERVE):
            yield causes.required(f"{path}.properties", f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}")


def _pattern(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.get("pattern"):
        try:
            patterns.matcher(schema["pattern"])
        except patterns.BadPattern as bad:
            text = f"must be a valid regular expression, but isn't: {bad}"
            yield causes.invalid(f"{path}.pattern", schema["pattern"], text)


def _children(schema: Schema, path: str) -> Iterator[Cause]:
    for name, child in (schema.get("properties") or {}).items():
        yield from _node(child, f"{path}.properties[{name}]", Level.FIELD)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _node(schema["additionalProperties"], f"{path}.additionalProperties", Level.FIELD)
    if isinstance(schema.get("items"), dict) and schema["items"]:
        yield from _node(schema["items"], f"{path}.items", Level.ITEM)


def _object_fields(schema: Schema, path: str, level: Level) -> Iterator[Cause]:
    """apiVersion, kind and metadata of an object, the root or an embedded one."""
    properties = schema.get("properties") or {}
    for name, kind in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        declared = properties.get(name)
        if isinstance(declared, dict) and declared.get("type", "") != kind:
            yield causes.invalid(f"{path}.properties[{name}].type", declared.get("type", ""), f"must be {kind}")
    metadata = properties.get("metadata")
    if level is not Level.ROOT or not isinstance(metadata, dict):
        return
    extra = {name for name, value in metadata.items() if value} - {"type", "properties", "default"}
    if extra or set(metadata.get("properties") or {}) - {"name", "generateName"}:
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield causes.forbidden(f"{path}.properties[metadata]", text)


def _top_level_metadata(schema: Any, path: str) -> Iterator[Cause]:
    """What identifies an object has no defaults."""
    for name in ("apiVersion", "kind", "metadata"):
        declared = (schema.get("properties") or {}).get(name) if isinstance(schema, dict) else None
        if isinstance(declared, dict):
            yield from _no_defaults(declared, f"{path}.properties[{name}]", f"must not be set in top-level {name}")


def _no_defaults(schema: Schema, path: str, text: str) -> Iterator[Cause]:
    if schema.get("default") is not None:
        yield causes.forbidden(f"{path}.default", text)
    for name, child in (schema.get("properties") or {}).items():
        if isinstance(child, dict):
            yield from _no_defaults(child, f"{path}.properties[{name}]", text)
