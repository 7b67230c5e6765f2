"""What nobody but the server writes, whatever RBAC of a workspace says: its own place in the tree."""

from __future__ import annotations

from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.tenants import LOGICAL_CLUSTERS
from portway.krm.errors import forbidden
from portway.krm.identity import Manifest

_WORKSPACES = "workspaces.tenancy.kcp.io"
_EXPORTS = "apiexports.apis.kcp.io"
_TOLD = (_EXPORTS, "apibindings.apis.kcp.io", "apiexportendpointslices.apis.kcp.io")
"""Kinds whose status is the server's word."""


def check_write(request: Request, resource: Resource, old: Manifest | None, new: Manifest) -> None:
    """Raises StatusError 403."""
    if request.view is not None:
        request.view.check_write(resource, old, new)
        return
    if resource.key == _EXPORTS and old is not None:
        _keep_identity(old, new)
    if request.user.is_master or old is None:
        return
    is_status = request.target.subresource == "status"
    if resource.key in _TOLD and is_status:
        why = f"{resource.served.singular} status updates not permitted"
        raise forbidden(resource.served.plural, request.target.name, why, resource.served.gvk.group)
    if resource.key == LOGICAL_CLUSTERS or (resource.key == _WORKSPACES and is_status):
        why = "only the controllers of the workspace's type change it, below /services/initializingworkspaces"
        raise forbidden(resource.served.plural, request.target.name, why, resource.served.gvk.group)


def _keep_identity(old: Manifest, new: Manifest) -> None:
    """An export keeps its identity for good; a claim of others may name it."""
    before = (old.get("status") or {}).get("identityHash")
    if before:
        new["status"] = {**(new.get("status") or {}), "identityHash": before}
