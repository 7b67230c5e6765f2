"""Namespaces must be there, and not on their way out, for what is created in them."""

from __future__ import annotations

from portway.apiserver import objects, tokens
from portway.apiserver.admission import publishing
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.storing import Storage
from portway.apiserver.tenants import LOGICAL_CLUSTERS
from portway.krm.errors import Cause, StatusError, forbidden, not_found
from portway.store.contract import Key

PROTECTED = frozenset(("default", "kube-system", "kube-public"))
PROTECTED_IN_ROOT = PROTECTED | {tokens.NAMESPACE, publishing.NAMESPACE}
"""Tokens, keys and the identities of Portway's own exports lie there: without them nobody could log in."""


class NamespaceLifecycle:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def admit(self, request: AdmissionRequest) -> None:
        if request.resource.key == LOGICAL_CLUSTERS and request.operation is not Operation.UPDATE:
            why = "a logical cluster is made and deleted with its Workspace"
            raise forbidden("logicalclusters", request.name, why, "core.kcp.io")
        if request.operation is Operation.DELETE:
            self._protect(request)
        elif request.operation is Operation.CREATE and request.namespace and request.resource.served.namespaced:
            self._check_alive(request)

    def _protect(self, request: AdmissionRequest) -> None:
        protected = PROTECTED_IN_ROOT if request.tenant.cluster == "root" else PROTECTED
        if request.resource.key == "namespaces" and request.name in protected:
            raise forbidden("namespaces", request.name, "this namespace may not be deleted")

    def _check_alive(self, request: AdmissionRequest) -> None:
        namespace = request.namespace
        record = self._storage.get(Key("namespaces", request.tenant.cluster, "", namespace))
        if record is None:
            raise not_found("namespaces", namespace)
        if b'"deletionTimestamp"' not in record.value:
            return
        if objects.decode(record.value)["metadata"].get("deletionTimestamp"):
            served = request.resource.served
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            error: StatusError = forbidden(served.plural, request.name, why, served.gvk.group)
            error.causes = (
                Cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace"),
            )
            raise error
