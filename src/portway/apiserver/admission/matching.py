"""Which requests a policy or a webhook is about.

Rules: k8s.io/apiserver pkg/admission/plugin/{policy/matching,webhook/predicates}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portway.apiserver import objects
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.registry import Registry
from portway.apiserver.resources import Resource
from portway.apiserver.storing import Storage
from portway.apiserver.tokens import is_vault
from portway.krm.identity import Manifest
from portway.krm.selectors import LabelSelector, labels_from
from portway.store.contract import Key

EXEMPT_GROUP = "admissionregistration.k8s.io"
"""What is said here holds for everything but itself, so that a bad policy can be taken away."""


def is_exempt(request: AdmissionRequest) -> bool:
    """Whether no policy and no webhook has to do with it; nor has any with tokens and keys, which not all of those who
    make policies may see.
    """
    return request.resource.served.gvk.group == EXEMPT_GROUP or is_vault(request.tenant.cluster, request.namespace)


@dataclass(frozen=True, slots=True)
class Rule:
    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    """(resource, subresource) pairs; ``*`` is any."""
    scope: str
    names: frozenset[str]

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Rule:
        pairs = ((text.partition("/")[0], text.partition("/")[2]) for text in rule.get("resources") or ())
        return cls(
            frozenset(rule.get("operations") or ()),
            frozenset(rule.get("apiGroups") or ()),
            frozenset(rule.get("apiVersions") or ()),
            tuple(pairs),
            rule.get("scope") or "*",
            frozenset(rule.get("resourceNames") or ()),
        )

    def matches(self, request: AdmissionRequest, resource: Resource) -> bool:
        gvk = resource.served.gvk
        return (
            _holds(self.operations, request.operation)
            and _holds(self.groups, gvk.group)
            and _holds(self.versions, gvk.version)
            and any(_is(r, resource.served.plural) and _is(s, request.subresource) for r, s in self.resources)
            and self.scope in ("*", "Namespaced" if resource.served.namespaced else "Cluster")
            and (not self.names or request.name in self.names)
        )


def _holds(allowed: frozenset[str], value: str) -> bool:
    return value in allowed or "*" in allowed


def _is(pattern: str, value: str) -> bool:
    return pattern in ("*", value)


@dataclass(frozen=True, slots=True)
class Criteria:
    """``matchConstraints``, ``matchResources``, or the same fields of a webhook."""

    rules: tuple[Rule, ...] | None
    """None: no rules given, which means every request."""
    excluded: tuple[Rule, ...]
    namespaces: LabelSelector | None
    objects: LabelSelector | None
    equivalent: bool

    @classmethod
    def of(cls, spec: Mapping[str, Any], rules: str = "resourceRules") -> Criteria:
        """Raises StatusError for a bad selector."""
        listed = spec.get(rules)
        return cls(
            tuple(map(Rule.of, listed)) if listed else None,
            tuple(map(Rule.of, spec.get("excludeResourceRules") or ())),
            _selector(spec.get("namespaceSelector")),
            _selector(spec.get("objectSelector")),
            (spec.get("matchPolicy") or "Equivalent") == "Equivalent",
        )


def _selector(value: Any) -> LabelSelector | None:
    return labels_from(value) if value and any(value.values()) else None


class Matcher:
    def __init__(self, storage: Storage, registry: Registry) -> None:
        self._storage = storage
        self._registry = registry

    def match(self, criteria: Criteria, request: AdmissionRequest) -> AdmissionRequest | None:
        """The request as the policy sees it (maybe in another version of the resource), or None."""
        if criteria.namespaces is not None and not self._in_namespaces(criteria.namespaces, request):
            return None
        if criteria.objects is not None and not _is_object(criteria.objects, request):
            return None
        if self._by_rules(criteria.excluded, request, criteria.equivalent) is not None:
            return None
        return request if criteria.rules is None else self._by_rules(criteria.rules, request, criteria.equivalent)

    def _by_rules(self, rules: Sequence[Rule], request: AdmissionRequest, equivalent: bool) -> AdmissionRequest | None:
        if any(rule.matches(request, request.resource) for rule in rules):
            return request
        if not equivalent or not rules:
            return None
        for other in self._equivalents(request):
            if any(rule.matches(request, other) for rule in rules):
                return in_version(request, other)
        return None

    def _equivalents(self, request: AdmissionRequest) -> list[Resource]:
        found = self._registry.serving(request.tenant.cluster).resources
        return [r for r in found if r.key == request.resource.key and r is not request.resource]

    def namespace_of(self, request: AdmissionRequest) -> Manifest | None:
        """The Namespace object a request is in; None for cluster-scoped ones."""
        if not request.namespace or not request.resource.served.namespaced:
            return None
        record = self._storage.get(Key("namespaces", request.tenant.cluster, "", request.namespace))
        return objects.decode(record.value) if record is not None else None

    def _in_namespaces(self, selector: LabelSelector, request: AdmissionRequest) -> bool:
        if request.resource.key == "namespaces":
            return selector.matches(_labels(request.object or request.old))
        if not request.resource.served.namespaced:
            return True
        return selector.matches(_labels(self.namespace_of(request)))


def in_version(request: AdmissionRequest, resource: Resource) -> AdmissionRequest:
    """The same request for another version of the resource, on copies of its objects."""
    api_version = resource.served.gvk.api_version
    return replace(
        request,
        resource=resource,
        object={**request.object, "apiVersion": api_version} if request.object is not None else None,
        old={**request.old, "apiVersion": api_version} if request.old is not None else None,
    )


def _labels(manifest: Manifest | None) -> dict[str, str]:
    return dict(((manifest or {}).get("metadata") or {}).get("labels") or {})


def _is_object(selector: LabelSelector, request: AdmissionRequest) -> bool:
    """Either the old or the new object, so that a policy cannot be escaped by changing labels."""
    return any(selector.matches(_labels(m)) for m in (request.object, request.old) if m is not None)
