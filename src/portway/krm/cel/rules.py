"""``x-kubernetes-validations`` at work: every rule of a schema against a value, with ratcheting.

Order, texts and ratcheting: k8s.io/apiextensions-apiserver pkg/apiserver/schema/cel/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from portway.krm.cel import fieldpaths, schematypes, types
from portway.krm.cel.programs import Budget, Environment, Program
from portway.krm.cel.syntax import CompileError
from portway.krm.cel.types import Type
from portway.krm.cel.values import NONE, CostExceeded, EvaluationError, Optional
from portway.krm.errors import Cause
from portway.krm.schemas.compiling import Compiled, Schema
from portway.krm.schemas.findings import display
from portway.krm.values import same

MESSAGE_LIMIT = 5 * 1024
_OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"


@dataclass(frozen=True, slots=True)
class Rule:
    text: str
    """As errors name it: the message, else the rule."""
    program: Program | None
    error: str
    message: str
    message_program: Program | None
    reason: str
    path: str
    """Normalised fieldPath, with its leading dot or bracket."""
    uses_old: bool
    optional_old: bool


@dataclass(slots=True)
class RuleNode:
    """Rules of a schema node and of what is below; nodes without any are left out."""

    kind: str
    rules: tuple[Rule, ...]
    properties: dict[str, RuleNode] = field(default_factory=dict)
    additional: RuleNode | None = None
    items: RuleNode | None = None
    all_of: tuple[RuleNode, ...] = ()
    list_keys: tuple[tuple[str, Any], ...] = ()
    """Key fields with their defaults, of a list of type map."""


class Report:
    """What an evaluation found."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []
        self.warnings: list[str] = []
        self.budget = Budget()

    @property
    def stopped(self) -> bool:
        return self.budget.left < 0

    def stop(self) -> None:
        self.budget.left = -1


def has_rules(schema: Schema) -> bool:
    return _compiled(schema) is not None


def validate(schema: Schema, value: Any, old: Any = None) -> Report:
    """``old`` is the stored value on update: it makes transition rules run and unchanged parts only warn."""
    report = Report()
    root = _compiled(schema)
    if root is not None:
        _visit(root, value, old, "", report=report, ratchet=_Ratchet(old is not None, lambda: same(value, old)))
    return report


class _Ratchet:
    """Whether errors of a part are only warnings, because it (or the part around it that can be told) is as before."""

    __slots__ = ("_known", "_unchanged", "correlated")

    def __init__(self, correlated: bool, unchanged: Callable[[], bool] | None) -> None:
        self.correlated = correlated
        self._unchanged = unchanged
        self._known: bool | None = None

    def holds(self) -> bool:
        if self._known is None:
            self._known = self._unchanged is not None and self._unchanged()
        return self._known

    def child(self, value: Any, old: Any) -> _Ratchet:
        if not self.correlated:
            return self
        if old is None:
            return _Ratchet(False, self.holds)
        return _Ratchet(True, lambda: same(value, old))


class _Place(NamedTuple):
    """Where a rule looks."""

    kind: str
    value: Any
    path: str
    ratchet: _Ratchet


def _visit(node: RuleNode, value: Any, old: Any, path: str, *, report: Report, ratchet: _Ratchet) -> None:
    if value is None or report.stopped:
        return
    for rule in node.rules:
        _apply(rule, _Place(node.kind, value, path, ratchet), old, report)
        if report.stopped:
            return
    for branch in node.all_of:
        _visit(branch, value, old, path, report=report, ratchet=ratchet)
    if type(value) is dict:
        before = old if type(old) is dict else {}
        for name, item in value.items():
            child = node.properties.get(name)
            where = f"{path}.{name}"
            if child is None:
                child, where = node.additional, f"{path}[{name}]"
            if child is not None:
                was = before.get(name)
                inner = _Ratchet(False, None) if not path and name in ("apiVersion", "kind") else ratchet
                _visit(child, item, was, where, report=report, ratchet=inner.child(item, was))
    elif type(value) is list and node.items is not None:
        known = _by_key(node, old)
        for index, item in enumerate(value):
            was = known.get(_key(node, item)) if known else None
            _visit(node.items, item, was, f"{path}[{index}]", report=report, ratchet=ratchet.child(item, was))


def _by_key(node: RuleNode, old: Any) -> dict[Any, Any]:
    if not node.list_keys or type(old) is not list:
        return {}
    return {_key(node, item): item for item in old}


def _key(node: RuleNode, item: Any) -> Any:
    if type(item) is not dict:
        return None
    return repr([item.get(name, default) for name, default in node.list_keys])


def _apply(rule: Rule, place: _Place, old: Any, report: Report) -> None:
    where, value = place.path.removeprefix("."), place.value
    shown = display(place.kind)
    if rule.program is None:
        report.causes.append(_invalid(shown, f"rule compile error: {rule.error}", where))
        return
    if rule.uses_old and old is None and not rule.optional_old:
        return
    if report.budget.left <= 0:
        report.causes.append(_invalid(shown, _OUT_OF_BUDGET, where))
        report.stop()
        return
    given = (value, (Optional(old) if old is not None else NONE) if rule.optional_old else old)
    try:
        good = rule.program.run(given, report.budget)
    except CostExceeded as error:
        why = f"'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {rule.text}"
        report.causes.append(_invalid(shown, why, where))
        report.stop()
        return
    except EvaluationError as error:
        report.causes.append(_invalid(shown, _fault(error, rule), where))
        return
    if report.stopped:
        report.causes.append(_invalid(shown, _OUT_OF_BUDGET, where))
    elif good is not True:
        _fail(rule, place, given, report)


