"""APIBindings: who may bind, what status says, and the finalizer that lets the bound objects go first."""

from __future__ import annotations

from portway.apiserver import exportforms, exporting
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.exporting import BINDING_FINALIZER, BINDINGS, Reference
from portway.apiserver.rbac import Attributes, Grants
from portway.apiserver.registry import Registry
from portway.krm.errors import forbidden
from portway.krm.identity import Manifest


class BindingAdmission:
    def __init__(self, registry: Registry, grants: Grants, statuses: BindingStatuses) -> None:
        self._registry = registry
        self._grants = grants
        self._statuses = statuses

    async def admit(self, request: AdmissionRequest) -> None:
        manifest = request.object
        if manifest is not None and request.resource.key == BINDINGS and not request.subresource:
            self._bind(request, manifest)

    def _bind(self, request: AdmissionRequest, manifest: Manifest) -> None:
        reference = exporting.reference_of(manifest)
        if request.operation is Operation.CREATE and reference is not None:
            self._check(request, reference)
            finalizers = manifest["metadata"].get("finalizers") or ()
            manifest["metadata"]["finalizers"] = [*dict.fromkeys([*finalizers, BINDING_FINALIZER])]
            manifest["status"] = {}
        elif not request.user.is_master:
            _keep_finalizer(manifest, request.old or {})
        if not manifest["metadata"].get("deletionTimestamp"):
            self._tell(request.tenant.cluster, manifest)

    def _tell(self, cluster: str, manifest: Manifest) -> None:
        """Set the status, in the version of the request."""
        whole = exportforms.current(manifest)
        whole = {**whole, "status": self._statuses.of(cluster, whole)}
        manifest["status"] = exportforms.convert(whole, manifest["apiVersion"])["status"]

    def _check(self, request: AdmissionRequest, reference: Reference) -> None:
        """The same refusal whether the export, its workspace or the permission is missing."""
        if request.user.is_master:
            return
        source = self._registry.source_of(request.tenant.cluster, reference)
        asked = Attributes("bind", "apis.kcp.io", "apiexports", "", reference.name)
        if source is None or not self._grants.allows(request.user, source.cluster, asked):
            why = f"unable to create APIBinding: no permission to bind to export {reference}"
            raise forbidden(request.resource.served.plural, request.name, why, request.resource.served.gvk.group)


def _keep_finalizer(manifest: Manifest, old: Manifest) -> None:
    """Only the server takes it off: bound objects would be left behind, unserved."""
    finalizers = manifest["metadata"].get("finalizers") or []
    if (
        BINDING_FINALIZER in ((old.get("metadata") or {}).get("finalizers") or ())
        and BINDING_FINALIZER not in finalizers
    ):
        manifest["metadata"]["finalizers"] = [*finalizers, BINDING_FINALIZER]
