"""Who may name an export in a WorkspaceType: only who may bind it, as workspaces of the type get it bound unasked.

Source: kcp pkg/admission/workspacetype.
"""

from __future__ import annotations

from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.rbac import Attributes, Grants
from portway.apiserver.tenants import Tenants
from portway.apiserver.workspacetypes import TYPES
from portway.krm.errors import forbidden
from portway.krm.identity import Manifest


class TypeWriting:
    def __init__(self, tenants: Tenants, grants: Grants) -> None:
        self._tenants = tenants
        self._grants = grants

    async def admit(self, request: AdmissionRequest) -> None:
        """Raises StatusError 403, the same whether the export, its workspace or the permission is missing."""
        if request.resource.key != TYPES or request.object is None or request.user.is_master:
            return
        known = _exports(request.old or {})
        for path, name in _exports(request.object):
            if (path, name) not in known and not self._may_bind(request, path, name):
                named = f"{path}:{name}".lstrip(":")
                why = f"unable to create or update WorkspaceType: no permission to bind to export {named}"
                raise forbidden("workspacetypes", request.name, why, "tenancy.kcp.io")

    def _may_bind(self, request: AdmissionRequest, path: str, name: str) -> bool:
        tenant = self._tenants.resolve(path) if path else request.tenant
        asked = Attributes("bind", "apis.kcp.io", "apiexports", "", name)
        return tenant is not None and self._grants.allows(request.user, tenant.cluster, asked)


def _exports(manifest: Manifest) -> list[tuple[str, str]]:
    named = (manifest.get("spec") or {}).get("defaultAPIBindings") or ()
    return [(each.get("path") or "", each.get("export") or "") for each in named]