def _fault(error: EvaluationError, rule: Rule) -> str:
    if str(error).startswith("no such overload"):
        return (
            f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: "
            f"{rule.text}"
        )
    return f"{error} evaluating rule: {rule.text}"


def _fail(rule: Rule, place: _Place, given: tuple[Any, Any], report: Report) -> None:
    where = (place.path + rule.path).removeprefix(".")
    detail = _message(rule, given, report.budget) or rule.message or f"failed rule: {rule.text}"
    cause = _cause(rule.reason, place, detail, where)
    if not rule.uses_old and place.ratchet.holds():
        report.warnings.append(f"{where}: {cause.message}" if where else cause.message)
    else:
        report.causes.append(cause)


def _message(rule: Rule, given: tuple[Any, Any], budget: Budget) -> str:
    """Of messageExpression; nothing when it gives no good one."""
    if rule.message_program is None:
        return ""
    try:
        text = rule.message_program.run(given, budget)
    except EvaluationError:
        return ""
    text = text.strip() if isinstance(text, str) else ""
    return "" if "\n" in text or len(text) > MESSAGE_LIMIT else text


def _invalid(shown: str, detail: str, where: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {detail}", where)


def _cause(reason: str, place: _Place, detail: str, where: str) -> Cause:
    if reason == "FieldValueForbidden":
        return Cause(reason, f"Forbidden: {detail}", where)
    if reason == "FieldValueRequired":
        return Cause(reason, f"Required value: {detail}", where)
    if reason == "FieldValueDuplicate":
        return Cause(reason, f"Duplicate value: {display(place.value)}", where)
    if place.kind in ("object", "array"):
        return Cause("FieldValueInvalid", f"Invalid value: {detail}", where)
    return _invalid(display(place.value), detail, where)


def _compile(schema: Schema) -> RuleNode | None:
    if not mentions_rules(schema):
        return None
    return _node(schema, schema, schematypes.declared(schema, root=True), root=True)


def mentions_rules(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    if schema.get("x-kubernetes-validations"):
        return True
    nested = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(map(mentions_rules, [*nested, *(schema.get("allOf") or ())]))


def environment(type_: Type, *, optional_old: bool = False) -> Environment:
    return Environment({"self": type_, "oldSelf": types.optional_of(type_) if optional_old else type_})


def _node(rules: Schema, schema: Schema, type_: Type | None, *, root: bool = False) -> RuleNode | None:
    """``rules`` is ``schema`` or a branch of allOf over it."""
    if type_ is None or not mentions_rules(rules):
        return None
    made = tuple(_rule(entry, schema, type_) for entry in rules.get("x-kubernetes-validations") or ())
    node = RuleNode(schema.get("type") or "", made, list_keys=_list_keys(schema))
    properties = schema.get("properties") or {}
    for name, child in (rules.get("properties") or {}).items():
        if name in properties:
            inner = _node(child, properties[name], field_type(type_, name, properties[name]))
            if inner is not None:
                node.properties[name] = inner
    for name in ("items", "additionalProperties"):
        child, base = rules.get(name), schema.get(name)
        if isinstance(child, Mapping) and isinstance(base, Mapping) and type_.params:
            inner = _node(child, base, type_.params[-1])
            if name == "items":
                node.items = inner
            else:
                node.additional = inner
    branches = (_node(branch, schema, type_, root=root) for branch in rules.get("allOf") or ())
    node.all_of = tuple(branch for branch in branches if branch is not None)
    return node


def _list_keys(schema: Schema) -> tuple[tuple[str, Any], ...]:
    if schema.get("x-kubernetes-list-type") != "map":
        return ()
    properties = (schema.get("items") or {}).get("properties") or {}
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return tuple((key, (properties.get(key) or {}).get("default")) for key in keys)


def field_type(type_: Type, name: str, schema: Schema) -> Type | None:
    escaped = schematypes.escape(name)
    if escaped is None:
        return schematypes.declared(schema, root=bool(schema.get("x-kubernetes-embedded-resource")), name=name)
    return (type_.fields or {}).get(escaped)


def _rule(entry: Mapping[str, Any], schema: Schema, type_: Type) -> Rule:
    source = entry.get("rule") or ""
    message = (entry.get("message") or "").strip()
    optional = bool(entry.get("optionalOldSelf"))
    where = environment(type_, optional_old=optional)
    program, error, message_program = None, "", None
    try:
        program = where.compile(source)
    except CompileError as bad:
        error = f"compilation failed: {bad}"
    if entry.get("messageExpression"):
        try:
            message_program = where.compile(entry["messageExpression"])
        except CompileError:
            message_program = None  # refused when the definition is written; the plain message serves
    return Rule(
        text=message or source.strip(),
        program=program,
        error=error,
        message=message,
        message_program=message_program,
        reason=entry.get("reason") or "FieldValueInvalid",
        path=fieldpaths.normalised(entry.get("fieldPath") or "", schema) or "",
        uses_old=program is not None and "oldSelf" in program.used,
        optional_old=optional,
    )


_compiled: Compiled[RuleNode | None] = Compiled(_compile)
