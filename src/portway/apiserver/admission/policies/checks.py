"""Judges policies and bindings when they are written.

Rules and texts: k8s.io/kubernetes pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from portway.apiserver import labelselectors, names
from portway.apiserver.admission import inputs, matchchecks
from portway.apiserver.admission.policies.expressions import variables_of
from portway.krm import causes
from portway.krm.cel.programs import Environment
from portway.krm.cel.types import Type
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_POLICIES = ("Fail", "Ignore")
_MUTATED = tuple(operation for operation in matchchecks.OPERATIONS if operation != "DELETE")
_REINVOCATIONS = ("IfNeeded", "Never")
_ACTIONS = ("Audit", "Deny", "Warn")
_PATCHES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_RESULTS = {"ApplyConfiguration": "Object", "JSONPatch": "list(JSONPatch)"}
_ANNOTATIONS_LIMIT = 20
_VALUE_LIMIT = 5 * 1024


def validating_policy(manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    yield from _policy(spec)
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        text = "validations or auditAnnotations must contain at least one item"
        yield causes.required("spec.validations", text)
        yield causes.required("spec.auditAnnotations", text)
    scope = _scope(spec)
    plain = _scope(spec, authorizer=False)
    for index, entry in enumerate(validations):
        yield from _validation(entry, f"spec.validations[{index}]", scope, plain)
    if len(annotations) > _ANNOTATIONS_LIMIT:
        shown = [{"Key": e.get("key") or "", "ValueExpression": e.get("valueExpression") or ""} for e in annotations]
        text = f"must not have more than {_ANNOTATIONS_LIMIT} auditAnnotations"
        yield causes.invalid("spec.auditAnnotations", shown, text)
    seen: set[str] = set()
    for index, entry in enumerate(annotations):
        path, key = f"spec.auditAnnotations[{index}]", entry.get("key") or ""
        yield from _annotation(entry, manifest["metadata"].get("name") or "", path, plain)
        if key in seen:
            yield causes.duplicate(f"{path}.key", key)
        seen.add(key)


def _annotation(entry: Mapping[str, Any], policy: str, path: str, scope: Environment) -> Iterator[Cause]:
    key, source = entry.get("key") or "", entry.get("valueExpression") or ""
    named = f"{policy}/{key}"
    if not policy:
        yield causes.invalid(f"{path}.key", key, "requires metadata.name be non-empty")
    for fault in names.qualified_faults(named) if policy else ():
        yield causes.invalid(f"{path}.key", named, fault)
    if not source.strip():
        yield causes.required(f"{path}.valueExpression", "valueExpression is not specified")
    elif len(source.strip().encode()) > _VALUE_LIMIT:
        yield causes.required(f"{path}.valueExpression", f"must not exceed {_VALUE_LIMIT} bytes in length")
    else:
        yield from matchchecks.expression(source, f"{path}.valueExpression", scope, ("string", "null"))


def mutating_policy(manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    yield from _policy(spec, _MUTATED)
    if not spec.get("mutations"):
        yield causes.required("spec.mutations", "mutations must contain at least one item")
    scope = _scope(spec, patches=True)
    for index, mutation in enumerate(spec.get("mutations") or ()):
        yield from _mutation(mutation, f"spec.mutations[{index}]", scope)
    reinvocation = spec.get("reinvocationPolicy") or ""
    if not reinvocation:
        yield causes.required("spec.reinvocationPolicy")
    elif reinvocation not in _REINVOCATIONS:
        yield causes.unsupported("spec.reinvocationPolicy", reinvocation, _REINVOCATIONS)


def _mutation(mutation: Mapping[str, Any], path: str, scope: Environment) -> Iterator[Cause]:
    kind = mutation.get("patchType") or ""
    if not kind:
        yield causes.required(f"{path}.patchType")
        return
    if kind not in _PATCHES:
        yield causes.unsupported(f"{path}.patchType", kind, _PATCHES)
        return
    for other, field in _PATCHES.items():
        given, where = mutation.get(field), f"{path}.{field}"
        if other != kind:
            if given is not None:
                yield causes.invalid(where, f"{{{field}}}", f"must not be specified when patchType is {kind}")
        elif given is None:
            yield causes.required(where, f"must be specified when patchType is {kind}")
        elif not (given.get("expression") or "").strip():
            yield causes.required(f"{where}.expression")
        else:
            yield from matchchecks.expression(given["expression"], f"{where}.expression", scope, (_RESULTS[kind],))


def _policy(spec: Mapping[str, Any], operations: tuple[str, ...] = matchchecks.OPERATIONS) -> Iterator[Cause]:
    """What both kinds share."""
    failure = spec.get("failurePolicy") or ""
    if not failure:
        yield causes.required("spec.failurePolicy")
    elif failure not in _POLICIES:
        yield causes.unsupported("spec.failurePolicy", failure, _POLICIES)
    kind = spec.get("paramKind")
    if kind is not None:
        yield from _param_kind(kind, "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield causes.required("spec.matchConstraints")
    else:
        yield from matchchecks.match_resources(constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            yield causes.required("spec.matchConstraints.resourceRules")
        yield from _operations(constraints, operations, "spec.matchConstraints")
    yield from matchchecks.match_conditions(
        spec.get("matchConditions") or (), "spec.matchConditions", params=bool(kind)
    )
    yield from _variables(spec)


def _operations(match: Mapping[str, Any], allowed: tuple[str, ...], path: str) -> Iterator[Cause]:
    if allowed == matchchecks.OPERATIONS:
        return
    for rule in match.get("resourceRules") or ():
        for operation in rule.get("operations") or ():
            if operation not in allowed:
                yield causes.unsupported(f"{path}.resourceRules.operations", operation, allowed)


def _param_kind(kind: Mapping[str, Any], path: str) -> Iterator[Cause]:
    api_version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    group, _, version = api_version.rpartition("/")
    if not api_version:
        yield causes.required(f"{path}.apiVersion")
    elif api_version.count("/") > 1:
        yield causes.invalid(f"{path}.apiVersion", api_version, f"unexpected GroupVersion string: {api_version}")
    else:
        faults = names.subdomain_faults(group) if group else []
        if faults:
            yield causes.invalid(f"{path}.apiVersion", group, ",".join(faults))
        if not version:
            yield causes.invalid(f"{path}.apiVersion", api_version, "version must be specified")
        elif names.dns_1035_faults(version):
            yield causes.invalid(f"{path}.apiVersion", version, ",".join(names.dns_1035_faults(version)))
    if not name:
        yield causes.required(f"{path}.kind")
    elif names.dns_1035_faults(name.lower()):
        listed = ",".join(names.dns_1035_faults(name.lower()))
        yield causes.invalid(f"{path}.kind", name, f"may have mixed case, but should otherwise match: {listed}")


def _variables(spec: Mapping[str, Any]) -> Iterator[Cause]:
    seen: set[str] = set()
    listed = spec.get("variables") or ()
    for index, entry in enumerate(listed):
        path, name = f"spec.variables[{index}]", entry.get("name") or ""
        if not name.strip():
            yield causes.required(f"{path}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
            yield causes.invalid(f"{path}.name", name, "must be a valid CEL identifier")
        elif name in seen:
            yield causes.duplicate(f"{path}.name", name)
        seen.add(name)
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


def _validation(entry: Mapping[str, Any], path: str, scope: Environment, plain: Environment) -> Iterator[Cause]:
    source, message = entry.get("expression") or "", (entry.get("message") or "").strip()
    by_expression = entry.get("messageExpression") or ""
    if not source.strip():
        yield causes.required(f"{path}.expression", "expression is not specified")
    else:
        yield from matchchecks.expression(source, f"{path}.expression", scope, ("bool",))
    if by_expression and not by_expression.strip():
        yield causes.invalid(f"{path}.messageExpression", by_expression, "must be non-empty if specified")
    elif by_expression:
        yield from matchchecks.expression(by_expression, f"{path}.messageExpression", plain, ("string",))
    if entry.get("message") and not message:
        yield causes.invalid(f"{path}.message", entry["message"], "must be non-empty if specified")
    elif "\n" in message or "\r" in message:
        yield causes.invalid(f"{path}.message", entry["message"], "must not contain line breaks")
    reason = entry.get("reason")
    if reason is not None and reason not in _REASONS:
        yield causes.unsupported(f"{path}.reason", reason, _REASONS)


def binding(manifest: Manifest) -> Iterator[Cause]:
    spec, validating = manifest.get("spec") or {}, manifest.get("kind") == "ValidatingAdmissionPolicyBinding"
    policy = spec.get("policyName") or ""
    if not policy:
        yield causes.required("spec.policyName")
    for fault in names.subdomain_faults(policy) if policy else ():
        yield causes.invalid("spec.policyName", policy, fault)
    yield from _param_ref(spec.get("paramRef"))
    match = spec.get("matchResources") or {}
    yield from matchchecks.match_resources(match, "spec.matchResources")
    if validating:
        yield from _actions(spec.get("validationActions") or [])
    else:
        yield from _operations(match, _MUTATED, "spec.matchResources")


def _actions(actions: list[str]) -> Iterator[Cause]:
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            yield causes.unsupported(f"spec.validationActions[{index}]", action, _ACTIONS)
        if action in actions[:index]:
            yield causes.duplicate(f"spec.validationActions[{index}]", action)
    if {"Deny", "Warn"} <= {*actions}:
        text = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        yield causes.invalid("spec.validationActions", actions, text)
    if not actions:
        yield causes.required("spec.validationActions", "at least one validation action is required")


def _param_ref(ref: Mapping[str, Any] | None) -> Iterator[Cause]:
    if ref is None:
        return
    path, name, selector = "spec.paramRef", ref.get("name") or "", ref.get("selector")
    exclusive = "name and selector are mutually exclusive"
    for fault in names.segment_faults(name):
        yield causes.invalid(f"{path}.name", name, fault)
    if name and selector is not None:
        yield causes.forbidden(f"{path}.name", exclusive)
    if selector is not None:
        yield from labelselectors.check(selector, f"{path}.selector")
        if name:
            yield causes.forbidden(f"{path}.selector", exclusive)
    elif not name:
        yield causes.required(path, "one of name or selector must be specified")
    action = ref.get("parameterNotFoundAction")
    if not action:
        yield causes.required(f"{path}.parameterNotFoundAction")
    elif action not in ("Allow", "Deny"):
        yield causes.unsupported(f"{path}.parameterNotFoundAction", action, ("Deny", "Allow"))


CHECKS: dict[str, Callable[[Manifest], Iterator[Cause]]] = {
    "ValidatingAdmissionPolicy": validating_policy,
    "ValidatingAdmissionPolicyBinding": binding,
    "MutatingAdmissionPolicy": mutating_policy,
    "MutatingAdmissionPolicyBinding": binding,
}
