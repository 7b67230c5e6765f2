"""Objects as bytes: one canonical order of fields, so that a revision or a path is spliced in without decoding.

Invariant: in stored bytes apiVersion, kind and metadata come first; in metadata ``resourceVersion`` comes before any
field a user can name, and annotation ``kcp.io/cluster`` is the first annotation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from portway.apiserver.resources import Resource
from portway.apiserver.tenants import CLUSTER_ANNOTATION, PATH_ANNOTATION
from portway.krm.identity import Manifest
from portway.store.contract import Encode, Key

_METADATA_ORDER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "annotations",
    "labels",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
METADATA_FIELDS = frozenset(_METADATA_ORDER) | {"selfLink"}
_VERSION_AT = len('{"apiVersion":"')
_PLACE = b'"resourceVersion":""'
_CLUSTER = b'"annotations":{"%s":"' % CLUSTER_ANNOTATION.encode()


def decode(value: bytes) -> Manifest:
    manifest: Manifest = orjson.loads(value)
    return manifest


_KEEPS_PATH = "core.kcp.io/"
"""The group of LogicalCluster, which has its path stored; elsewhere it is added on wildcard reads only."""


@lru_cache(maxsize=256)
def shared(value: bytes) -> Manifest:
    """``decode`` for many readers of the same event. Not to be changed by any."""
    return decode(value)


def encoder(manifest: Manifest, cluster: str) -> Encode:
    """Bytes of the object for any revision; ``manifest`` is not kept."""
    head, _, tail = orjson.dumps(_arranged(manifest, cluster)).partition(_PLACE)
    head += b'"resourceVersion":"'
    tail = b'"' + tail

    def encode(revision: int) -> bytes:
        return head + str(revision).encode() + tail

    return encode


def _arranged(manifest: Manifest, cluster: str) -> Manifest:
    metadata = manifest["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(CLUSTER_ANNOTATION, None)
    if not manifest["apiVersion"].startswith(_KEEPS_PATH):
        annotations.pop(PATH_ANNOTATION, None)
    values = {**metadata, "resourceVersion": "", "annotations": {CLUSTER_ANNOTATION: cluster, **annotations}}
    ordered = {key: values[key] for key in _METADATA_ORDER if values.get(key) not in (None, [], {})}
    first = {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": ordered}
    return {**first, **{key: value for key, value in manifest.items() if key not in first}}


def with_path(value: bytes, cluster: str, path: str) -> bytes:
    """Bytes with annotation ``kcp.io/path`` added, as wildcard reads return them.

    Nothing that a tenant wrote may decide it: controllers act in the workspace that it names.
    """
    if value.startswith(b'{"apiVersion":"%s' % _KEEPS_PATH.encode()):
        return value
    marker = b'"annotations":{"%s":"%s"' % (CLUSTER_ANNOTATION.encode(), cluster.encode())
    return value.replace(marker, marker + b',"%s":"%s"' % (PATH_ANNOTATION.encode(), path.encode()), 1)


def cluster_of(value: bytes) -> str:
    """Logical cluster of stored bytes, without decoding them."""
    _, _, rest = value.partition(_CLUSTER)
    return rest.partition(b'"')[0].decode()


def version_prefix(api_version: str) -> bytes:
    """How stored bytes of that version begin."""
    return b'{"apiVersion":"%s"' % api_version.encode()


def without_type(value: bytes, api_version: str, kind: str) -> bytes:
    """Bytes in that version as an item of a typed list, which names the type of its items once."""
    return value.replace(b'"apiVersion":"%s","kind":"%s",' % (api_version.encode(), kind.encode()), b"", 1)


def in_version(value: bytes, prefix: bytes) -> bytes:
    """Stored bytes as another version shows them (conversion strategy None: only apiVersion differs)."""
    return value if value.startswith(prefix) else prefix + value[value.index(b'"', _VERSION_AT) + 1 :]


def key_of(resource: Resource, cluster: str, namespace: str, name: str) -> Key:
    return Key(resource.key, cluster, namespace if resource.served.namespaced else "", name)


def equal_but_times(old: Any, new: Any) -> bool:
    """Whether a write would change nothing but the revision and times in managedFields."""
    if old["metadata"].get("generation") != new["metadata"].get("generation"):
        return False
    return _comparable(old) == _comparable(new)


def _comparable(manifest: Manifest) -> Manifest:
    metadata = dict(manifest["metadata"])
    metadata.pop("resourceVersion", None)
    entries = metadata.get("managedFields")
    if entries:
        metadata["managedFields"] = [{k: v for k, v in entry.items() if k != "time"} for entry in entries]
    cleaned = {key: value for key, value in metadata.items() if value not in (None, [], {}, "")}
    return {**manifest, "metadata": cleaned}
