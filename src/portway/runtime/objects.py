"""Reading what every manifest has. Calls read ``objects.workspace_of(manifest)``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portway.client.contract import Resource
from portway.krm.identity import GroupVersion, Manifest
from portway.runtime.contract import MapToRequests, Request

PATH_ANNOTATION = "kcp.io/path"


def workspace_of(manifest: Manifest) -> str:
    """Path of the object's workspace. Only objects of a wildcard list or watch carry it: ValueError else."""
    path = annotation(manifest, PATH_ANNOTATION)
    if not path:
        raise ValueError(
            f"{manifest.get('kind')} {name_of(manifest)} has no annotation {PATH_ANNOTATION}: "
            "it was not read by a list or watch of all workspaces"
        )
    return path


def key_of(manifest: Manifest) -> Request:
    return Request(workspace_of(manifest), namespace_of(manifest), name_of(manifest))


def name_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("name", ""))


def namespace_of(manifest: Manifest) -> str:
    """Empty for cluster-scoped objects."""
    return str(manifest["metadata"].get("namespace") or "")


def uid_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["uid"])


def version_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))


def generation_of(manifest: Manifest) -> int:
    return int(manifest["metadata"].get("generation") or 0)


def annotation(manifest: Manifest, key: str, default: str = "") -> str:
    return str((manifest["metadata"].get("annotations") or {}).get(key, default))


def label(manifest: Manifest, key: str, default: str = "") -> str:
    return str((manifest["metadata"].get("labels") or {}).get(key, default))


def is_deleting(manifest: Manifest) -> bool:
    return bool(manifest["metadata"].get("deletionTimestamp"))


def has_finalizer(manifest: Manifest, finalizer: str) -> bool:
    return finalizer in (manifest["metadata"].get("finalizers") or ())


def reference_to(manifest: Manifest) -> dict[str, str]:
    """A ``v1 ObjectReference``."""
    reference = {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "namespace": namespace_of(manifest),
        "name": name_of(manifest),
        "uid": uid_of(manifest),
        "resourceVersion": version_of(manifest),
    }
    return {key: value for key, value in reference.items() if value}


def owner_reference(owner: Manifest, *, controller: bool = True) -> dict[str, Any]:
    """An entry of ``metadata.ownerReferences``: the dependent goes when the owner goes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": controller,
        "blockOwnerDeletion": True,
    }


def owners_of(manifest: Manifest) -> list[dict[str, Any]]:
    return list(manifest["metadata"].get("ownerReferences") or ())


def is_owned_by(manifest: Manifest, owner: Manifest) -> bool:
    return any(reference["uid"] == uid_of(owner) for reference in owners_of(manifest))


def wakes_owner(resource: Resource) -> MapToRequests:
    """For a ``Watch``: from a dependent to its owners of that kind (in the same workspace)."""

    def wakes(manifest: Manifest) -> Iterator[Request]:
        namespace = namespace_of(manifest) if resource.namespaced else ""
        for reference in owners_of(manifest):
            group, _ = GroupVersion.parse(reference["apiVersion"])
            if (group, reference["kind"]) == (resource.group, resource.kind):
                yield Request(workspace_of(manifest), namespace, reference["name"])

    return wakes
