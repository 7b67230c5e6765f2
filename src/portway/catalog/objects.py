"""From Backstage descriptor to catalog object and back.

``spec`` stays verbatim; the metadata that Kubernetes has no room for goes to ``about``
(see ``portway.apis.catalog``). Object names are lower case, the name as written is kept in ``about.name``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from portway.apis import catalog, portal, resources
from portway.catalog import references
from portway.catalog.references import EntityRef
from portway.krm.identity import Manifest, Resource

_CANONICAL = {kind.lower(): kind for kind in (*catalog.KINDS, "Template")}
_ABOUT = ("title", "description", "tags", "links")
_METADATA = ("name", "namespace", "labels", "annotations", "uid", "etag", "generation", *_ABOUT)
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


def resource_of(kind: str) -> Resource:
    """The API resource of an entity kind, in any case. Raises KeyError for an unknown kind."""
    if kind.lower() == "template":
        return resources.TEMPLATES
    return {r.kind.lower(): r for r in resources.ENTITIES}[kind.lower()]


def to_object(descriptor: Mapping[str, Any], annotations: Mapping[str, str] | None = None) -> Manifest:
    """The catalog object of a checked descriptor; ``annotations`` are added to its own."""
    metadata = descriptor["metadata"]
    kind = _CANONICAL[descriptor["kind"].lower()]
    group, version = (portal.GROUP, portal.VERSION) if kind == "Template" else (catalog.GROUP, catalog.VERSION)
    about = {"name": metadata["name"], **{k: metadata[k] for k in _ABOUT if metadata.get(k)}}
    extra = {k: v for k, v in metadata.items() if k not in _METADATA}
    labels = dict(metadata.get("labels") or {})
    refused = {k: labels.pop(k) for k, v in list(labels.items()) if not _is_label(v)}
    if refused:
        extra["labels"] = refused  # Backstage allows more in a label than Kubernetes does
    if extra:
        about["extra"] = extra
    result: Manifest = {
        "apiVersion": f"{group}/{version}",
        "kind": kind,
        "metadata": {
            "name": references.object_name(metadata["name"]),
            "namespace": (metadata.get("namespace") or references.DEFAULT_NAMESPACE).lower(),
        },
        "about": about,
        "spec": dict(descriptor.get("spec") or {}),
    }
    if labels:
        result["metadata"]["labels"] = labels
    merged = {**(metadata.get("annotations") or {}), **(annotations or {})}
    if merged:
        result["metadata"]["annotations"] = merged
    return result


def to_descriptor(manifest: Manifest) -> dict[str, Any]:
    """The Backstage descriptor of a catalog object."""
    about = manifest.get("about") or {}
    source = manifest["metadata"]
    extra = dict(about.get("extra") or {})
    labels = {**(source.get("labels") or {}), **extra.pop("labels", {})}
    metadata: dict[str, Any] = {
        "name": about.get("name") or source["name"],
        "namespace": source.get("namespace", references.DEFAULT_NAMESPACE),
        **{k: about[k] for k in _ABOUT if about.get(k)},
        **extra,
    }
    if labels:
        metadata["labels"] = labels
    if source.get("annotations"):
        metadata["annotations"] = dict(source["annotations"])
    version = "scaffolder.backstage.io/v1beta3" if manifest["kind"] == "Template" else "backstage.io/v1alpha1"
    return {"apiVersion": version, "kind": manifest["kind"], "metadata": metadata, "spec": manifest.get("spec") or {}}


def ref_of(manifest: Manifest) -> EntityRef:
    """The entity reference of a catalog object."""
    metadata = manifest["metadata"]
    name = (manifest.get("about") or {}).get("name") or metadata["name"]
    namespace = metadata.get("namespace") or references.DEFAULT_NAMESPACE
    return EntityRef(manifest["kind"].lower(), namespace.lower(), name.lower())


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 63 and _LABEL_VALUE.fullmatch(value) is not None
