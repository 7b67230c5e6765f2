"""The way into ``/services/…``: who may look, at what, and in which workspace."""

from __future__ import annotations

from portway.apiserver import authn, authorizing, routing
from portway.apiserver.context import Context
from portway.apiserver.rbac import Attributes
from portway.apiserver.requests import Request
from portway.apiserver.tenants import Tenant
from portway.apiserver.views import View
from portway.apiserver.virtual import exports, lifecycles
from portway.apiserver.virtual.lifecycles import INITIALIZING, TERMINATING


async def open_view(context: Context, request: Request, asked: Attributes) -> View:
    """Sets ``request.tenant``. Raises StatusError 403."""
    target = request.target
    addressed = request.tenant
    request.tenant = _home(context, request)
    acting = authn.impersonated(request)
    if acting is not None:
        request.user = context.authorizer.require_impersonation(request, acting)
    view = _view(context, request, asked)
    request.tenant = addressed
    if target.cluster == routing.WILDCARD:
        return view
    if addressed is None or addressed.cluster != target.cluster:  # paths are not theirs to try
        raise authorizing.denied(request.user, asked, f'no access to workspace "{target.cluster}"')
    view.enter(addressed, asked)
    return view


def _home(context: Context, request: Request) -> Tenant | None:
    """The workspace that says who may look."""
    domain = request.target.domain
    return context.tenants.resolve(domain.rpartition("/" if "/" in domain else ":")[0])


def _view(context: Context, request: Request, asked: Attributes) -> View:
    domain = request.target.domain
    match request.target.service:
        case "apiexport":
            return exports.open_view(context, request, asked)
        case "initializingworkspaces":
            return lifecycles.open_view(context, request, INITIALIZING, domain, asked)
        case "terminatingworkspaces":
            return lifecycles.open_view(context, request, TERMINATING, domain, asked)
    raise authorizing.denied(request.user, asked, "there is no such service")
