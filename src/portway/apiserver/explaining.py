"""Why somebody may not: the rule that is missing, the roles that have it, and who could give it.

Told only to those who may enter the workspace: what there is in others is not theirs to learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portway.apiserver import bootstraproles
from portway.apiserver.admission.escalation import covered
from portway.apiserver.rbac import RBAC_GROUP, Attributes, Binding, Grants, Rule, Subject
from portway.krm.errors import Cause

_MOST_NAMES = 5
_TOO_MUCH = frozenset(("cluster-admin",))


@dataclass(frozen=True, slots=True)
class Explanation:
    missing: str
    """The rule, as one writes it into a role."""
    where: str
    roles: tuple[str, ...]
    """ClusterRoles (and Roles of the namespace) that have it, the narrowest first."""
    grantors: tuple[str, ...]
    """``User "x"``, ``Group "y"``: who may bind such a role there."""

    @property
    def sentences(self) -> tuple[str, str, str]:
        roles = f"It is part of {_listed(self.roles)}." if self.roles else "No role here has it."
        who = _listed(self.grantors, "or") if self.grantors else 'a member of Group "system:masters"'
        return f"Missing is the rule {self.missing} {self.where}.", roles, f"Who could give it: {who}."

    def to_causes(self) -> tuple[Cause, ...]:
        missing, roles, who = self.sentences
        return Cause("RuleMissing", missing), Cause("RolesWithRule", roles), Cause("MayBeGivenBy", who)


def explain(grants: Grants, cluster: str, asked: Attributes) -> Explanation:
    """Of something that is not allowed."""
    missing = _rule(asked)
    where = f'in namespace "{asked.namespace}"' if asked.namespace else "for the whole workspace"
    return Explanation(
        _text(asked),
        where,
        tuple(_roles_with(grants, cluster, asked)),
        tuple(dict.fromkeys(_grantors(grants, cluster, asked.namespace, missing)))[:_MOST_NAMES],
    )


def _rule(asked: Attributes) -> Rule:
    if asked.path:
        return Rule(frozenset((asked.verb,)), paths=(asked.path,))
    return Rule(frozenset((asked.verb,)), frozenset((asked.group,)), frozenset((asked.resource,)))


def _text(asked: Attributes) -> str:
    if asked.path:
        return f'{{nonResourceURLs: ["{asked.path}"], verbs: ["{asked.verb}"]}}'
    return f'{{apiGroups: ["{asked.group}"], resources: ["{asked.resource}"], verbs: ["{asked.verb}"]}}'


def _roles_with(grants: Grants, cluster: str, asked: Attributes) -> Iterator[str]:
    if asked.namespace and not asked.path:
        for (namespace, name), role in sorted(grants.roles.of(cluster).items()):
            if namespace == asked.namespace and any(rule.allows(asked) for rule in role.rules):
                yield f'Role "{name}"'
    names = {name for _, name in grants.cluster_roles.of(cluster)} | set(bootstraproles.CLUSTER_ROLES)
    found = []
    for name in names - _TOO_MUCH:
        if name.startswith("system:"):
            continue
        rules = list(grants.rules_of(cluster, "ClusterRole", name, ""))
        if any(rule.allows(asked) for rule in rules):
            found.append((len(rules), name))
    for _, name in sorted(found)[:_MOST_NAMES]:
        yield f'ClusterRole "{name}"'


def _grantors(grants: Grants, cluster: str, namespace: str, missing: Rule) -> Iterator[str]:
    """Who may make bindings there, and has the rule or may bind roles that one has not."""
    binding = Attributes("create", RBAC_GROUP, "rolebindings" if namespace else "clusterrolebindings", namespace)
    any_role = Attributes("bind", RBAC_GROUP, "clusterroles", namespace)
    for place, each in _bindings(grants, cluster, namespace):
        rules = list(grants.rules_of(cluster, each.role_kind, each.role, place))
        if not _allows(rules, binding):
            continue
        if _allows(rules, any_role) or covered(missing, rules):
            yield from (_named(subject) for subject in each.subjects)


def _bindings(grants: Grants, cluster: str, namespace: str) -> Iterator[tuple[str, Binding]]:
    for (place, _), each in grants.bindings.of(cluster).items():
        if namespace and place == namespace:
            yield place, each
    for each in grants.cluster_bindings.of(cluster).values():
        yield "", each


def _allows(rules: Iterable[Rule], asked: Attributes) -> bool:
    return any(rule.allows(asked) for rule in rules)


def _named(subject: Subject) -> str:
    name = f"{subject.namespace}/{subject.name}" if subject.kind == "ServiceAccount" else subject.name
    return f'{subject.kind} "{name}"'


def _listed(names: Iterable[str], last: str = "and") -> str:
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end
