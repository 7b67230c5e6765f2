"""The admission step: the rules of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from portway.apiserver.admission.builtinchecks import access, data, reports, scopes
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.rbac import RBAC_GROUP
from portway.krm.errors import Cause, invalid
from portway.krm.identity import Manifest

Check = Callable[[AdmissionRequest, Manifest], Iterator[Cause]]


class BuiltinChecks:
    async def admit(self, request: AdmissionRequest) -> None:
        check = _CHECKS.get(request.resource.key)
        manifest = request.object
        if check is None or manifest is None:
            return
        causes = tuple(check(request, manifest))
        if causes:
            gvk = request.resource.served.gvk
            raise invalid(gvk.kind, request.name, causes, gvk.group)


_CHECKS: dict[str, Check] = {
    "configmaps": data.config_map,
    "events": reports.event,
    "namespaces": scopes.namespace,
    "secrets": data.secret,
    "leases.coordination.k8s.io": reports.lease,
    f"clusterrolebindings.{RBAC_GROUP}": access.binding,
    f"rolebindings.{RBAC_GROUP}": access.binding,
    f"clusterroles.{RBAC_GROUP}": access.cluster_role,
    f"roles.{RBAC_GROUP}": access.role,
    "apiresourceschemas.apis.kcp.io": scopes.api_resource_schema,
    "apibindings.apis.kcp.io": scopes.api_binding,
    "workspaces.tenancy.kcp.io": scopes.workspace,
}
"""By the store key of the resource."""
