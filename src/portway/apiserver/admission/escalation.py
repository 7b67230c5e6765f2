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
            rules = [Rule.of(rule) for rule in manifest.get("rules") or ()]
            if manifest.get("aggregationRule") and not _same_aggregation(manifest, request.old):
                rules += _EVERYTHING  # it will hold whatever others put into roles with its labels
            self._check(request, rules, "escalate", request.name)
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

    def _may(self, request: AdmissionRequest, verb: str, resource: str, name: str) -> bool:
        plural = resource.lower() if resource.endswith("s") else f"{resource.lower()}s"
        asked = Attributes(verb, RBAC_GROUP, plural, request.namespace, name)
        return self._grants.allows(request.user, request.tenant.cluster, asked)


def covered(rule: Rule, held: Iterable[Rule]) -> bool:
    """Whether every single thing ``rule`` allows is allowed by one of ``held``."""
    held = list(held)
    for verb in rule.verbs:
        for path in rule.paths:
            if not any(_has(h.verbs, verb) and (path in h.paths or "*" in h.paths) for h in held):
                return False
        names = rule.names or {""}
        for group, resource, name in product(rule.groups, rule.resources, names):
            if not any(_covers(h, verb, group, resource, name) for h in held):
                return False
    return True


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
    return all(manifest.get(field) == old.get(field) for field in ("rules", "roleRef", "subjects", "aggregationRule"))


_EVERY = frozenset("*")
_EVERYTHING = (Rule(_EVERY, _EVERY, _EVERY), Rule(_EVERY, paths=("*",)))


def _same_aggregation(manifest: Manifest, old: Manifest | None) -> bool:
    return old is not None and manifest.get("aggregationRule") == old.get("aggregationRule")


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
