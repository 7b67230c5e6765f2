"""May this request be made, and if not, in upstream's words why not."""

from __future__ import annotations

import dataclasses

from portway.apiserver.authn import Impersonation
from portway.apiserver.explaining import explain
from portway.apiserver.rbac import Attributes, Grants
from portway.apiserver.requests import Request
from portway.apiserver.routing import ROOT, Target
from portway.apiserver.tenants import Tenant
from portway.apiserver.tokens import is_vault
from portway.apiserver.users import MASTERS, SYSTEM, User
from portway.krm import selectors
from portway.krm.errors import Cause, StatusError, forbidden

ACCESS = Attributes("access", path="/")
_WHO_AM_I = Attributes("create", "authentication.k8s.io", "selfsubjectreviews")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


def verb_of(request: Request) -> str:
    """The RBAC verb: GET splits by what it asks."""
    target = request.target
    if not target.is_resource:
        return {"GET": "get", "HEAD": "get", **_VERBS, "DELETE": "delete"}.get(request.method, request.method.lower())
    if request.method in ("GET", "HEAD"):
        if request.flag("watch"):
            return "watch"
        return "get" if target.name else "list"
    if request.method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return _VERBS.get(request.method, request.method.lower())


def attributes_of(target: Target, verb: str, selector: str = "") -> Attributes:
    """``selector``: of fields; a list of the one object that it names is asked for by that name, as upstream."""
    if not target.is_resource:
        return Attributes(verb, path=target.path)
    resource = f"{target.resource}/{target.subresource}" if target.subresource else target.resource
    name = target.name
    if selector and not name and verb in ("list", "watch"):
        name = _named_by(selector)
    return Attributes(verb, target.group, resource, target.namespace, name)


def _named_by(selector: str) -> str:
    try:
        return selectors.parse_fields(selector).exact("metadata.name") or ""
    except StatusError:  # said by the verb itself
        return ""


class Authorizer:
    def __init__(self, grants: Grants) -> None:
        self.grants = grants

    def may_enter(self, user: User, tenant: Tenant) -> bool:
        if user.is_master or user.home == tenant.cluster:
            return True
        if tenant.groups and not user.home and not _is_member(user, tenant.groups):
            return False
        return self.grants.allows(user, tenant.cluster, ACCESS)

    def allows(self, user: User, tenant: Tenant, asked: Attributes) -> bool:
        """Once in the workspace. Where tokens and keys are kept is for system:masters alone, whatever roles say."""
        if user.is_master:
            return True
        return not _in_vault(tenant, asked) and self.grants.allows(user, tenant.cluster, asked)

    def why_not(self, tenant: Tenant, asked: Attributes) -> tuple[Cause, ...]:
        """What is missing, for one who may enter the workspace."""
        if _in_vault(tenant, asked):
            return (Cause("RuleMissing", f"Tokens and keys are for members of {MASTERS} alone, whatever roles say."),)
        return explain(self.grants, tenant.cluster, asked).to_causes()

    def require(self, request: Request, asked: Attributes) -> None:
        """Raises StatusError 403."""
        tenant, user = request.tenant, request.user
        if user.is_master:
            return
        if tenant is None:
            raise denied(user, asked, f'no access to workspace "{request.target.cluster}"')
        if tenant.path == "root" and asked == _WHO_AM_I:
            return  # who one is, everybody may ask where every log-in begins
        if not self.may_enter(user, tenant):
            raise denied(user, asked, f'no access to workspace "{request.target.cluster}"')
        if not self.allows(user, tenant, asked):
            error = denied(user, asked, "", tenant.path)
            error.causes = self.why_not(tenant, asked)
            raise error

    def require_impersonation(self, request: Request, wanted: Impersonation) -> User:
        """The user to go on as, whose roles count in this workspace only. Raises StatusError 403.

        The caller must be allowed to impersonate the user and every group it asked for; only system:masters may
        act as system:masters.
        """
        if request.user.is_master:
            return wanted.user
        for asked in wanted.asked:
            self.require(request, asked)
        if wanted.user.is_master or wanted.user.name == SYSTEM.name:
            # An administrator of one workspace must not become one of all.
            why = f"only members of {MASTERS} may act as one"
            raise denied(request.user, Attributes("impersonate", "", "groups", "", MASTERS), why)
        return dataclasses.replace(wanted.user, scope=request.cluster)


def _is_member(user: User, required: str) -> bool:
    """Of all groups of one of the alternatives. Source: kcp pkg/authorization/requiredgroups_authorizer.go."""
    return any(set(every.split(",")) <= set(user.groups) for every in required.split(";"))


def _in_vault(tenant: Tenant, asked: Attributes) -> bool:
    every_secret = asked.resource == "secrets" and not asked.group and not asked.namespace
    return is_vault(tenant.cluster, asked.namespace) or (tenant.cluster == ROOT and every_secret)


def denied(user: User, asked: Attributes, why: str, workspace: str = "") -> StatusError:
    reason = describe(user, asked)
    if workspace:
        reason += f' in workspace "{workspace}"'
    if why:
        reason += f": {why}"
    if asked.path:
        return StatusError(403, "Forbidden", f"forbidden: {reason}")
    plural = asked.resource.partition("/")[0]
    return forbidden(plural, asked.name, reason, asked.group)


def describe(user: User, asked: Attributes) -> str:
    """As upstream: ``User "x" cannot list resource "y" in API group "" in the namespace "z"``."""
    if asked.path:
        return f'User "{user.name}" cannot {asked.verb} path "{asked.path}"'
    text = f'User "{user.name}" cannot {asked.verb} resource "{asked.resource}" in API group "{asked.group}"'
    if asked.namespace:
        return f'{text} in the namespace "{asked.namespace}"'
    return f"{text} at the cluster scope"
