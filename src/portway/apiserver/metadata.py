"""What the server sets and guards in ObjectMeta. What it requires of the rest: ``metachecks``."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from portway.apiserver import clocks
from portway.apiserver.objects import METADATA_FIELDS
from portway.apiserver.resources import Resource
from portway.apiserver.tenants import CLUSTER_ANNOTATION, PATH_ANNOTATION
from portway.kit import identifiers
from portway.krm.errors import StatusError, bad_request, conflict
from portway.krm.identity import Manifest

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_NAME_MAX = 63 - 5
_STRINGS = frozenset((str,))
_ITEMS = {str: "strings", dict: "objects"}


def generate_name(prefix: str) -> str:
    return prefix[:_NAME_MAX] + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def prepare_create(manifest: Manifest, now: datetime) -> None:
    metadata = manifest["metadata"]
    for field in ("resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        metadata.pop(field, None)
    metadata["uid"] = identifiers.random_uuid()
    metadata["creationTimestamp"] = clocks.stamp(now)
    _keep_place(metadata, {})


def prepare_update(manifest: Manifest, live: Manifest) -> None:
    """Carry over what no client may change."""
    metadata, old = manifest["metadata"], live["metadata"]
    metadata.pop("selfLink", None)
    for field in (
        "name",
        "namespace",
        "generateName",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
    ):
        if field in old:
            metadata[field] = old[field]
        else:
            metadata.pop(field, None)
    _keep_place(metadata, old)


def _keep_place(metadata: Manifest, old: Manifest) -> None:
    """Where an object lives is the server's to say: what a wildcard read added does not come back with a write."""
    annotations, known = metadata.get("annotations") or {}, old.get("annotations") or {}
    if not isinstance(annotations, dict):
        return
    for key in (CLUSTER_ANNOTATION, PATH_ANNOTATION):
        if annotations.get(key) == known.get(key):
            continue
        annotations = {name: value for name, value in annotations.items() if name != key}
        if key in known:
            annotations[key] = known[key]
    if annotations or "annotations" in metadata:
        metadata["annotations"] = annotations


def check_preconditions(resource: Resource, manifest: Manifest, live: Manifest) -> None:
    """uid and resourceVersion of an update, when given. Raises StatusError 409."""
    metadata, old = manifest["metadata"], live["metadata"]
    plural, group = resource.served.plural, resource.served.gvk.group
    uid = metadata.get("uid")
    if uid and uid != old["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['uid']}"
        raise conflict(plural, old["name"], why, group)
    version = metadata.get("resourceVersion")
    if version and version != old["resourceVersion"]:
        raise modified(resource, old["name"])


def modified(resource: Resource, name: str) -> StatusError:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource.served.plural, name, why, resource.served.gvk.group)


def drop_unknown(manifest: Manifest) -> list[str]:
    """Paths of unknown metadata fields, which are removed."""
    metadata = manifest["metadata"]
    unknown = [field for field in metadata if field not in METADATA_FIELDS]
    for field in unknown:
        del metadata[field]
    return [f"metadata.{field}" for field in unknown]


def check_types(kind: str, metadata: Manifest) -> None:
    """Raises StatusError 400 for values that no client could have meant."""
    for field in ("labels", "annotations"):
        value = metadata.get(field)
        if value is not None and not _is_string_map(value):
            raise bad_request(f"{kind}: metadata.{field} must be a map of strings to strings")
    for field, item in (("finalizers", str), ("ownerReferences", dict), ("managedFields", dict)):
        value = metadata.get(field)
        if value is not None and not (isinstance(value, list) and set(map(type, value)) <= {item}):
            raise bad_request(f"{kind}: metadata.{field} must be a list of {_ITEMS[item]}")
    for field in ("name", "generateName", "namespace", "uid", "resourceVersion"):
        if not isinstance(metadata.get(field) or "", str):
            raise bad_request(f"{kind}: metadata.{field} must be a string")


def _is_string_map(value: Any) -> bool:
    return isinstance(value, dict) and set(map(type, value.values())) <= _STRINGS
