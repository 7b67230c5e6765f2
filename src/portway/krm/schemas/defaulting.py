"""Fills in defaults, and drops nulls from fields that are not nullable (a default may then take their place).

Rules: k8s.io/apiextensions-apiserver pkg/apiserver/schema/defaulting (Default and
PruneNonNullableNullsWithoutDefaults). ObjectMeta gets no defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from portway.krm.schemas.compiling import Compiled, Schema
from portway.krm.schemas.metadata import TYPE_AND_META

Defaulter = Callable[[Any], None]
Factory = Callable[[], Any]


def default(schema: Schema, value: Any) -> None:
    """Default an object in place."""
    defaulter = _compiled(schema)
    if defaulter:
        defaulter(value)


def _compile_root(schema: Schema) -> Defaulter | None:
    properties = {k: v for k, v in (schema.get("properties") or {}).items() if k not in TYPE_AND_META}
    return _compile({**schema, "properties": {**properties, "metadata": _META}})


_META: Schema = {"type": "object", "additionalProperties": {"nullable": True}}


def _compile(schema: Schema) -> Defaulter | None:
    """None when the value can hold neither a default nor a null to drop."""
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return _list_defaulter(items) if items is not None else None
    if schema is _META:
        return _drop_nulls
    if kind in ("string", "integer", "number", "boolean") or schema.get("x-kubernetes-int-or-string"):
        return None
    properties = schema.get("properties")
    additional = schema.get("additionalProperties")
    if not properties and not isinstance(additional, dict):
        return None
    return _map_defaulter(properties or {}, additional if isinstance(additional, dict) else None)


def _drop_nulls(value: Any) -> None:
    if type(value) is dict and None in value.values():
        for name in [name for name, item in value.items() if item is None]:
            del value[name]


def _list_defaulter(items: Schema) -> Defaulter | None:
    below = _compile(items)
    make = None if items.get("nullable") else _factory(items)
    if below is None and make is None:
        return None

    def default_items(value: Any) -> None:
        if type(value) is not list:
            return
        if make is not None and None in value:
            value[:] = [make() if item is None else item for item in value]
        if below is not None:
            for item in value:
                below(item)

    return default_items


def _map_defaulter(properties: dict[str, Schema], additional: Schema | None) -> Defaulter | None:
    makers = [(name, make) for name, child in properties.items() if (make := _factory(child))]
    never_null = frozenset(name for name, child in properties.items() if not child.get("nullable"))
    children = {name: below for name, child in properties.items() if (below := _compile(child))}
    other = _compile(additional) if additional is not None else None
    other_make = _factory(additional) if additional is not None and not additional.get("nullable") else None
    declared = frozenset(properties)

    def settle_nulls(value: dict[str, Any]) -> None:
        for name in [name for name, item in value.items() if item is None]:
            if name in never_null:
                del value[name]
            elif other_make is not None and name not in declared:
                value[name] = other_make()

    def default_fields(value: Any) -> None:
        if type(value) is not dict:
            return
        if None in value.values():
            settle_nulls(value)
        for name, make in makers:
            if name not in value:
                value[name] = make()
        if other is not None:
            for name, item in value.items():
                if name not in declared:
                    other(item)
        if children:
            for name, item in value.items():
                child = children.get(name)
                if child is not None:
                    child(item)

    return default_fields


def _factory(schema: Schema) -> Factory | None:
    """Makes a fresh copy of the schema's default each time."""
    if schema.get("default") is None:
        return None
    fixed = schema["default"]
    if isinstance(fixed, dict | list):
        encoded = orjson.dumps(fixed)
        return lambda: orjson.loads(encoded)
    return lambda: fixed


_compiled: Compiled[Defaulter | None] = Compiled(_compile_root)
