"""Which kinds have rules of their own; asked with the validation of every write."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from portway.apiserver.admission.builtinchecks import access, data, reports, scopes
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.rbac import RBAC_GROUP
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

Check = Callable[[AdmissionRequest, Manifest], Iterator[Cause]]


def check(request: AdmissionRequest, manifest: Manifest) -> tuple[Cause, ...]:
    check_kind = _CHECKS.get(request.resource.key)
    return tuple(check_kind(request, manifest)) if check_kind is not None else ()


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
    "workspaces.tenancy.kcp.io": scopes.workspace,
    "workspacetypes.tenancy.kcp.io": scopes.workspace_type,
}
"""By the store key of the resource."""
