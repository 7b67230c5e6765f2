"""What policies and webhooks share when they are judged: rules, selectors, match conditions and their expressions.

Rules and texts: k8s.io/kubernetes pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from portway.apiserver import labelselectors, names
from portway.apiserver.admission import inputs
from portway.krm import causes
from portway.krm.cel.programs import Environment
from portway.krm.cel.syntax import CompileError
from portway.krm.errors import Cause

OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_CONDITIONS_LIMIT = 64


def match_resources(spec: Mapping[str, Any], path: str) -> Iterator[Cause]:
    policy = spec.get("matchPolicy")
    if policy is not None and policy not in ("Equivalent", "Exact"):
        yield causes.unsupported(f"{path}.matchPolicy", policy, ("Equivalent", "Exact"))
    yield from selectors(spec, path)
    for field in ("resourceRules", "excludeResourceRules"):
        for index, entry in enumerate(spec.get(field) or ()):
            where = f"{path}.{field}[{index}]"
            yield from _resource_names(entry.get("resourceNames") or (), f"{where}.resourceNames")
            yield from rule(entry, where)


def selectors(spec: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for field in ("namespaceSelector", "objectSelector"):
        yield from labelselectors.check(spec.get(field) or {}, f"{path}.{field}")


def _resource_names(given: Sequence[str], path: str) -> Iterator[Cause]:
    for index, name in enumerate(given):
        for fault in names.segment_faults(name):
            yield causes.invalid(f"{path}[{index}]", name, fault)
        if name in given[:index]:
            yield causes.duplicate(f"{path}[{index}]", name)


def rule(entry: Mapping[str, Any], path: str) -> Iterator[Cause]:
    operations = entry.get("operations") or []
    if not operations:
        yield causes.required(f"{path}.operations")
    yield from _alone(operations, f"{path}.operations", "operations")
    for index, operation in enumerate(operations):
        if operation not in OPERATIONS:
            yield causes.unsupported(f"{path}.operations[{index}]", operation, OPERATIONS)
    for field, word in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        given = entry.get(field) or []
        if not given:
            yield causes.required(f"{path}.{field}")
        yield from _alone(given, f"{path}.{field}", word)
    for index, version in enumerate(entry.get("apiVersions") or ()):
        if not version:
            yield causes.required(f"{path}.apiVersions[{index}]")
    yield from _resources(entry.get("resources") or [], f"{path}.resources")
    scope = entry.get("scope")
    if scope is not None and scope not in _SCOPES:
        yield causes.unsupported(f"{path}.scope", scope, _SCOPES)


def _alone(given: list[str], path: str, word: str) -> Iterator[Cause]:
    if len(given) > 1 and "*" in given:
        yield causes.invalid(path, given, f"if '*' is present, must not specify other {word}")


def _resources(given: list[str], path: str) -> Iterator[Cause]:
    if not given:
        yield causes.required(path)
    seen: set[str] = set()
    for index, name in enumerate(given):
        where = f"{path}[{index}]"
        if not name:
            yield causes.required(where)
        resource, slash, below = name.partition("/")
        if not slash:
            continue
        for wider in (f"{resource}/*", f"*/{below}"):
            if wider in seen:
                yield causes.invalid(where, name, f"if '{wider}' is present, must not specify {name}")
        seen.add(name)
    if len(given) > 1 and "*/*" in given:
        yield causes.invalid(path, given, "if '*/*' is present, must not specify other resources")
    plain = [name for name in given if name and "/" not in name]
    if "*" in plain and plain[-1] != "*":  # the last one decides, as upstream
        text = "if '*' is present, must not specify other resources without subresources"
        yield causes.invalid(path, given, text)


def match_conditions(conditions: Any, path: str, *, params: bool = False) -> Iterator[Cause]:
    scope = inputs.environment(params=params)
    seen: set[str] = set()
    if len(conditions) > _CONDITIONS_LIMIT:
        yield causes.too_many(path, len(conditions), _CONDITIONS_LIMIT)
    for index, condition in enumerate(conditions):
        where, name = f"{path}[{index}]", condition.get("name") or ""
        if (condition.get("expression") or "").strip():
            yield from expression(condition["expression"], f"{where}.expression", scope, ("bool",))
        else:
            yield causes.required(f"{where}.expression")
        if not name:
            yield causes.required(f"{where}.name")
            continue
        for fault in names.qualified_faults(name):
            yield causes.invalid(f"{where}.name", name, fault)
        if name in seen:
            yield causes.duplicate(f"{where}.name", name)
        seen.add(name)


def expression(source: str, path: str, scope: Environment, wanted: tuple[str, ...]) -> Iterator[Cause]:
    try:
        found = scope.compile(source).type
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
