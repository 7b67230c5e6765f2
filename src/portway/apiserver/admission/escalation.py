"""Nobody gives away rights in roles and bindings that they do not have themselves."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.rbac import RBAC_GROUP, Attributes, Grants, Rule
from portway.krm.errors import forbidden, not_found
from portway.krm.identity import Manifest

_ROLES = ("roles", "clusterroles")
_BINDINGS = ("rolebindings", "clusterrolebindings")


class EscalationPrevention:
    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def admit(self, request: AdmissionRequest) -> None:
        served, manifest = request.resource.served, request.object
        if served.gvk.group != RBAC_GROUP or manifest is None or request.user.is_master:
            return
        if request.operation is Operation.UPDATE and request.old is not None and _same(manifest, request.old):
            return
        if served.plural in _ROLES:
            self._check(request, [Rule.of(rule) for rule in manifest.get("rules") or ()], "escalate", request.name)
            if _aggregates(manifest) or _aggregates(request.old or {}):
                self._check_aggregation(request)
        elif served.plural in _BINDINGS:
            self._check_binding(request, manifest.get("roleRef") or {})

    def _check_binding(self, request: AdmissionRequest, ref: Manifest) -> None:
        kind, name, cluster = ref.get("kind", ""), ref.get("name", ""), request.tenant.cluster
        if not self._grants.role_exists(cluster, kind, name, request.namespace):
            if self._may(request, "bind", kind, name):
                return
            raise not_found(f"{kind.lower()}s", name, RBAC_GROUP)
        rules = list(self._grants.rules_of(cluster, kind, name, request.namespace))
        if request.namespace:  # paths are not given away within a namespace
            rules = [rule for rule in rules if not rule.paths]
        self._check(request, rules, "bind", name, f"{kind.lower()}s")

    def _check(self, request: AdmissionRequest, rules: list[Rule], verb: str, name: str, plural: str = "") -> None:
        if self._may(request, verb, plural or request.resource.served.plural, name):
            return
        held = list(self._grants.rules_for(request.user, request.tenant.cluster, request.namespace))
        missing = [rule for rule in rules if not covered(rule, held)]
        if missing:
            served = request.resource.served
            listed = "\n".join(_text(rule) for rule in missing)
            groups = " ".join(f'"{g}"' for g in request.user.groups)
            why = (
                f'user "{request.user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not '
                f"currently held:\n{listed}"
            )
            raise forbidden(served.plural, request.name, why, served.gvk.group)

    def _check_aggregation(self, request: AdmissionRequest) -> None:
        """Such a role holds whatever others put into roles with its labels."""
        if self._may(request, "escalate", request.resource.served.plural, request.name):
            return
        held = list(self._grants.rules_for(request.user, request.tenant.cluster, ""))
        if not all(covered(rule, held) for rule in _EVERYTHING):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise forbidden(request.resource.served.plural, request.name, why, RBAC_GROUP)

    def _may(self, request: AdmissionRequest, verb: str, resource: str, name: str) -> bool:
        plural = resource.lower() if resource.endswith("s") else f"{resource.lower()}s"
        asked = Attributes(verb, RBAC_GROUP, plural, request.namespace, name)
        return self._grants.allows(request.user, request.tenant.cluster, asked)


def covered(rule: Rule, held: Iterable[Rule]) -> bool:
    """Whether every single thing ``rule`` allows is allowed by one of ``held``."""
    held = list(held)
    for verb in rule.verbs:
        for path in rule.paths:
            if not any(_has(h.verbs, verb) and any(_covers_path(p, path) for p in h.paths) for h in held):
                return False
        names = rule.names or {""}
        for group, resource, name in product(rule.groups, rule.resources, names):
            if not any(_covers(h, verb, group, resource, name) for h in held):
                return False
    return True


def _covers_path(held: str, path: str) -> bool:
    """``/api/*`` covers ``/api/v1`` and ``/api/v1/*``."""
    return held == path or (held.endswith("*") and path.startswith(held.rstrip("*")))


def _covers(held: Rule, verb: str, group: str, resource: str, name: str) -> bool:
    if not _has(held.verbs, verb):
        return False
    if "*" in (group, resource):
        groups_fit = "*" in held.groups or group in held.groups
        resources_fit = "*" in held.resources or resource in held.resources
        return groups_fit and resources_fit and (not held.names or name in held.names)
    return Rule(frozenset(("x",)), held.groups, held.resources, held.names).allows(
        Attributes("x", group, resource, "", name)
    )


def _has(values: frozenset[str], value: str) -> bool:
    return "*" in values or value in values


def _same(manifest: Manifest, old: Manifest) -> bool:
    """Whether nothing changed but what the collection of garbage changes: labels may add a role to others."""
    return _compared(manifest) == _compared(old)


_OF_COLLECTION = frozenset(("ownerReferences", "finalizers", "managedFields", "resourceVersion"))


def _compared(manifest: Manifest) -> Manifest:
    metadata = {key: value for key, value in manifest["metadata"].items() if value and key not in _OF_COLLECTION}
    return {**{key: value for key, value in manifest.items() if value}, "metadata": metadata}


_EVERY = frozenset("*")
_EVERYTHING = (Rule(_EVERY, _EVERY, _EVERY), Rule(_EVERY, paths=("*",)))


def _aggregates(manifest: Manifest) -> bool:
    return bool((manifest.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _text(rule: Rule) -> str:
    shown = rule.to_manifest()
    order = (
        ("apiGroups", "APIGroups"),
        ("resources", "Resources"),
        ("resourceNames", "ResourceNames"),
        ("nonResourceURLs", "NonResourceURLs"),
        ("verbs", "Verbs"),
    )
    parts = [f"{label}:{shown[key]!r}".replace("'", '"') for key, label in order if key in shown]
    return "{" + ", ".join(parts) + "}"
