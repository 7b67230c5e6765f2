"""ClusterRoles that hold in every workspace (see ``bootstraproles``) as objects that can be read.

They are stored nowhere; one stored under the same name stands before it in reads and adds to it in rights.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from portway.apiserver import bootstraproles, objects
from portway.apiserver.context import Context
from portway.apiserver.rbac import RBAC_GROUP
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.verbs.selecting import Selection
from portway.krm.identity import Manifest
from portway.store.contract import Key, Record

_KEY = f"clusterroles.{RBAC_GROUP}"
_BORN = "1970-01-01T00:00:00Z"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def get(context: Context, request: Request, resource: Resource) -> Record | None:
    name = request.target.name
    if resource.key != _KEY or request.view is not None or name not in bootstraproles.CLUSTER_ROLES:
        return None
    return _record(context, request.cluster, name)


def matching(context: Context, request: Request, resource: Resource, selection: Selection) -> Iterator[Record]:
    """Those that belong at the end of a list of one workspace."""
    if resource.key != _KEY or request.tenant is None or request.view is not None:
        return
    for name in sorted(bootstraproles.CLUSTER_ROLES):
        stored = context.storage.get(Key(_KEY, request.cluster, "", name))
        record = _record(context, request.cluster, name)
        if stored is None and selection.matches_value(record.value):
            yield record


def _record(context: Context, cluster: str, name: str) -> Record:
    metadata = {
        "name": name,
        "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{cluster}/{name}")),
        "creationTimestamp": _BORN,
        "labels": _LABELS,
    }
    rules = [rule.to_manifest() for rule in context.authorizer.grants.rules_of(cluster, "ClusterRole", name, "")]
    manifest: Manifest = {"apiVersion": f"{RBAC_GROUP}/v1", "kind": "ClusterRole", "metadata": metadata}
    manifest["rules"] = list({str(rule): rule for rule in rules}.values())
    revision = 1
    return Record(Key(_KEY, cluster, "", name), revision, objects.encoder(manifest, cluster)(revision))
