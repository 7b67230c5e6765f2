"""Home workspaces: ``GET …/workspaces/~`` in root names the one of whoever asks, and makes it when it is missing.

A home has no Workspace object and nothing above it; its path is ``user:<name>``. Who may have one says
``Settings.home_groups``. Source: kcp pkg/server/home_workspaces.go.
"""

from __future__ import annotations

import hashlib

from portway.apiserver import authorizing, clocks, names, objects
from portway.apiserver.admission import contents
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.context import Context
from portway.apiserver.exporting import Reference
from portway.apiserver.rbac import Attributes
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import Request
from portway.apiserver.responses import Response
from portway.apiserver.routing import ROOT, Target
from portway.apiserver.tenants import LOGICAL_CLUSTERS, Tenant
from portway.apiserver.tokens import NAMESPACE as VAULT
from portway.apiserver.users import User
from portway.kit import identifiers
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.store.contract import Conflict, Key, Put, Record
from portway.tenancy import clusters, paths, rules
from portway.tenancy.rules import TypeReference

NAME = "~"
TYPE = TypeReference("root", "home")
_GROUP, _VERSION = "tenancy.kcp.io", "v1alpha1"
_HASHED = "u-"
_ATTEMPTS = 5


def is_asked(target: Target, verb: str) -> bool:
    asked = (target.group, target.version, target.resource, target.name, target.subresource)
    in_root = target.cluster == ROOT and not target.service
    return in_root and verb == "get" and asked == (_GROUP, _VERSION, "workspaces", NAME, "")


async def get(context: Context, request: Request) -> Response:
    """Raises StatusError 403 for whoever has none and may have none, 429 until it is ready."""
    resource = context.registry.builtin_resource(_GROUP, _VERSION, "workspaces")
    renderer = Renderer(request, resource, context.tenants)
    user = request.user
    if user.home or user.scope:  # of an account; of somebody who acts as another, in one workspace only
        raise _denied(user)
    tenant = await _of(context, user)
    record = context.storage.get(Key(LOGICAL_CLUSTERS, tenant.cluster, "", "cluster"))
    if record is None:
        raise _denied(user)
    cluster = objects.decode(record.value)
    if (cluster.get("status") or {}).get("phase") == "Initializing":
        raise StatusError(429, "TooManyRequests", "Creating the home workspace", retry_after=1)
    shown = objects.encoder(_workspace(cluster, tenant), ROOT)(record.revision)
    return Response(renderer.single(Record(record.key, record.revision, shown)))


def path_of(name: str) -> str:
    """Of a user's home. No two users have the same: names that are no labels are hashed, with what could be a hash."""
    plain = names.is_label(name) and not name.startswith(_HASHED)
    return f"{paths.HOME_NAME}:{name if plain else _HASHED + _digest(name)}"


async def _of(context: Context, user: User) -> Tenant:
    path = path_of(user.name)
    for _ in range(_ATTEMPTS):
        found = context.tenants.resolve(path)
        if found is not None:
            return found
        if not user.is_master and not set(user.groups) & set(context.settings.home_groups):
            raise _denied(user)
        try:
            await context.storage.commit(_changes(context, user, path), user.name)
        except Conflict:  # another request of this user was first
            await context.storage.fresh()
    raise _denied(user)


def _changes(context: Context, user: User, path: str) -> list[Put]:
    tenant = Tenant(clusters.generate(), path, str(TYPE))
    lineage = context.types.lineage(TYPE)
    statuses = BindingStatuses(context.registry, context.now)
    bound = dict.fromkeys(Reference(*each) for each in rules.bindings(lineage, context.types.spec))
    birth = contents.Birth(
        tenant=tenant,
        url=f"{context.settings.external_url}/clusters/{path}",
        type=str(TYPE),
        bindings=[(reference, statuses.first(tenant.cluster, reference)) for reference in bound],
        creator=user,
        owner=None,
        ca_certificate=context.settings.ca_certificate,
        now=clocks.stamp(context.now()),
        initializers=context.types.waiting_for("initializer", lineage),
        terminators=context.types.waiting_for("terminator", lineage),
    )
    return [_claim(birth, user), *contents.changes(birth)]


def _claim(birth: contents.Birth, user: User) -> Put:
    """There is one of a user, whatever process makes it; so is the home."""
    name = f"home-{_digest(user.name)}"
    manifest: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": VAULT,
            "creationTimestamp": birth.now,
            "uid": identifiers.random_uuid(),
        },
        "data": {"user": user.name, "cluster": birth.tenant.cluster},
    }
    return Put(Key("configmaps", ROOT, VAULT, name), objects.encoder(manifest, ROOT), 0)


def _workspace(cluster: Manifest, tenant: Tenant) -> Manifest:
    """The Workspace object a home does not have."""
    fields, status = cluster["metadata"], cluster.get("status") or {}
    shown = {name: status[name] for name in ("phase", "conditions", "initializers", "terminators") if name in status}
    return {
        "apiVersion": f"{_GROUP}/{_VERSION}",
        "kind": "Workspace",
        "metadata": {"name": NAME, "uid": fields["uid"], "creationTimestamp": fields["creationTimestamp"]},
        "spec": {"type": TYPE._asdict(), "cluster": tenant.cluster, "URL": status.get("URL", "")},
        "status": shown,
    }


def _denied(user: User) -> StatusError:
    asked = Attributes("create", _GROUP, "workspaces", "", NAME)
    return authorizing.denied(user, asked, "workspace access not permitted")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:40]
