"""The workspaces that wait for a controller of their type: to be prepared, or to be cleaned up.

``/services/initializingworkspaces/<logical cluster or path>:<type>/clusters/*/…`` lists their logical clusters;
``…/clusters/<one>/…`` gives the controller the contents of one, and its status to say that it is done.
Source: kcp pkg/virtual/initializingworkspaces and terminatingworkspaces.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from portway.apiserver import authorizing, objects, resources
from portway.apiserver.context import Context
from portway.apiserver.rbac import Attributes, Rule
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource, ResourceSet, Source
from portway.apiserver.responses import Response, Stream
from portway.apiserver.tenants import LOGICAL_CLUSTERS, Tenant
from portway.apiserver.users import MASTERS, User
from portway.krm.errors import StatusError, forbidden
from portway.krm.identity import Manifest
from portway.krm.served import Subresource
from portway.store.contract import Key
from portway.tenancy.rules import TypeReference

_CORE = ("core.kcp.io", "v1alpha1", "logicalclusters")


@dataclass(frozen=True, slots=True)
class Lifecycle:
    verb: str
    """RBAC verb on the WorkspaceType."""
    field: str
    """Of the logical cluster's status."""
    rules: str
    """Field of the WorkspaceType with what its controller may do."""


INITIALIZING = Lifecycle("initialize", "initializers", "initializerPermissions")
TERMINATING = Lifecycle("terminate", "terminators", "terminatorPermissions")


class LifecycleView:
    """``find`` also decides as whom the request goes on."""

    def __init__(
        self, context: Context, request: Request, lifecycle: Lifecycle, home: Tenant, type_: TypeReference
    ) -> None:
        self._context = context
        self._request = request
        self._lifecycle = lifecycle
        self._type = type_
        self._name = f"{home.cluster}:{type_.name}"
        self._names = (self._name, f"{home.path}:{type_.name}")
        """Workspaces made by earlier releases wait for the path."""
        self.source: Source | None = None

    def serving(self, tenant: Tenant | None) -> ResourceSet:
        return (
            ResourceSet([self._clusters(tenant)]) if tenant is None else self._context.registry.serving(tenant.cluster)
        )

    def find(self, tenant: Tenant | None, group: str, version: str, plural: str) -> Resource | None:
        if (group, version, plural) == _CORE:
            return self._clusters(tenant)
        if tenant is None:
            return None
        return self._context.registry.find(tenant.cluster, group, version, plural)

    def shows(self, resource: Resource, manifest: Manifest) -> bool:
        return resource.key != LOGICAL_CLUSTERS or self.waits(manifest)

    def clusters(self, _resource: Resource) -> list[str]:
        return self._context.tenants.waiting(*self._names)

    def reaches(self, _resource: Resource, _cluster: str) -> bool:
        return True

    def ended_by_changes(self, answer: Response | Stream, _resource: Resource) -> Response | Stream:
        return answer

    def waits(self, cluster: Manifest) -> bool:
        status = cluster.get("status") or {}
        deleting = bool(cluster["metadata"].get("deletionTimestamp"))
        if self._lifecycle is INITIALIZING and (deleting or status.get("phase") != "Initializing"):
            return False
        if self._lifecycle is TERMINATING and not deleting:
            return False
        return any(name in self._names for name in status.get(self._lifecycle.field) or ())

    def check_write(self, resource: Resource, old: Manifest | None, new: Manifest) -> None:
        """Of a logical cluster, a controller may only take itself off the list."""
        if resource.key != LOGICAL_CLUSTERS or old is None:
            return
        before, after = old.get("status") or {}, new.get("status") or {}
        mine = self._lifecycle.field
        rest = [name for name in before.get(mine) or () if name not in self._names]
        wanted = {**before, mine: rest}
        kept = {**before, mine: before.get(mine)}
        if not rest:
            del wanted[mine]
        if _without_empty(after) not in (_without_empty(wanted), _without_empty(kept)):
            why = f"only {self._name!r} may be removed, and only from status.{mine}"
            raise forbidden("logicalclusters", "cluster", why, "core.kcp.io")

    def enter(self, tenant: Tenant, asked: Attributes) -> None:
        """Let the request into one workspace, as the user it acts as there. Raises StatusError 403."""
        record = self._context.storage.get(Key(LOGICAL_CLUSTERS, tenant.cluster, "", "cluster"))
        manifest = objects.decode(record.value) if record is not None else {"metadata": {}}
        if not self.waits(manifest):
            raise authorizing.denied(self._request.user, asked, f"{self._name!r} has nothing to do in this workspace")
        if asked.group == "core.kcp.io" and asked.resource.partition("/")[0] == "logicalclusters":
            return
        declared = (self._context.types.spec(self._type) or {}).get(self._lifecycle.rules)
        if declared:
            if asked.path.startswith(("/api", "/openapi")) or any(Rule.of(rule).allows(asked) for rule in declared):
                self._request.user = dataclasses.replace(self._request.user, scope=tenant.cluster)
                return
            raise authorizing.denied(
                self._request.user, asked, f"{self._lifecycle.rules} of {self._name!r} do not say so"
            )
        self._request.user = _owner(manifest, tenant.cluster)

    def _clusters(self, tenant: Tenant | None) -> Resource:
        served = self._context.registry.builtin_resource(*_CORE).served
        status = (Subresource("status"),) if tenant is not None else ()
        return resources.of(dataclasses.replace(served, verbs=("get", "list", "watch"), subresources=status))


def open_view(
    context: Context, request: Request, lifecycle: Lifecycle, domain: str, asked: Attributes
) -> LifecycleView:
    """Raises StatusError 403, the same whether the type is missing or the permission."""
    type_ = TypeReference.parse(domain)
    home = context.tenants.resolve(type_.path)
    needed = Attributes(lifecycle.verb, "tenancy.kcp.io", "workspacetypes", "", type_.name)
    user = request.user
    allowed = home is not None and context.authorizer.may_enter(user, home)
    allowed = allowed and home is not None and context.authorizer.grants.allows(user, home.cluster, needed)
    if home is None or not allowed or context.types.spec(type_) is None:
        raise _hidden(user, asked, domain)
    return LifecycleView(context, request, lifecycle, home, type_)


def _hidden(user: User, asked: Attributes, domain: str) -> StatusError:
    return authorizing.denied(user, asked, f'no access to workspace type "{domain}"')


def _owner(manifest: Manifest, cluster: str) -> User:
    created = (manifest.get("spec") or {}).get("createdBy") or {}
    groups = tuple(group for group in created.get("groups") or () if group != MASTERS)
    name = created.get("username") or "system:anonymous"
    return User(name, groups, created.get("uid") or "", scope=cluster, admin_of=cluster)


def _without_empty(status: Manifest) -> Manifest:
    return {key: value for key, value in status.items() if value not in (None, [], "")}
