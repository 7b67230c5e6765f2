"""What makes the rules of a CRD's schema unacceptable: texts, types and costs.

Rules, limits and texts: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from portway.krm.cel import costs, fieldpaths, rules, schematypes
from portway.krm.cel.programs import Environment, Program
from portway.krm.cel.schematypes import REQUEST_BYTES, Schema
from portway.krm.cel.syntax import CompileError
from portway.krm.cel.types import Type
from portway.krm.errors import Cause
from portway.krm.schemas.findings import display, quote

RULE_LIMIT = 10_000_000
SCHEMA_LIMIT = 100_000_000
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_MOST_EXPENSIVE = 4


@dataclass(slots=True)
class _Total:
    cost: int = 0
    expensive: list[tuple[int, str]] = field(default_factory=list)

    def add(self, cost: int, path: str) -> None:
        self.cost += cost
        self.expensive.append((cost, path))


def check(schema: Schema, path: str) -> tuple[Cause, ...]:
    """``schema`` is structural; ``path`` is where it stands."""
    if not rules.mentions_rules(schema):
        return ()
    total = _Total()
    type_ = schematypes.declared(schema, root=True, name="selfType")
    found = list(_node(schema, type_, path, total, times=1, uncorrelated=""))
    if total.cost > SCHEMA_LIMIT:
        for _, where in sorted(total.expensive, reverse=True)[:_MOST_EXPENSIVE]:
            text = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
            found.append(Cause("FieldValueForbidden", f"Forbidden: {text}", where))
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        found.append(Cause("FieldValueForbidden", f"Forbidden: {_over(name, total.cost, SCHEMA_LIMIT)}", path))
    return tuple(found)


def _node(
    schema: Schema, type_: Type | None, path: str, total: _Total, *, times: int | None, uncorrelated: str
) -> Iterator[Cause]:
    """``times``: how often the node can occur; None when nothing bounds it."""
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = f"{path}.x-kubernetes-validations[{index}]"
        wrong = list(_texts(rule, schema, where))
        yield from wrong
        if not wrong and type_ is not None:
            most = times if times is not None else REQUEST_BYTES // (type_.min_size + 1)
            yield from _compiled(rule, type_, where, total, times=most, uncorrelated=uncorrelated)
    for name, child in (schema.get("properties") or {}).items():
        inner = rules.field_type(type_, name, child) if type_ is not None else None
        yield from _node(child, inner, f"{path}.properties[{name}]", total, times=times, uncorrelated=uncorrelated)
    item_type = type_.params[-1] if type_ is not None and type_.params else None
    additional, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(additional, Mapping):
        often = _multiplied(times, schema.get("maxProperties"))
        yield from _node(
            additional, item_type, f"{path}.additionalProperties", total, times=often, uncorrelated=uncorrelated
        )
    if isinstance(items, Mapping):
        often = _multiplied(times, schema.get("maxItems"))
        apart = uncorrelated or (path if schema.get("x-kubernetes-list-type") != "map" else "")
        yield from _node(items, item_type, f"{path}.items", total, times=often, uncorrelated=apart)


def _multiplied(times: int | None, limit: int | None) -> int | None:
    return times * max(limit, 0) if times is not None and limit is not None else None


def _texts(rule: Mapping[str, Any], schema: Schema, where: str) -> Iterator[Cause]:
    source, message = (rule.get("rule") or "").strip(), (rule.get("message") or "").strip()
    if not source:
        yield Cause("FieldValueRequired", "Required value: rule is not specified", f"{where}.rule")
    elif rule.get("message") and not message:
        yield _invalid(rule["message"], "must be non-empty if specified", f"{where}.message")
    elif "\n" in message:
        yield _invalid(rule["message"], "must not contain line breaks", f"{where}.message")
    elif "\n" in source and not message:
        text = "Required value: message must be specified if rule contains line breaks"
        yield Cause("FieldValueRequired", text, f"{where}.message")
    if rule.get("messageExpression") and not rule["messageExpression"].strip():
        text = "Required value: messageExpression must be non-empty if specified"
        yield Cause("FieldValueRequired", text, f"{where}.messageExpression")
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        listed = ", ".join(map(quote, _REASONS))
        text = f"Unsupported value: {display(reason)}: supported values: {listed}"
        yield Cause("FieldValueNotSupported", text, f"{where}.reason")
    field_path = rule.get("fieldPath") or ""
    if field_path and not field_path.strip():
        yield _invalid(field_path, "must be non-empty if specified", f"{where}.fieldPath")
    if "\n" in field_path:
        yield _invalid(field_path, "must not contain line breaks", f"{where}.fieldPath")
    if field_path and fieldpaths.normalised(field_path, schema) is None:
        yield _invalid(field_path, "must be a valid path", f"{where}.fieldPath")


def _invalid(value: Any, detail: str, where: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {display(value)}: {detail}", where)


def _compiled(
    rule: Mapping[str, Any], type_: Type, where: str, total: _Total, *, times: int, uncorrelated: str
) -> Iterator[Cause]:
    environment = rules.environment(type_, optional_old=bool(rule.get("optionalOldSelf")))
    program: Program | None = None
    try:
        program = environment.compile(rule["rule"])
    except CompileError as error:
        yield _refused(rule, f"compilation failed: {error}", f"{where}.rule")
        return
    if program.type.kind != "bool":
        yield _refused(rule, "cel expression must evaluate to a bool", f"{where}.rule")
        return
    yield from _costly("estimated rule cost", program, times, f"{where}.rule", total)
    if rule.get("messageExpression"):
        yield from _message(rule, environment, where, total)
    if "oldSelf" in program.used:
        if uncorrelated:
            detail = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {uncorrelated}"
            yield _invalid(rule["rule"], detail, f"{where}.rule")
    elif rule.get("optionalOldSelf") is not None:
        detail = "may not be set if oldSelf is not used in rule"
        yield _invalid(rule["optionalOldSelf"], detail, f"{where}.optionalOldSelf")


def _message(rule: Mapping[str, Any], environment: Environment, where: str, total: _Total) -> Iterator[Cause]:
    path = f"{where}.messageExpression"
    try:
        program = environment.compile(rule["messageExpression"])
    except CompileError as error:
        yield _refused(rule, f"messageExpression compilation failed: {error}", path)
        return
    if program.type.kind != "string":
        yield _refused(rule, "messageExpression must evaluate to a string", path)
        return
    yield from _costly("estimated messageExpression cost", program, 1, path, total)


def _costly(name: str, program: Program, times: int, path: str, total: _Total) -> Iterator[Cause]:
    cost = min(program.cost.high * times, costs.MAX)
    total.add(cost, path)
    if cost > RULE_LIMIT:
        yield Cause("FieldValueForbidden", f"Forbidden: {_over(name, cost, RULE_LIMIT)}", path)


def _over(name: str, cost: int, limit: int) -> str:
    factor = cost / limit
    text = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return (
        f"{name} exceeds budget by factor of {text} (try simplifying the rule, or adding maxItems, maxProperties, "
        "and maxLength where arrays, maps, and strings are declared)"
    )


def _refused(rule: Mapping[str, Any], detail: str, path: str) -> Cause:
    """Upstream shows the whole rule, with the names that its fields have in Go."""
    shown = {name: rule.get(key, empty) for name, (key, empty) in _GO_FIELDS.items()}
    return _invalid(shown, detail, path)


_GO_FIELDS = {
    "Rule": ("rule", ""),
    "Message": ("message", ""),
    "MessageExpression": ("messageExpression", ""),
    "Reason": ("reason", None),
    "FieldPath": ("fieldPath", ""),
    "OptionalOldSelf": ("optionalOldSelf", None),
}
