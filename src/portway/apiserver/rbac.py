"""Role-based access per workspace: what the roles and bindings there, and the bootstrap roles everywhere, allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from portway.apiserver import bootstraproles
from portway.apiserver.following import Follower
from portway.apiserver.users import User
from portway.krm import selectors
from portway.krm.identity import Manifest
from portway.store.contract import Key, Reads

RBAC_GROUP = "rbac.authorization.k8s.io"


class Attributes(NamedTuple):
    """What is asked. Either ``path`` (non-resource) or the rest is set. ``resource`` carries its subresource."""

    verb: str
    group: str = ""
    resource: str = ""
    """``configmaps`` or ``widgets/status``."""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    verbs: frozenset[str]
    groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: Manifest) -> Rule:
        return cls(
            frozenset(rule.get("verbs") or ()),
            frozenset(rule.get("apiGroups") or ()),
            frozenset(rule.get("resources") or ()),
            frozenset(rule.get("resourceNames") or ()),
            tuple(rule.get("nonResourceURLs") or ()),
        )

    def allows(self, asked: Attributes) -> bool:
        if asked.verb not in self.verbs and "*" not in self.verbs:
            return False
        if asked.path:
            return any(_path_matches(pattern, asked.path) for pattern in self.paths)
        if not self._covers_group(asked.group):
            return False
        return self._covers_resource(asked.resource) and (not self.names or asked.name in self.names)

    def _covers_group(self, group: str) -> bool:
        if group in self.groups or "*" in self.groups:
            return True
        # Only bootstrap roles say "*.portway.dev"; upstream has no such pattern.
        return group.endswith(".portway.dev") and bootstraproles.PORTWAY_GROUPS in self.groups

    def _covers_resource(self, resource: str) -> bool:
        if resource in self.resources or "*" in self.resources:
            return True
        _, slash, subresource = resource.partition("/")
        return bool(slash) and f"*/{subresource}" in self.resources

    def to_manifest(self) -> Manifest:
        fields = {
            "verbs": self.verbs,
            "apiGroups": self.groups,
            "resources": self.resources,
            "resourceNames": self.names,
            "nonResourceURLs": self.paths,
        }
        return {key: sorted(values) for key, values in fields.items() if values}


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


@dataclass(frozen=True, slots=True)
class Role:
    rules: tuple[Rule, ...]
    labels: Mapping[str, str]
    aggregates: tuple[Manifest, ...] = ()
    """Label selectors of the ClusterRoles whose rules this one has too."""


class Subject(NamedTuple):
    kind: str
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Binding:
    role_kind: str
    role: str
    subjects: tuple[Subject, ...]

    def binds(self, user: User, cluster: str, default_namespace: str) -> bool:
        return any(_is_subject(subject, user, cluster, default_namespace) for subject in self.subjects)


def _is_subject(subject: Subject, user: User, cluster: str, default_namespace: str) -> bool:
    if subject.kind == "Group":
        return subject.name in user.groups and _at_home(user, cluster)
    if subject.kind == "User":
        return subject.name == user.name and _at_home(user, cluster)
    namespace = subject.namespace or default_namespace
    return user.name == f"system:serviceaccount:{namespace}:{subject.name}" and _at_home(user, cluster)


def _at_home(user: User, cluster: str) -> bool:
    return (not user.home or user.home == cluster) and (not user.scope or user.scope == cluster)


class Grants:
    """``rules_for`` lists what a user may do in a workspace; ``allows`` decides one question."""

    def __init__(self, cache: Reads) -> None:
        self.cluster_roles: Follower[Role] = Follower(cache, f"clusterroles.{RBAC_GROUP}", _role, self._changed)
        self.roles: Follower[Role] = Follower(cache, f"roles.{RBAC_GROUP}", _role, self._changed)
        self.cluster_bindings: Follower[Binding] = Follower(
            cache, f"clusterrolebindings.{RBAC_GROUP}", _binding, self._changed
        )
        self.bindings: Follower[Binding] = Follower(cache, f"rolebindings.{RBAC_GROUP}", _binding, self._changed)
        self._decided: dict[str, dict[tuple[str, tuple[str, ...], str, str, str, Attributes], bool]] = {}

    @property
    def followers(self) -> tuple[Follower[Any], ...]:
        return (self.cluster_roles, self.roles, self.cluster_bindings, self.bindings)

    def allows(self, user: User, cluster: str, asked: Attributes) -> bool:
        if user.is_master:
            return True
        decided = self._decided.setdefault(cluster, {})
        question = (user.name, user.groups, user.home, user.scope, user.admin_of, asked)
        answer = decided.get(question)
        if answer is None:
            if len(decided) >= 1024:
                decided.clear()
            answer = decided[question] = self._decide(user, cluster, asked)
        return answer

    def _decide(self, user: User, cluster: str, asked: Attributes) -> bool:
        return any(rule.allows(asked) for rule in self.rules_for(user, cluster, asked.namespace))

    def rules_for(self, user: User, cluster: str, namespace: str) -> Iterator[Rule]:
        """All rules that hold for the user cluster-wide and, when given, in the namespace."""
        yield from _bootstrap_rules(user)
        if user.admin_of == cluster:
            yield from bootstrap_rules_of("cluster-admin")
        for binding in self.cluster_bindings.of(cluster).values():
            if binding.binds(user, cluster, ""):
                yield from self.rules_of(cluster, "ClusterRole", binding.role, "")
        if not namespace:
            return
        for (where, _), binding in self.bindings.of(cluster).items():
            if where == namespace and binding.binds(user, cluster, namespace):
                for rule in self.rules_of(cluster, binding.role_kind, binding.role, namespace):
                    if not rule.paths:
                        yield rule

    def rules_of(self, cluster: str, kind: str, name: str, namespace: str) -> Iterable[Rule]:
        if kind == "Role":
            role = self.roles.get(cluster, name, namespace)
            return role.rules if role else ()
        role = self.cluster_roles.get(cluster, name)
        own = tuple(self._aggregated(cluster, role)) if role else ()
        return (*own, *bootstrap_rules_of(name), *self._joined(cluster, name))

    def role_exists(self, cluster: str, kind: str, name: str, namespace: str) -> bool:
        if kind == "Role":
            return self.roles.get(cluster, name, namespace) is not None
        return self.cluster_roles.get(cluster, name) is not None or name in bootstraproles.CLUSTER_ROLES

    def _aggregated(self, cluster: str, role: Role) -> Iterator[Rule]:
        if not role.aggregates:
            yield from role.rules  # of an aggregating one they are but written there, for people to read
        for selector in role.aggregates:
            matching = selectors.labels_from(selector)
            for other in self.cluster_roles.of(cluster).values():
                if other is not role and matching.matches(other.labels):
                    yield from other.rules

    def _joined(self, cluster: str, name: str) -> Iterator[Rule]:
        """Rules of ClusterRoles labelled to be aggregated into a bootstrap role."""
        if name not in bootstraproles.AGGREGATED:
            return
        for role in self.cluster_roles.of(cluster).values():
            if role.labels.get(f"{RBAC_GROUP}/aggregate-to-{name}") == "true":
                yield from role.rules

    def _changed(self, key: Key) -> None:
        self._decided.pop(key.cluster, None)


_BOOTSTRAP_RULES: dict[str, tuple[Rule, ...]] = {
    name: tuple(Rule.of(rule) for rule in rules) for name, rules in bootstraproles.CLUSTER_ROLES.items()
}


def bootstrap_rules_of(name: str) -> tuple[Rule, ...]:
    return _BOOTSTRAP_RULES.get(name, ())


def _bootstrap_rules(user: User) -> Iterator[Rule]:
    for group in user.groups:
        for name in bootstraproles.BOUND_TO_GROUPS.get(group, ()):
            yield from _BOOTSTRAP_RULES[name]


def _role(_key: Key, _revision: int, manifest: Manifest) -> Role:
    rules = tuple(Rule.of(rule) for rule in manifest.get("rules") or ())
    aggregation = manifest.get("aggregationRule") or {}
    labels = manifest["metadata"].get("labels") or {}
    return Role(rules, labels, tuple(aggregation.get("clusterRoleSelectors") or ()))


def _binding(_key: Key, _revision: int, manifest: Manifest) -> Binding:
    ref = manifest.get("roleRef") or {}
    subjects = tuple(
        Subject(s.get("kind", ""), s.get("name", ""), s.get("namespace", "")) for s in manifest.get("subjects") or ()
    )
    return Binding(ref.get("kind", ""), ref.get("name", ""), subjects)
