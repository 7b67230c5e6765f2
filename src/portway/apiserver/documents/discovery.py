"""Which groups, versions and resources there are: aggregated (v2, v2beta1) and one document a group version.

Source of the forms: k8s.io/api apidiscovery/v2 and meta/v1 ``APIGroup``, ``APIResourceList``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from portway.apiserver.documents.bodies import Document, document
from portway.krm.errors import StatusError
from portway.krm.identity import GroupVersion
from portway.krm.served import Served, Subresource
from portway.krm.versions import priority

AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def storage_version_hash(served: Served) -> str:
    """Eight bytes of a hash of group, stored version and kind, in base64, as upstream."""
    text = f"{served.gvk.group}/{served.storage_version or served.gvk.version}/{served.gvk.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def versions(served: Iterable[Served], group: str) -> list[str]:
    """The group's versions, preferred one first."""
    return sorted({s.gvk.version for s in served if s.gvk.group == group}, key=priority)


def groups(served: Iterable[Served]) -> list[str]:
    """Groups with a name, in the order they first appear; it decides whom an ambiguous short name means."""
    return list(dict.fromkeys(s.gvk.group for s in served if s.gvk.group))


def aggregated(served: Sequence[Served], *, core: bool, version: str = "v2") -> Document:
    """``APIGroupDiscoveryList`` for /api (``core``) or /apis. ``version`` is v2 or v2beta1."""
    names = [""] if core else groups(served)
    items = [_aggregated_group(served, group) for group in names]
    value = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }
    return document(value, AGGREGATED_TYPE.format(version=version))


def _aggregated_group(served: Sequence[Served], group: str) -> dict[str, Any]:
    return {
        "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
        "versions": [
            {
                "version": version,
                "resources": [_aggregated_resource(s) for s in served if s.gvk[:2] == (group, version)],
                "freshness": "Current",
            }
            for version in versions(served, group)
        ],
    }


def _aggregated_resource(served: Served) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resource": served.plural,
        "responseKind": dict(zip(("group", "version", "kind"), served.gvk, strict=True)),
        "scope": "Namespaced" if served.namespaced else "Cluster",
        "singularResource": served.singular,
        "verbs": list(served.verbs),
    }
    if served.short_names:
        resource["shortNames"] = list(served.short_names)
    if served.categories:
        resource["categories"] = list(served.categories)
    if served.subresources:
        resource["subresources"] = [_aggregated_subresource(served, s) for s in served.subresources]
    return resource


def _aggregated_subresource(served: Served, subresource: Subresource) -> dict[str, Any]:
    kind = subresource.kind or served.gvk
    return {
        "subresource": subresource.name,
        "responseKind": dict(zip(("group", "version", "kind"), kind, strict=True)),
        "verbs": list(subresource.verbs),
    }


def api_versions(address: str) -> Document:
    """Plain /api. ``address`` is the host and port clients reach the server at."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return document({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses})


def api_group_list(served: Sequence[Served]) -> Document:
    """Plain /apis."""
    listed = [_api_group(served, group) for group in groups(served)]
    return document({"kind": "APIGroupList", "apiVersion": "v1", "groups": listed})


def api_group(served: Sequence[Served], group: str) -> Document:
    """/apis/<group>; raises 404 when nothing of the group is served."""
    if group not in groups(served):
        raise missing()
    return document({"kind": "APIGroup", "apiVersion": "v1", **_api_group(served, group)})


def _api_group(served: Sequence[Served], group: str) -> dict[str, Any]:
    listed = [{"groupVersion": f"{group}/{v}", "version": v} for v in versions(served, group)]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def api_resource_list(served: Sequence[Served], group_version: GroupVersion) -> Document:
    """/api/v1 or /apis/<group>/<version>; raises 404 when nothing of it is served."""
    found = [s for s in served if s.gvk[:2] == tuple(group_version)]
    if not found:
        raise missing()
    resources = [entry for s in found for entry in _api_resources(s)]
    head: dict[str, Any] = {"kind": "APIResourceList"}
    if group_version.group:
        head["apiVersion"] = "v1"
    return document({**head, "groupVersion": str(group_version), "resources": resources})


def _api_resources(served: Served) -> Iterable[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": served.plural,
        "singularName": served.singular,
        "namespaced": served.namespaced,
        "kind": served.gvk.kind,
        "verbs": list(served.verbs),
    }
    if served.short_names:
        entry["shortNames"] = list(served.short_names)
    if served.categories:
        entry["categories"] = list(served.categories)
    if "list" in served.verbs:
        entry["storageVersionHash"] = storage_version_hash(served)
    yield entry
    for subresource in served.subresources:
        below: dict[str, Any] = {
            "name": f"{served.plural}/{subresource.name}",
            "singularName": "",
            "namespaced": served.namespaced,
            "kind": (subresource.kind or served.gvk).kind,
            "verbs": list(subresource.verbs),
        }
        if subresource.kind:
            below |= {"group": subresource.kind.group, "version": subresource.kind.version}
        yield below


def missing() -> StatusError:
    """What upstream answers on paths it does not know."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")
