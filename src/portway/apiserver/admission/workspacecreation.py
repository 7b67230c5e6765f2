"""Creation of a Workspace makes its logical cluster with all contents in the same commit; it is Ready at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from portway.apiserver import clocks, objects
from portway.apiserver.admission import contents
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.registry import Reference, Registry
from portway.apiserver.settings import Settings
from portway.apiserver.storing import Storage
from portway.apiserver.tenants import Tenant, Tenants
from portway.krm.errors import not_found
from portway.krm.identity import Manifest
from portway.store.contract import Key

WORKSPACES = "workspaces.tenancy.kcp.io"
TYPES = "workspacetypes.tenancy.kcp.io"
FINALIZER = "core.kcp.io/logicalcluster"
UNIVERSAL = "universal"
CLAIMS_EXPORT = "resources.portway.dev"
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class WorkspaceCreation:
    def __init__(
        self, storage: Storage, tenants: Tenants, registry: Registry, settings: Settings, now: clocks.Now
    ) -> None:
        self._storage = storage
        self._tenants = tenants
        self._registry = registry
        self._settings = settings
        self._now = now

    async def admit(self, request: AdmissionRequest) -> None:
        manifest = request.object
        if request.resource.key != WORKSPACES or request.operation is not Operation.CREATE or manifest is None:
            return
        type_ = self._type_reference(request, manifest)
        tenant = Tenant(_logical_cluster_id(), f"{request.tenant.path}:{request.name}")
        url = f"{self._settings.external_url}/clusters/{tenant.path}"
        now = clocks.stamp(self._now())
        manifest["spec"] = {**(manifest.get("spec") or {}), "type": type_, "cluster": tenant.cluster, "URL": url}
        manifest["status"] = {"phase": "Ready", "conditions": [_ready(now)]}
        fields = manifest["metadata"]
        fields["finalizers"] = [*dict.fromkeys([*(fields.get("finalizers") or ()), FINALIZER])]
        owner = {
            "apiVersion": "tenancy.kcp.io/v1alpha1",
            "resource": "workspaces",
            "name": request.name,
            "cluster": request.tenant.cluster,
            "uid": fields["uid"],
        }
        birth = contents.Birth(
            tenant=tenant,
            url=url,
            type=type_,
            bindings=[
                (ref, self._registry.reference_status(tenant.cluster, ref)) for ref in self._exports(request, type_)
            ],
            creator=None if request.user.is_master else request.user,
            owner=owner,
            ca_certificate=self._settings.ca_certificate,
            now=now,
        )
        request.also.extend(contents.changes(birth))

    def _type_reference(self, request: AdmissionRequest, manifest: Manifest) -> Manifest:
        """{name, path} of the type asked for, found in the named workspace or the nearest one upwards."""
        asked = (manifest.get("spec") or {}).get("type") or {}
        name = asked.get("name") or UNIVERSAL
        where = [request.tenant, *self._tenants.ancestors(request.tenant.path)]
        if asked.get("path"):
            named = self._tenants.resolve(asked["path"])
            where = [named] if named else []
        for tenant in where:
            if self._type(tenant.cluster, name) is not None:
                return {"name": name, "path": tenant.path}
        raise not_found("workspacetypes", name, "tenancy.kcp.io")

    def _type(self, cluster: str, name: str) -> Manifest | None:
        record = self._storage.get(Key(TYPES, cluster, "", name))
        return objects.decode(record.value) if record is not None else None

    def _exports(self, request: AdmissionRequest, type_: Manifest) -> list[Reference]:
        """Exports of the type, the types it extends and ``universal``, and claims of the nearest ancestors."""
        found = dict.fromkeys(self._of_type(type_.get("path", "root"), type_["name"], set()))
        found.update(dict.fromkeys(self._of_type("root", UNIVERSAL, set())))
        nearest = (request.tenant, *self._tenants.ancestors(request.tenant.path))
        for tenant in nearest:
            if self._registry.exports.get(tenant.cluster, CLAIMS_EXPORT) is not None:
                found[Reference(tenant.path, CLAIMS_EXPORT)] = None
                break
        by_name = {reference.name: reference for reference in reversed(list(found))}
        return list(by_name.values())

    def _of_type(self, path: str, name: str, seen: set[tuple[str, str]]) -> Iterator[Reference]:
        tenant = self._tenants.resolve(path)
        manifest = self._type(tenant.cluster, name) if tenant else None
        if manifest is None or (path, name) in seen:
            return
        seen.add((path, name))
        spec = manifest.get("spec") or {}
        for binding in spec.get("defaultAPIBindings") or ():
            yield Reference(binding.get("path") or path, binding["export"])
        for extended in (spec.get("extend") or {}).get("with") or ():
            yield from self._of_type(extended.get("path") or path, extended["name"], seen)


def _logical_cluster_id() -> str:
    return secrets.choice(_ID_ALPHABET[:26]) + "".join(secrets.choice(_ID_ALPHABET) for _ in range(15))


def _ready(now: str) -> Manifest:
    return {"type": "WorkspaceScheduled", "status": "True", "lastTransitionTime": now}
