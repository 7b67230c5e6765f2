"""Validates values against a schema, compiled once to closures: the path of every write of a custom resource.

A check answers None for a good value (nothing is built, no path is made) or its findings, whose paths grow on the
way up.
Null is refused where the schema is not nullable: ``defaulting.default`` drops such nulls before.
Rules of ``x-kubernetes-validations`` are not evaluated here but in ``krm.cel.rules``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portway.krm.errors import Cause
from portway.krm.schemas import checking, findings
from portway.krm.schemas.checking import Check
from portway.krm.schemas.compiling import Compiled, Schema
from portway.krm.schemas.findings import Findings
from portway.krm.schemas.metadata import with_type_and_meta


def validate(schema: Schema, value: Any) -> tuple[Cause, ...]:
    """All violations, with upstream's reasons, texts and field paths."""
    found = _compiled(schema)(value)
    return tuple(finding.cause() for finding in found) if found else ()


def _compile_root(schema: Schema) -> Check:
    return compile_check(with_type_and_meta(schema))


def compile_check(schema: Schema) -> Check:
    """One check for a value and all below it."""
    if schema.get("x-kubernetes-embedded-resource"):
        schema = with_type_and_meta(schema)
    kinds = _types(schema)
    junctions = _junctions(schema)
    if kinds == {"object"}:
        check = _object(schema, junctions)
    elif kinds == {"array"}:
        check = _array(schema, junctions)
    else:
        check = _other(schema, kinds, junctions)
    return _nullable(check) if schema.get("nullable") else check


def _types(schema: Schema) -> frozenset[str]:
    if schema.get("x-kubernetes-int-or-string"):
        return frozenset(("integer", "string"))
    kind = schema.get("type")
    return frozenset((kind,)) if isinstance(kind, str) and kind else frozenset(kind or ())


