"""ResourceQuotas: what can be limited, by how much, and within which scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portway.apiserver import names
from portway.krm import causes, quantities
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_COUNTED = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
)
_PODS = frozenset(("cpu", "limits.cpu", "limits.memory", "memory", "pods", "requests.cpu", "requests.memory"))
_VOLUMES = frozenset(("persistentvolumeclaims", "requests.storage"))
_STORAGE = frozenset(("ephemeral-storage", "limits.ephemeral-storage", "requests.ephemeral-storage"))
_STANDARD = frozenset(_COUNTED) | _PODS | _VOLUMES | _STORAGE
_SCOPES: dict[str, frozenset[str]] = {
    "BestEffort": frozenset(("pods",)),
    "CrossNamespacePodAffinity": _PODS,
    "NotBestEffort": _PODS,
    "NotTerminating": _PODS,
    "PriorityClass": _PODS,
    "Terminating": _PODS,
    "VolumeAttributesClass": _VOLUMES,
}
"""What each scope can limit."""
_CONFLICTING = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_EXISTING = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")
_ONLY_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def check(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    hard, scopes = spec.get("hard") or {}, spec.get("scopes") or []
    for name, value in hard.items():
        yield from _check_limit(name, str(value), f"spec.hard[{name}]")
    yield from _check_scopes(scopes, hard)
    selector = spec.get("scopeSelector")
    if selector is not None:
        yield from _check_selector(selector, scopes, hard)
    if old is not None and {*scopes} != {*((old.get("spec") or {}).get("scopes") or ())}:
        yield causes.immutable("spec.scopes", scopes or None)


def _is_standard(name: str) -> bool:
    return name in _STANDARD or name.startswith(("hugepages-", "requests.hugepages-"))


def _check_limit(name: str, value: str, path: str) -> Iterator[Cause]:
    faults = names.qualified_faults(name)
    for fault in faults:
        yield causes.invalid(path, name, fault)
    if "/" not in name and not _is_standard(name):
        if not faults and name != "storage":
            yield causes.invalid(path, name, "must be a standard resource type or fully qualified")
        yield causes.invalid(path, name, "must be a standard resource for quota")
    try:
        number = quantities.parse(value)
    except quantities.BadQuantity as error:
        yield causes.invalid(path, value, str(error))
        return
    if number < 0:
        yield causes.invalid(path, value, "must be greater than or equal to 0")
    extended = "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")
    if (name in _COUNTED or extended) and number != number.to_integral_value():
        thousandths = number * 1000  # as upstream prints fractions
        shown = f"{int(thousandths)}m" if thousandths == thousandths.to_integral_value() else value
        yield causes.invalid(path, shown, "must be an integer")


def _check_scopes(scopes: list[str], hard: Mapping[str, Any]) -> Iterator[Cause]:
    for scope in scopes:
        if scope not in _SCOPES:
            yield causes.invalid("spec.scopes", scopes, "unsupported scope")
        for _ in _out_of_scope(scope, hard):
            yield causes.invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in _CONFLICTING:
        if pair <= {*scopes}:
            yield causes.invalid("spec.scopes", scopes, "conflicting scopes")


def _out_of_scope(scope: str, hard: Mapping[str, Any]) -> Iterator[str]:
    within = _SCOPES.get(scope)
    if within is not None:
        yield from (name for name in sorted(hard) if _is_standard(name) and name not in within)


def _check_selector(selector: Mapping[str, Any], scopes: list[str], hard: Mapping[str, Any]) -> Iterator[Cause]:
    path, expressions = "spec.scopeSelector.matchExpressions", selector.get("matchExpressions") or ()
    for expression in expressions:
        scope, operator = expression.get("scopeName") or "", expression.get("operator") or ""
        values = expression.get("values") or []
        if scope not in _SCOPES:
            yield causes.invalid(f"{path}.scopeName", scope, "unsupported scope")
        for _ in _out_of_scope(scope, hard):
            yield causes.faulty(path, "unsupported scope applied to resource")
        if scope in _EXISTING and operator != "Exists":
            yield causes.invalid(f"{path}.operator", operator, _ONLY_EXISTS)
        if operator in ("In", "NotIn"):
            if not values:
                text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                yield causes.required(f"{path}.values", text)
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                yield causes.invalid(f"{path}.values", values, text)
        else:
            yield causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    chosen = {expression.get("scopeName") for expression in expressions}
    for pair in _CONFLICTING:
        if pair <= chosen:
            yield causes.invalid(path, scopes or None, "conflicting scopes")
