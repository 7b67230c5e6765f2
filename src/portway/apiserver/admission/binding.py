"""APIBindings, and types of workspaces that make some: who may bind, what status says, and the finalizer.

The finalizer lets the bound objects go first.
"""

from __future__ import annotations

from portway.apiserver import exporting
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.exporting import BINDING_FINALIZER, BINDINGS, Reference
from portway.apiserver.rbac import Attributes, Grants
from portway.apiserver.registry import Registry
from portway.apiserver.tenants import Tenants
from portway.apiserver.workspacetypes import TYPES, UNIVERSAL
from portway.krm.errors import forbidden
from portway.krm.identity import Manifest
from portway.tenancy.rules import TypeReference


class BindingAdmission:
    def __init__(self, registry: Registry, tenants: Tenants, grants: Grants, statuses: BindingStatuses) -> None:
        self._registry = registry
        self._tenants = tenants
        self._grants = grants
        self._statuses = statuses

    async def admit(self, request: AdmissionRequest) -> None:
        manifest = request.object
        if manifest is None:
            return
        if request.resource.key == TYPES:
            self._check_type(request, manifest)
        elif request.resource.key == BINDINGS and request.subresource:
            if not request.user.is_master:
                manifest["status"] = (request.old or {}).get("status") or {}  # what is bound, the server says
        elif request.resource.key == BINDINGS:
            self._bind(request, manifest)

    def _bind(self, request: AdmissionRequest, manifest: Manifest) -> None:
        reference = exporting.reference_of(manifest)
        if request.operation is Operation.CREATE and reference is not None:
            self._check(request, reference, "create APIBinding")
            finalizers = manifest["metadata"].get("finalizers") or ()
            manifest["metadata"]["finalizers"] = [*dict.fromkeys([*finalizers, BINDING_FINALIZER])]
            manifest["status"] = {}
        elif not request.user.is_master:
            _keep_finalizer(manifest, request.old or {})
        if not manifest["metadata"].get("deletionTimestamp"):
            manifest["status"] = self._statuses.of(request.tenant.cluster, manifest)

    def _check_type(self, request: AdmissionRequest, manifest: Manifest) -> None:
        """What a type binds in the workspaces of it its maker must be allowed to bind, and to use what it extends."""
        if request.user.is_master:
            return
        old = request.old or {}
        for reference in sorted(_defaults(manifest) - _defaults(old)):
            self._check(request, reference, "have the type bind")
        for type_ in sorted(_extended(manifest, request.tenant.path) - _extended(old, request.tenant.path)):
            home = self._tenants.resolve(type_.path)
            asked = Attributes("use", "tenancy.kcp.io", "workspacetypes", "", type_.name)
            if home is None or not self._grants.allows(request.user, home.cluster, asked):
                why = f"unable to extend workspace type {type_}: missing verb='use' permission on workspacetype"
                raise forbidden(request.resource.served.plural, request.name, why, request.resource.served.gvk.group)

    def _check(self, request: AdmissionRequest, reference: Reference, what: str) -> None:
        """The same refusal whether the export, its workspace or the permission is missing."""
        if request.user.is_master:
            return
        source = self._registry.source_of(request.tenant.cluster, reference)
        asked = Attributes("bind", "apis.kcp.io", "apiexports", "", reference.name)
        if source is None or not self._grants.allows(request.user, source.cluster, asked):
            why = f"unable to {what}: no permission to bind to export {reference}"
            raise forbidden(request.resource.served.plural, request.name, why, request.resource.served.gvk.group)


def _defaults(manifest: Manifest) -> frozenset[Reference]:
    listed = (manifest.get("spec") or {}).get("defaultAPIBindings") or ()
    return frozenset(Reference(each.get("path") or "", each.get("export") or "") for each in listed)


def _extended(manifest: Manifest, home: str) -> frozenset[TypeReference]:
    """Of other workspaces than its own, and than root, whose types are for everybody."""
    listed = ((manifest.get("spec") or {}).get("extend") or {}).get("with") or ()
    found = (TypeReference(each.get("path") or home, each.get("name") or "") for each in listed)
    return frozenset(each for each in found if each.path not in (home, UNIVERSAL.path))


def _keep_finalizer(manifest: Manifest, old: Manifest) -> None:
    """Only the server takes it off: bound objects would be left behind, unserved."""
    finalizers = manifest["metadata"].get("finalizers") or []
    if (
        BINDING_FINALIZER in ((old.get("metadata") or {}).get("finalizers") or ())
        and BINDING_FINALIZER not in finalizers
    ):
        manifest["metadata"]["finalizers"] = [*finalizers, BINDING_FINALIZER]
