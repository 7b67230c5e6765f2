"""ClusterRoles and their bindings that hold in every workspace (see ``bootstraproles``) as objects of the API.

They are stored nowhere. One stored under the same name stands before it in reads and adds to it in rights; writing
to one of these stores it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from portway.apiserver import bootstraproles, objects
from portway.apiserver.context import Context
from portway.apiserver.rbac import RBAC_GROUP
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.verbs.selecting import Selection
from portway.krm.errors import forbidden
from portway.krm.identity import Manifest
from portway.store.contract import Key, Record

_BORN = "1970-01-01T00:00:00Z"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_READ_AS = "1"
"""The resourceVersion they are shown with; the record's revision is that of what is not stored."""


@dataclass(frozen=True)
class _Holding:
    kind: str
    names: Sequence[str]
    content: Callable[[Context, str, str], Manifest]
    """Of cluster and name."""


def get(context: Context, request: Request, resource: Resource) -> Record | None:
    holding, name = _HOLDINGS.get(resource.key), request.target.name
    if holding is None or request.view is not None or name not in holding.names:
        return None
    return _record(context, holding, resource.key, request.cluster, name)


def matching(context: Context, request: Request, resource: Resource, selection: Selection) -> Iterator[Record]:
    """Those that belong at the end of a list of one workspace."""
    holding = _HOLDINGS.get(resource.key)
    if holding is None or request.tenant is None or request.view is not None:
        return
    for name in holding.names:
        stored = context.storage.get(Key(resource.key, request.cluster, "", name))
        record = _record(context, holding, resource.key, request.cluster, name)
        if stored is None and selection.matches_value(record.value):
            yield record


def require_stored(resource: Resource, record: Record) -> None:
    """Raises StatusError 403 for what holds in every workspace: there is nothing to delete."""
    if record.revision == 0:
        why = "it holds in every workspace and cannot be deleted"
        raise forbidden(resource.served.plural, record.key.name, why, resource.served.gvk.group)


def _record(context: Context, holding: _Holding, key: str, cluster: str, name: str) -> Record:
    named = name if holding.kind == "ClusterRole" else f"{holding.kind}/{name}"
    metadata = {
        "name": name,
        "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{cluster}/{named}")),
        "resourceVersion": _READ_AS,
        "creationTimestamp": _BORN,
        "labels": _LABELS,
    }
    manifest = {"apiVersion": f"{RBAC_GROUP}/v1", "kind": holding.kind, "metadata": metadata}
    manifest |= holding.content(context, cluster, name)
    return Record(Key(key, cluster, "", name), 0, objects.encoder(manifest, cluster)(int(_READ_AS)))


def _rules(context: Context, cluster: str, name: str) -> Manifest:
    rules = [rule.to_manifest() for rule in context.authorizer.grants.rules_of(cluster, "ClusterRole", name, "")]
    return {"rules": list({str(rule): rule for rule in rules}.values())}


def _subjects(_context: Context, _cluster: str, name: str) -> Manifest:
    groups = [group for group, roles in bootstraproles.BOUND_TO_GROUPS.items() if name in roles]
    return {
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "Group", "apiGroup": RBAC_GROUP, "name": group} for group in groups],
    }


_BOUND = sorted({role for roles in bootstraproles.BOUND_TO_GROUPS.values() for role in roles})
_HOLDINGS = {
    f"clusterroles.{RBAC_GROUP}": _Holding("ClusterRole", sorted(bootstraproles.CLUSTER_ROLES), _rules),
    f"clusterrolebindings.{RBAC_GROUP}": _Holding("ClusterRoleBinding", _BOUND, _subjects),
}
