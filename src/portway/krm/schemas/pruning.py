"""Removes what a schema does not declare, as Kubernetes does on every write and read of a custom resource.

``x-kubernetes-preserve-unknown-fields`` keeps unknown fields of its node (children with a schema of their own are
pruned by it); ``x-kubernetes-embedded-resource`` keeps apiVersion, kind and ObjectMeta. Built-in types that hold
themselves (schemas in CRDs) are followed level by level.
Rules: k8s.io/apiextensions-apiserver pkg/apiserver/schema/pruning.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from portway.krm.builtins import definitions
from portway.krm.schemas.compiling import Compiled, Schema
from portway.krm.schemas.metadata import with_type_and_meta

Pruner = Callable[[Any], "list[str] | None"]
"""Prunes in place; returns the paths below the value that went (``.a.b``, ``[0].c``), or None."""


def prune(schema: Schema, value: Any) -> tuple[str, ...]:
    """Prune an object in place; returns what went as dotted paths (``spec.list[0].extra``)."""
    pruner = _compiled(schema)
    found = pruner(value) if pruner else None
    return tuple(path.removeprefix(".") for path in found) if found else ()


def prune_value(schema: Schema, value: Any) -> bool:
    """Prune what is no object of its own (a default, say) in place; whether anything went."""
    pruner = _compile(schema)
    return bool(pruner and pruner(value))


def _compile_root(schema: Schema) -> Pruner | None:
    return _compile(with_type_and_meta(schema))


def _compile(schema: Schema) -> Pruner | None:
    """None when there is never anything to prune."""
    if schema.get(definitions.REF) in definitions.RECURSIVE and "properties" not in schema:
        return _recursive(schema[definitions.REF])
    if schema.get("x-kubernetes-embedded-resource"):
        schema = with_type_and_meta(schema)
    if schema.get("type") == "array":
        items = schema.get("items")
        below = _compile(items) if items is not None else None
        return _each_item(below) if below else None
    if schema.get("type") in ("string", "integer", "number", "boolean") or schema.get("x-kubernetes-int-or-string"):
        return None
    return _compile_object(schema)


def _recursive(name: str) -> Pruner:
    def prune_level(value: Any) -> list[str] | None:
        pruner = _level(name) if type(value) is dict else None
        return pruner(value) if pruner else None

    return prune_level


@cache
def _level(name: str) -> Pruner | None:
    return _compile(definitions.level(name))


def _compile_object(schema: Schema) -> Pruner | None:
    properties: dict[str, Schema] = schema.get("properties") or {}
    children = {name: pruner for name, child in properties.items() if (pruner := _compile(child))}
    additional = schema.get("additionalProperties")
    if additional or schema.get("x-kubernetes-preserve-unknown-fields"):
        other = _compile(additional) if additional and additional is not True else None
        if other is None and not children:
            return None
        return _each_value({name: children.get(name) for name in properties}, other)
    return _declared_only(frozenset(properties), children)


def _each_item(below: Pruner) -> Pruner:
    def prune_items(value: Any) -> list[str] | None:
        if type(value) is not list:
            return None
        found: list[str] | None = None
        for index, item in enumerate(value):
            if gone := below(item):
                found = _prefixed(f"[{index}]", gone, found)
        return found

    return prune_items


def _each_value(children: dict[str, Pruner | None], other: Pruner | None) -> Pruner:
    def prune_values(value: Any) -> list[str] | None:
        if type(value) is not dict:
            return None
        found: list[str] | None = None
        for name, item in value.items():
            child = children.get(name) if name in children else other
            if child and (gone := child(item)):
                found = _prefixed("." + name, gone, found)
        return found

    return prune_values


def _declared_only(declared: frozenset[str], children: dict[str, Pruner]) -> Pruner:
    def prune_fields(value: Any) -> list[str] | None:
        if type(value) is not dict:
            return None
        known = value.keys() <= declared
        found: list[str] | None = None
        for name, item in value.items() if known else list(value.items()):
            if not known and name not in declared:
                del value[name]
                found = _prefixed("." + name, [""], found)
                continue
            child = children.get(name)
            if child is not None and item and (gone := child(item)):
                found = _prefixed("." + name, gone, found)
        return found

    return prune_fields


def _prefixed(prefix: str, gone: list[str], found: list[str] | None) -> list[str]:
    prefixed = [prefix + path for path in gone]
    return found + prefixed if found else prefixed


_compiled: Compiled[Pruner | None] = Compiled(_compile_root)
