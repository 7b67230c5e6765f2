"""The maximal permission policy of an export: RBAC of the provider's workspace, asked of everybody who uses a binding.

Users and groups are asked for with a prefix, so that a provider's own users are never meant.
Source: kcp pkg/authorization/maximal_permission_policy_authorizer.go.
"""

from __future__ import annotations

from portway.apiserver import authorizing
from portway.apiserver.context import Context
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource, Source
from portway.apiserver.users import User

PREFIX = "apis.kcp.io:binding:"


def require(context: Context, request: Request, resource: Resource, verb: str) -> None:
    """Raises StatusError 403."""
    tenant, user = request.tenant, request.user
    if user.is_master or tenant is None or not resource.served.custom:
        return
    source = context.registry.serving(tenant.cluster).sources.get(resource.key)
    export = context.registry.exports.get(*source) if source is not None else None
    if source is None or export is None or not export.restricted or _own_view(request, source):
        return
    asked = authorizing.attributes_of(request.target, verb)
    if not context.authorizer.grants.allows(prefixed(user), source.cluster, asked):
        raise authorizing.denied(user, asked, "the provider of this API does not allow it")


def prefixed(user: User) -> User:
    return User(PREFIX + user.name_in(""), tuple(PREFIX + group for group in user.groups))


def _own_view(request: Request, source: Source) -> bool:
    """The provider itself comes in by its own view."""
    target = request.target
    return target.service == "apiexport" and request.view is not None and request.view.source == source
