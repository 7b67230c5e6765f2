"""The objects that parametrise a policy for one binding and one request."""

from __future__ import annotations

from portway.apiserver import objects
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.policies.definitions import Binding, Policy
from portway.apiserver.admission.policies.expressions import Failure
from portway.apiserver.registry import Registry
from portway.apiserver.resources import Resource
from portway.apiserver.storing import Storage
from portway.apiserver.tokens import is_vault
from portway.krm.identity import Manifest
from portway.krm.selectors import labels_from


class Params:
    def __init__(self, storage: Storage, registry: Registry) -> None:
        self._storage = storage
        self._registry = registry

    async def of(self, policy: Policy, binding: Binding, request: AdmissionRequest) -> list[Manifest | None]:
        """One None where the policy takes none. Raises Failure with upstream's text."""
        ref = binding.param_ref
        if policy.param_kind is None or ref is None:
            return [None]
        resource = self._resource(request.tenant.cluster, *policy.param_kind)
        namespace = _namespace(resource, ref, request)
        found = await self._find(resource, request.tenant.cluster, namespace, ref)
        if not found and ref.get("parameterNotFoundAction") == "Deny":
            raise Failure(
                "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        return list(found)

    def _resource(self, cluster: str, api_version: str, kind: str) -> Resource:
        for resource in self._registry.serving(cluster).resources:
            gvk = resource.served.gvk
            if gvk.api_version == api_version and gvk.kind == kind:
                return resource
        raise Failure(f"failed to configure binding: paramKind kind `{api_version}, Kind={kind}` not known")

    async def _find(self, resource: Resource, cluster: str, namespace: str, ref: Manifest) -> list[Manifest]:
        api_version = resource.served.gvk.api_version
        if is_vault(cluster, namespace):
            return []
        if ref.get("name"):
            record = self._storage.get(objects.key_of(resource, cluster, namespace, ref["name"]))
            return [{**objects.decode(record.value), "apiVersion": api_version}] if record is not None else []
        selector = labels_from(ref.get("selector") or {})
        where = namespace if resource.served.namespaced else None
        page = await self._storage.list(resource.key, cluster, where)
        found = ({**objects.decode(record.value), "apiVersion": api_version} for record in page.records)
        return [m for m in found if selector.matches(m["metadata"].get("labels") or {})]


def _namespace(resource: Resource, ref: Manifest, request: AdmissionRequest) -> str:
    if not resource.served.namespaced:
        if ref.get("namespace"):
            raise Failure(
                "failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        return ""
    namespace = ref.get("namespace") or request.namespace
    if not namespace:
        raise Failure(
            "failed to configure binding: cannot use namespaced paramRef in policy binding that matches "
            "cluster-scoped resources"
        )
    return str(namespace)
