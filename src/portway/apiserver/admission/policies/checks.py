"""Judges policies and bindings when they are written.

Rules and texts: k8s.io/kubernetes pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from portway.apiserver.admission import inputs
from portway.apiserver.admission.policies.expressions import variables_of
from portway.krm import causes
from portway.krm.cel.programs import Environment
from portway.krm.cel.syntax import CompileError
from portway.krm.cel.types import Type
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")


def validating_policy(manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    yield from _policy(spec)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        text = "validations or auditAnnotations must contain at least one item"
        yield causes.required("spec.validations", text)
        yield causes.required("spec.auditAnnotations", text)
    scope = _scope(spec)
    plain = _scope(spec, authorizer=False)
    for index, entry in enumerate(spec.get("validations") or ()):
        yield from _validation(entry, f"spec.validations[{index}]", scope, plain)
    for index, entry in enumerate(spec.get("auditAnnotations") or ()):
        path = f"spec.auditAnnotations[{index}]"
        if not entry.get("key"):
            yield causes.required(f"{path}.key")
        yield from expression(entry.get("valueExpression"), f"{path}.valueExpression", plain, ("string", "null"))


def mutating_policy(manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    yield from _policy(spec)
    if not spec.get("mutations"):
        yield causes.required("spec.mutations", "mutations must contain at least one item")
    if spec.get("reinvocationPolicy") not in ("Never", "IfNeeded"):
        yield causes.unsupported("spec.reinvocationPolicy", spec.get("reinvocationPolicy") or "", ("IfNeeded", "Never"))
    scope = _scope(spec, patches=True)
    for index, mutation in enumerate(spec.get("mutations") or ()):
        path, kind = f"spec.mutations[{index}]", mutation.get("patchType")
        if kind not in ("ApplyConfiguration", "JSONPatch"):
            yield causes.unsupported(f"{path}.patchType", kind or "", ("ApplyConfiguration", "JSONPatch"))
            continue
        field, other = (
            ("applyConfiguration", "jsonPatch") if kind == "ApplyConfiguration" else ("jsonPatch", "applyConfiguration")
        )
        if mutation.get(other):
            yield causes.invalid(
                f"{path}.{other}", mutation[other], f"{other} must not be specified when patchType is {kind}"
            )
        if not mutation.get(field):
            yield causes.required(f"{path}.{field}", f"{field} must be specified when patchType is {kind}")
            continue
        wanted = "Object" if field == "applyConfiguration" else "list(JSONPatch)"
        yield from expression(mutation[field].get("expression"), f"{path}.{field}.expression", scope, (wanted,))


def _policy(spec: Mapping[str, Any]) -> Iterator[Cause]:
    """What both kinds share."""
    kind = spec.get("paramKind")
    if kind is not None:
        for field in ("apiVersion", "kind"):
            if not kind.get(field):
                yield causes.required(f"spec.paramKind.{field}")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield causes.required("spec.matchConstraints")
    else:
        yield from match_resources(constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            yield causes.required("spec.matchConstraints.resourceRules")
    if spec.get("failurePolicy") not in ("Fail", "Ignore"):
        yield causes.unsupported("spec.failurePolicy", spec.get("failurePolicy") or "", ("Fail", "Ignore"))
    yield from match_conditions(spec.get("matchConditions") or (), "spec.matchConditions", params=bool(kind))
    yield from _variables(spec)


def _variables(spec: Mapping[str, Any]) -> Iterator[Cause]:
    names: set[str] = set()
    listed = spec.get("variables") or ()
    for index, entry in enumerate(listed):
        path, name = f"spec.variables[{index}]", entry.get("name") or ""
        if not name:
            yield causes.required(f"{path}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name):
            yield causes.invalid(f"{path}.name", name, "name is not a valid CEL identifier")
        elif name in names:
            yield causes.duplicate(f"{path}.name", name)
        names.add(name)
    if all(entry.get("expression") and entry.get("name") for entry in listed):
        made = variables_of(dict(spec), params=bool(spec.get("paramKind")), patches="mutations" in spec)
        for index, (_, found) in enumerate(made.expressions):
            if found.program is None:
                yield causes.invalid(f"spec.variables[{index}].expression", found.source, found.error)
    else:
        for index, entry in enumerate(listed):
            if not entry.get("expression"):
                yield causes.required(f"spec.variables[{index}].expression", "expression is not specified")


def _scope(spec: Mapping[str, Any], *, authorizer: bool = True, patches: bool = False) -> Environment:
    params = bool(spec.get("paramKind"))
    listed = [v for v in spec.get("variables") or () if v.get("name") and v.get("expression")]
    known: dict[str, Type] = variables_of({"variables": listed}, params=params, patches=patches).types
    return inputs.environment(params=params, variables=known, authorizer=authorizer, patches=patches)


def expression(source: str | None, path: str, scope: Environment, wanted: tuple[str, ...]) -> Iterator[Cause]:
    if not (source or "").strip():
        what = path.rpartition(".")[2]
        yield causes.required(path, f"{what} is not specified")
        return
    try:
        found = scope.compile(source or "").type
    except CompileError as error:
        yield causes.invalid(path, source, f"compilation failed: {error}")
        return
    shown = "null_type" if found.kind == "null" else str(found)
    dynamic = found.kind == "dyn" and len(wanted) > 1
    if str(found) not in wanted and not dynamic and not _patch_list(shown, wanted):
        listed = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
        yield causes.invalid(path, source, f"must evaluate to {listed} but got {shown}")


def _patch_list(shown: str, wanted: tuple[str, ...]) -> bool:
    return wanted == ("list(JSONPatch)",) and shown == "list(dyn)"


def _validation(entry: Mapping[str, Any], path: str, scope: Environment, plain: Environment) -> Iterator[Cause]:
    yield from expression(entry.get("expression"), f"{path}.expression", scope, ("bool",))
    message = (entry.get("message") or "").strip()
    if entry.get("message") and not message:
        yield causes.invalid(f"{path}.message", entry["message"], "message must be non-empty if specified")
    elif "\n" in message:
        yield causes.invalid(f"{path}.message", entry["message"], "message must not contain line breaks")
    elif not message and "\n" in (entry.get("expression") or "").strip() and not entry.get("messageExpression"):
        yield causes.required(f"{path}.message", "message must be specified if expression contains line breaks")
    if entry.get("messageExpression"):
        yield from expression(entry["messageExpression"], f"{path}.messageExpression", plain, ("string",))
    reason = entry.get("reason")
    if reason is not None and reason not in _REASONS:
        yield causes.unsupported(f"{path}.reason", reason, _REASONS)


def match_conditions(conditions: Any, path: str, *, params: bool = False) -> Iterator[Cause]:
    scope = inputs.environment(params=params)
    names: set[str] = set()
    if len(conditions) > 64:
        yield causes.too_many(path, len(conditions), 64)
    for index, condition in enumerate(conditions):
        where, name = f"{path}[{index}]", condition.get("name") or ""
        if not name:
            yield causes.required(f"{where}.name")
        elif name in names:
            yield causes.duplicate(f"{where}.name", name)
        names.add(name)
        yield from expression(condition.get("expression"), f"{where}.expression", scope, ("bool",))


def match_resources(spec: Mapping[str, Any], path: str) -> Iterator[Cause]:
    policy = spec.get("matchPolicy")
    if policy is not None and policy not in ("Equivalent", "Exact"):
        yield causes.unsupported(f"{path}.matchPolicy", policy, ("Equivalent", "Exact"))
    for field in ("resourceRules", "excludeResourceRules"):
        for index, entry in enumerate(spec.get(field) or ()):
            yield from rule(entry, f"{path}.{field}[{index}]")


def rule(entry: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for field in ("apiGroups", "apiVersions", "resources", "operations"):
        if not entry.get(field):
            yield causes.required(f"{path}.{field}")
    operations = entry.get("operations") or ()
    for index, operation in enumerate(operations):
        if operation not in _OPERATIONS:
            yield causes.unsupported(f"{path}.operations[{index}]", operation, _OPERATIONS)
    if len(operations) > 1 and "*" in operations:
        yield causes.invalid(
            f"{path}.operations", list(operations), "if '*' is present, must not specify other operations"
        )
    scope = entry.get("scope")
    if scope is not None and scope not in ("Cluster", "Namespaced", "*"):
        yield causes.unsupported(f"{path}.scope", scope, ("*", "Cluster", "Namespaced"))


def binding(manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    if not spec.get("policyName"):
        yield causes.required("spec.policyName")
    yield from _param_ref(spec.get("paramRef"))
    yield from match_resources(spec.get("matchResources") or {}, "spec.matchResources")
    if manifest.get("kind") != "ValidatingAdmissionPolicyBinding":
        return
    actions = spec.get("validationActions") or []
    if not actions:
        yield causes.required("spec.validationActions", "at least one validation action is required")
    for index, action in enumerate(actions):
        if action not in ("Audit", "Deny", "Warn"):
            yield causes.unsupported(f"spec.validationActions[{index}]", action, ("Audit", "Deny", "Warn"))
        elif action in actions[:index]:
            yield causes.duplicate(f"spec.validationActions[{index}]", action)
    if {"Deny", "Warn"} <= set(actions):
        text = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        yield causes.invalid("spec.validationActions", sorted(set(actions)), text)


def _param_ref(ref: Mapping[str, Any] | None) -> Iterator[Cause]:
    if ref is None:
        return
    if ref.get("name") and ref.get("selector") is not None:
        yield causes.forbidden("spec.paramRef.name", "name and selector are mutually exclusive")
    elif not ref.get("name") and ref.get("selector") is None:
        yield causes.required("spec.paramRef", "one of name or selector must be specified")
    action = ref.get("parameterNotFoundAction")
    if action is None:
        yield causes.required("spec.paramRef.parameterNotFoundAction")
    elif action not in ("Allow", "Deny"):
        yield causes.unsupported("spec.paramRef.parameterNotFoundAction", action, ("Allow", "Deny"))


CHECKS: dict[str, Callable[[Manifest], Iterator[Cause]]] = {
    "ValidatingAdmissionPolicy": validating_policy,
    "ValidatingAdmissionPolicyBinding": binding,
    "MutatingAdmissionPolicy": mutating_policy,
    "MutatingAdmissionPolicyBinding": binding,
}
