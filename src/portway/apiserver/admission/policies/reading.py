"""Who has a policy read objects as its params must be allowed to read them, for messages may tell what is in them.

Rules and texts: k8s.io/kubernetes pkg/registry/admissionregistration/*/authz.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.policies.definitions import Policy
from portway.apiserver.authorizing import Authorizer
from portway.apiserver.rbac import Attributes
from portway.apiserver.registry import Registry
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

Find = Callable[[str, str], Policy | None]
"""A policy by cluster and name."""
_EVERY = "*"


class _Read(NamedTuple):
    group: str
    resource: str
    problem: str
    """Why it is every group or resource that is asked for."""


class ParamReading:
    """``policies``: the policies of the bindings of a kind."""

    def __init__(self, registry: Registry, authorizer: Authorizer, policies: Mapping[str, Find]) -> None:
        self._registry = registry
        self._authorizer = authorizer
        self._policies = policies

    def check(self, request: AdmissionRequest) -> Cause | None:
        """What is forbidden of a policy or binding that is well-formed."""
        if request.user.is_master or request.object is None:
            return None
        find = self._policies.get(request.resource.served.gvk.kind)
        if find is None:
            return self._of_policy(request, request.object)
        return self._of_binding(request, request.object, find)

    def _of_policy(self, request: AdmissionRequest, manifest: Manifest) -> Cause | None:
        kind, before = (_field(each, "paramKind") for each in (manifest, request.old))
        if not kind or kind == before:
            return None
        read = self._read(request.tenant.cluster, (kind["apiVersion"], kind["kind"]))
        if self._may(request, Attributes("get", read.group, read.resource, _EVERY, _EVERY)):
            return None
        why = (
            f'user {request.user.name} must have "get" permission on all objects of the referenced paramKind '
            f"(kind={kind['kind']}, apiVersion={kind['apiVersion']})"
        )
        return causes.forbidden("spec.paramKind", why)

    def _of_binding(self, request: AdmissionRequest, manifest: Manifest, find: Find) -> Cause | None:
        ref, name = _field(manifest, "paramRef"), _field(manifest, "policyName")
        same = ref == _field(request.old, "paramRef") and name == _field(request.old, "policyName")
        if not ref or same:
            return None
        policy = find(request.tenant.cluster, name)
        if policy is None:
            read = _Read(_EVERY, _EVERY, f"unable to get policy {name}")
        else:
            read = self._read(request.tenant.cluster, policy.param_kind)
        verb = "get" if ref.get("name") else "list"
        asked = Attributes(verb, read.group, read.resource, ref.get("namespace") or "", ref.get("name") or "")
        if self._may(request, asked):
            return None
        user = f'user {request.user.name} does not have "{verb}" permission'
        why = f"{user} on the object referenced by paramRef"
        if read.problem:
            why = (
                f"{read.problem} to determine minimum required permissions and {user} for all groups, versions and "
                "resources"
            )
        return causes.forbidden("spec.paramRef", why)

    def _read(self, cluster: str, kind: tuple[str, str] | None) -> _Read:
        if kind is None:
            return _Read(_EVERY, _EVERY, "")
        for resource in self._registry.serving(cluster).resources:
            gvk = resource.served.gvk
            if (gvk.api_version, gvk.kind) == kind:
                return _Read(gvk.group, resource.served.plural, "")
        group = kind[0].rpartition("/")[0]
        return _Read(group, _EVERY, f"unable to resolve paramKind {kind[0]}, Kind={kind[1]}")

    def _may(self, request: AdmissionRequest, asked: Attributes) -> bool:
        return self._authorizer.allows(request.user, request.tenant, asked)


def _field(manifest: Manifest | None, name: str) -> Any:
    return ((manifest or {}).get("spec") or {}).get(name) or {}
