"""Conditions of a schema (dependencies, if/then/else, allOf, oneOf) resolved against the values so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonschema_rs

from portway.portal.forms.fields import Data

Schema = dict[str, Any]

_CONDITIONAL = ("dependencies", "dependentSchemas", "dependentRequired", "if", "allOf", "oneOf", "anyOf")


def is_dynamic(schema: Any) -> bool:
    """Whether any value can change which fields there are."""
    if isinstance(schema, list):
        return any(is_dynamic(part) for part in schema)
    if not isinstance(schema, dict):
        return False
    return any(key in schema for key in _CONDITIONAL) or any(is_dynamic(part) for part in schema.values())


def resolve(schema: Schema, data: Data) -> Schema:
    """The schema without conditions at this level: properties, required and the rest that hold for the data."""
    known = with_defaults(schema, data)
    result: Schema = {key: value for key, value in schema.items() if key not in _CONDITIONAL}
    result["properties"] = dict(mapping(schema.get("properties")))
    result["required"] = list(listing(schema.get("required")))
    for part in _holding(schema, known):
        _merge(result, resolve(part, known))
    return result


def type_of(schema: Schema) -> str:
    """The one type a field is made for; guessed from other keywords when absent."""
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((name for name in declared if name != "null"), "string")
    if isinstance(declared, str):
        return declared
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    values = [schema["const"]] if "const" in schema else listing(schema.get("enum"))
    if values and all(isinstance(value, bool) for value in values):
        return "boolean"
    if values and all(isinstance(value, (int, float)) for value in values):
        return "number"
    return "any" if schema.get("x-kubernetes-preserve-unknown-fields") else "string"


def with_defaults(schema: Schema, data: Data) -> Data:
    """The data with defaults of absent properties filled in (also of objects inside)."""
    filled = dict(data)
    for name, part in mapping(schema.get("properties")).items():
        if not isinstance(part, dict):
            continue
        if name not in filled and "default" in part:
            filled[name] = part["default"]
        elif name not in filled and "const" in part:
            filled[name] = part["const"]
        if type_of(part) == "object" and isinstance(part.get("properties"), dict):
            inner = with_defaults(resolve(part, mapping(filled.get(name))), mapping(filled.get(name)))
            if inner:
                filled[name] = inner
    return filled


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _holding(schema: Schema, data: Data) -> Iterable[Schema]:
    yield from _conditions(schema, data)
    for part in listing(schema.get("allOf")):
        if isinstance(part, dict):
            yield part
    for key in ("oneOf", "anyOf"):
        branches = [part for part in listing(schema.get(key)) if isinstance(part, dict)]
        if branches:
            yield next((part for part in branches if _fits(part, data)), branches[0])
    for key in ("dependencies", "dependentSchemas", "dependentRequired"):
        for name, part in mapping(schema.get(key)).items():
            if data.get(name) not in (None, ""):
                yield from _dependent(name, part, data)


def _conditions(schema: Schema, data: Data) -> Iterable[Schema]:
    condition = schema.get("if")
    if isinstance(condition, (dict, bool)):
        branch = schema.get("then" if is_valid(condition, data) else "else")
        if isinstance(branch, dict):
            yield branch


def _dependent(name: str, part: Any, data: Data) -> Iterable[Schema]:
    if isinstance(part, list):
        yield {"required": part}
    elif isinstance(part, dict) and "oneOf" in part:
        yield {key: value for key, value in part.items() if key != "oneOf"}
        for branch in listing(part["oneOf"]):
            own = mapping(mapping(branch).get("properties")).get(name, {})
            if is_valid(own, data[name]):
                rest = {k: v for k, v in mapping(branch.get("properties")).items() if k != name}
                yield {**branch, "properties": rest}
    elif isinstance(part, dict):
        yield part


def _fits(branch: Schema, data: Data) -> bool:
    """Whether what the branch fixes (const, enum) is what the data says."""
    fixed = {
        n: p for n, p in mapping(branch.get("properties")).items() if isinstance(p, dict) and {"const", "enum"} & set(p)
    }
    if not fixed:
        return all(name in data for name in listing(branch.get("required")))
    return all(name in data and is_valid(part, data[name]) for name, part in fixed.items())


def is_valid(schema: Any, value: Any) -> bool:
    try:
        return bool(jsonschema_rs.is_valid(schema, value))
    except (jsonschema_rs.ValidationError, ValueError):
        return False


def _merge(result: Schema, part: Schema) -> None:
    for name, schema in part["properties"].items():
        known = result["properties"].get(name)
        result["properties"][name] = (
            {**known, **schema} if isinstance(known, dict) and isinstance(schema, dict) else schema
        )
    result["required"] += [name for name in part["required"] if name not in result["required"]]