def _nullable(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _all(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check_all(value: Any) -> Findings | None:
        found: Findings | None = None
        for check in checks:
            if more := check(value):
                found = found + more if found else more
        return found

    return check_all


def _other(schema: Schema, kinds: frozenset[str], junctions: list[Check]) -> Check:
    """Scalars, several types, or none given (as in the branches of junctors)."""
    flat = checking.scalar_checks(schema, kinds)
    if not kinds or "array" in kinds:
        flat += _array_checks(schema)
    if not kinds or "object" in kinds:
        flat += _object_checks(schema)
    check = _all([*flat, *junctions])
    return check if junctions else checking.quick(schema, kinds, check)


def _array(schema: Schema, junctions: list[Check]) -> Check:
    rest = [*_array_checks(schema), *junctions]
    items = schema.get("items")
    enumerated = [checking.one_of(schema["enum"])] if "enum" in schema else []
    mismatch = _all([checking.of_type(frozenset(("array",))), *enumerated, *junctions])
    every = _all([*enumerated, *rest])
    plain = checking.plain_type(items) if items is not None and len(rest) == 1 and not enumerated else None

    def check_array(value: Any) -> Findings | None:
        if type(value) is not list:
            return mismatch(value)
        if plain is not None and set(map(type, value)) == {plain}:
            return None
        return every(value)

    return check_array


def _array_checks(schema: Schema) -> list[Check]:
    checks = checking.size_checks(schema)
    if schema.get("items") is not None:
        checks.append(_items(compile_check(schema["items"])))
    kind = schema.get("x-kubernetes-list-type")
    if kind == "set":
        checks.append(checking.distinct_items)
    elif kind == "map":
        items = (schema.get("items") or {}).get("properties") or {}
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        checks.append(checking.distinct_keys(keys, {key: items.get(key, {}).get("default") for key in keys}))
    return checks


def _items(check: Check) -> Check:
    def check_items(value: Any) -> Findings | None:
        if type(value) is not list:
            return None
        found: Findings | None = None
        for index, item in enumerate(value):
            if more := check(item):
                found = findings.below(f"[{index}]", more, found)
        return found

    return check_items


def _object(schema: Schema, junctions: list[Check]) -> Check:
    children, other = _children(schema)
    rest = [*_object_checks({k: v for k, v in schema.items() if k not in _FIELDS}), *junctions]
    if "enum" in schema:
        rest.append(checking.one_of(schema["enum"]))
    mismatch = _all([checking.of_type(frozenset(("object",))), *rest])
    required = frozenset(schema.get("required") or ())
    with_required = checking.with_required(tuple(schema.get("required") or ()))
    plain = other[0] if other is not None and not children else None

    def check_object(value: Any) -> Findings | None:
        if type(value) is not dict:
            return mismatch(value)
        found: Findings | None = None
        if plain is None or set(map(type, value.values())) != {plain}:
            for name, item in value.items():
                entry = children.get(name, other)
                if entry is not None and type(item) is not entry[0] and (more := entry[1](item)):
                    found = findings.below("." + name, more, found)
        if required and not value.keys() >= required:
            found = (found or []) + (with_required(value) or [])
        for check in rest:
            if more := check(value):
                found = (found or []) + more
        return found

    return check_object


_FIELDS = frozenset(("properties", "additionalProperties", "required"))


def _object_checks(schema: Schema) -> list[Check]:
    checks = checking.property_count_checks(schema)
    if schema.get("properties") or schema.get("additionalProperties") is not None:
        checks.append(_fields(schema))
    if schema.get("required"):
        checks.append(checking.with_required(tuple(schema["required"])))
    if schema.get("x-kubernetes-embedded-resource"):
        checks.append(checking.embedded_type)
    return checks


def _fields(schema: Schema) -> Check:
    fields = {name: schema[name] for name in _FIELDS - {"required"} if name in schema}
    check = _object(fields, [])
    return lambda value: check(value) if type(value) is dict else None


def _children(schema: Schema) -> tuple[dict[str, tuple[type | None, Check]], tuple[type | None, Check] | None]:
    """Per field the Python type that settles the matter, if one does, and the check; then those of other fields."""
    properties: dict[str, Schema] = schema.get("properties") or {}
    children = {name: (checking.plain_type(child), compile_check(child)) for name, child in properties.items()}
    additional = schema.get("additionalProperties")
    if additional is False:
        return children, (None, checking.refuse)
    if additional in (None, True):
        return children, None
    return children, (checking.plain_type(additional), compile_check(additional))


def _junctions(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    for name, join in _JOINS.items():
        if schema.get(name):
            checks.append(join([compile_check(branch) for branch in schema[name]]))
    if schema.get("not") is not None:
        checks.append(_not(compile_check(schema["not"])))
    return checks


def _all_of(branches: list[Check]) -> Check:
    def check(value: Any) -> Findings | None:
        found = [finding for branch in branches for finding in branch(value) or ()]
        return [*found, findings.junction("must validate all the schemas (allOf)")] if found else None

    return check


def _any_of(branches: list[Check]) -> Check:
    def check(value: Any) -> Findings | None:
        failures: list[Findings] = []
        for branch in branches:
            found = branch(value)
            if not found:
                return None
            failures.append(found)
        best = min(failures, key=len)
        return [*best, findings.junction("must validate at least one schema (anyOf)")]

    return check


def _one_of(branches: list[Check]) -> Check:
    def check(value: Any) -> Findings | None:
        results = [branch(value) for branch in branches]
        valid = sum(1 for found in results if not found)
        if valid == 1:
            return None
        text = "must validate one and only one schema (oneOf). "
        if valid:
            return [findings.junction(f"{text}Found {valid} valid alternatives")]
        best = min((found for found in results if found), key=len)
        return [*best, findings.junction(f"{text}Found none valid")]

    return check


def _not(branch: Check) -> Check:
    def check(value: Any) -> Findings | None:
        return None if branch(value) else [findings.junction("must not validate the schema (not)")]

    return check


_JOINS: dict[str, Callable[[list[Check]], Check]] = {"allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of}
_compiled: Compiled[Check] = Compiled(_compile_root)
