"""Which requests the audit log tells of, and how much: ``audit.k8s.io/v1`` Policy, with upstream's rules of matching.

Source: k8s.io/apiserver pkg/audit/policy. The first rule that matches decides; none means nothing is logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from portway.krm.identity import Manifest


class PolicyError(Exception):
    """The policy cannot be used; the message names the field."""


class Level(IntEnum):
    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3

    @property
    def text(self) -> str:
        return _LEVEL_TEXTS[self]


_LEVEL_TEXTS = {
    Level.NONE: "None",
    Level.METADATA: "Metadata",
    Level.REQUEST: "Request",
    Level.REQUEST_RESPONSE: "RequestResponse",
}
_LEVELS = {text: level for level, text in _LEVEL_TEXTS.items()}
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")


class Asked(NamedTuple):
    """What a rule looks at. ``path`` is empty for resources."""

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Verdict(NamedTuple):
    level: Level
    omitted: frozenset[str]
    """Stages that are not logged."""
    omit_managed_fields: bool


NOTHING = Verdict(Level.NONE, frozenset(), False)


@dataclass(frozen=True, slots=True)
class Resources:
    group: str
    resources: tuple[str, ...]
    names: tuple[str, ...]

    def match(self, asked: Asked) -> bool:
        if self.group != asked.group:
            return False
        if not self.resources:
            return True
        if self.names and asked.name not in self.names:
            return False
        whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        wanted = {whole, "*", f"{asked.resource}/*"}
        if asked.subresource:
            wanted.add(f"*/{asked.subresource}")
        return not wanted.isdisjoint(self.resources)


@dataclass(frozen=True, slots=True)
class Rule:
    verdict: Verdict
    users: frozenset[str]
    groups: frozenset[str]
    verbs: frozenset[str]
    resources: tuple[Resources, ...]
    namespaces: frozenset[str]
    paths: tuple[str, ...]

    def matches(self, asked: Asked) -> bool:
        if self.users and asked.user not in self.users:
            return False
        if self.groups and self.groups.isdisjoint(asked.groups):
            return False
        if self.verbs and asked.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return not asked.path and self._matches_resource(asked)
        if self.paths:
            return bool(asked.path) and any(_path_matches(pattern, asked.path) for pattern in self.paths)
        return True

    def _matches_resource(self, asked: Asked) -> bool:
        if self.namespaces and asked.namespace not in self.namespaces:
            return False
        return not self.resources or any(each.match(asked) for each in self.resources)


@dataclass(frozen=True, slots=True)
class Policy:
    rules: tuple[Rule, ...]

    @property
    def asks_for_names(self) -> bool:
        return any(resources.names for rule in self.rules for resources in rule.resources)

    def judge(self, asked: Asked) -> Verdict:
        for rule in self.rules:
            if rule.matches(asked):
                return rule.verdict
        return NOTHING


def parse(manifest: Manifest) -> Policy:
    """Raises PolicyError."""
    if manifest.get("kind") != "Policy" or manifest.get("apiVersion") != "audit.k8s.io/v1":
        said = f"{manifest.get('apiVersion')} {manifest.get('kind')}"
        raise PolicyError(f"it is {said}, expected audit.k8s.io/v1 Policy")
    omitted = _stages(manifest, "omitStages")
    managed = bool(manifest.get("omitManagedFields"))
    rules = manifest.get("rules")
    if not isinstance(rules, list) or not rules:
        raise PolicyError("rules: at least one is needed")
    return Policy(tuple(_rule(rule, f"rules[{i}]", omitted, managed) for i, rule in enumerate(rules)))


def _rule(rule: Any, where: str, omitted: frozenset[str], managed: bool) -> Rule:
    if not isinstance(rule, Mapping):
        raise PolicyError(f"{where}: expected a mapping")
    unknown = rule.keys() - _FIELDS
    if unknown:
        raise PolicyError(f"{where}.{min(unknown)}: there is no such field")
    level = _LEVELS.get(rule.get("level", ""))
    if level is None:
        raise PolicyError(f"{where}.level: {rule.get('level')!r}, expected one of {', '.join(_LEVELS)}")
    paths = _texts(rule, "nonResourceURLs", where)
    if paths and (rule.get("resources") or rule.get("namespaces")):
        raise PolicyError(f"{where}.nonResourceURLs: rules cannot apply to both resources and other URLs")
    for path in paths:
        if path != "*" and (not path.startswith("/") or "*" in path[:-1]):
            raise PolicyError(f"{where}.nonResourceURLs: {path!r}, expected * or a path with * at its end at most")
    stages = omitted | _stages(rule, "omitStages", where)
    without_managed = bool(rule.get("omitManagedFields", managed))
    return Rule(
        Verdict(level, stages, without_managed),
        frozenset(_texts(rule, "users", where)),
        frozenset(_texts(rule, "userGroups", where)),
        frozenset(_texts(rule, "verbs", where)),
        tuple(_resources(each, f"{where}.resources[{i}]") for i, each in enumerate(rule.get("resources") or ())),
        frozenset(_texts(rule, "namespaces", where)),
        tuple(paths),
    )


_FIELDS = frozenset(
    (
        "level",
        "users",
        "userGroups",
        "verbs",
        "resources",
        "namespaces",
        "nonResourceURLs",
        "omitStages",
        "omitManagedFields",
    )
)


def _resources(entry: Any, where: str) -> Resources:
    if not isinstance(entry, Mapping):
        raise PolicyError(f"{where}: expected a mapping with group and resources")
    group = str(entry.get("group") or "")
    if "/" in group:
        raise PolicyError(f"{where}.group: {group!r}, expected a group without its version")
    resources, names = _texts(entry, "resources", where), _texts(entry, "resourceNames", where)
    if names and not resources:
        raise PolicyError(f"{where}.resourceNames: using names requires at least one resource")
    return Resources(group, tuple(resources), tuple(names))


def _stages(entry: Mapping[str, Any], field: str, where: str = "") -> frozenset[str]:
    stages = _texts(entry, field, where)
    for stage in stages:
        if stage not in STAGES:
            raise PolicyError(f"{where}.{field}: {stage!r}, expected one of {', '.join(STAGES)}".lstrip("."))
    return frozenset(stages)


def _texts(entry: Mapping[str, Any], field: str, where: str) -> Sequence[str]:
    values = entry.get(field) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise PolicyError(f"{where}.{field}: expected a list of texts".lstrip("."))
    return values


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


DEFAULT: Manifest = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "None", "resources": [{"group": "coordination.k8s.io"}, {"group": "events.k8s.io"}]},
        {"level": "None", "resources": [{"group": "", "resources": ["events"]}]},
        {
            "level": "None",
            "resources": [
                {"group": "authorization.k8s.io"},
                {"group": "authentication.k8s.io", "resources": ["selfsubjectreviews"]},
            ],
        },
        {"level": "Metadata"},
    ],
}
"""All changes by everybody, without what they contain; no reads, questions, leases and events."""
