"""From a CustomResourceDefinition or an APIResourceSchema to the resource that is served.

The given object is taken as valid: rules for definitions are checked where they are written
(``krm.schemas``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from portway.krm.builtins import definitions
from portway.krm.errors import StatusError, not_found
from portway.krm.identity import GroupVersion, GroupVersionKind, Manifest
from portway.krm.served import Column, Served, Subresource
from portway.krm.versions import priority

_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_SCALE_KIND = GroupVersionKind("autoscaling", "v1", "Scale")


def served_from_crd(crd: Manifest, version: str) -> Served:
    """The named version of a CRD; 404 when it has none of that name.

    Names come from ``status.acceptedNames`` once they are there, as upstream serves only accepted names.
    """
    spec = crd["spec"]
    accepted = (crd.get("status") or {}).get("acceptedNames") or {}
    names = accepted if accepted.get("plural") and accepted.get("kind") else spec["names"]
    versions = spec.get("versions") or ()
    found = _find(versions, version, crd)
    schema = (found.get("schema") or {}).get("openAPIV3Schema") or _OPEN
    served = _served(spec["group"], names, spec.get("scope", "Cluster"), found, schema)
    return replace(
        served,
        storage_version=_storage_version(versions),
        deprecation=_deprecation(found, spec["group"], spec["names"]["kind"], versions),
    )


def served_from_api_resource_schema(schema: Manifest, version: str) -> Served:
    """The named version of an APIResourceSchema; 404 when it has none of that name."""
    spec = schema["spec"]
    versions = spec.get("versions") or ()
    found = _find(versions, version, schema)
    group = "" if spec["group"] == "core" else spec["group"]
    served = _served(group, spec["names"], spec["scope"], found, found.get("schema") or _OPEN)
    return replace(
        served,
        storage_version=_storage_version(versions),
        deprecation=_deprecation(found, group, spec["names"]["kind"], versions),
    )


def _find(versions: Any, version: str, owner: Manifest) -> Mapping[str, Any]:
    for candidate in versions:
        if candidate.get("name") == version:
            return dict(candidate)
    raise _no_version(owner, version)


def _no_version(owner: Manifest, version: str) -> StatusError:
    name = (owner.get("metadata") or {}).get("name", "")
    error = not_found("versions", version)
    error.message = f'{owner.get("kind", "definition")} "{name}" has no version "{version}"'
    return error


def _storage_version(versions: Any) -> str:
    return next((v["name"] for v in versions if v.get("storage")), "")


def _deprecation(version: Mapping[str, Any], group: str, kind: str, versions: Iterable[Mapping[str, Any]]) -> str:
    """Its own words, else which version to use instead: the newest one that is served, newer and not deprecated."""
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning") is not None:
        return str(version["deprecationWarning"])
    rank = priority(version["name"])
    newer = [v["name"] for v in versions if v.get("served") and not v.get("deprecated") and priority(v["name"]) < rank]
    text = f"{GroupVersion(group, version['name'])} {kind} is deprecated"
    return f"{text}; use {GroupVersion(group, min(newer, key=priority))} {kind}" if newer else text


def _served(
    group: str,
    names: Mapping[str, Any],
    scope: str,
    version: Mapping[str, Any],
    schema: Mapping[str, Any],
) -> Served:
    kind = names["kind"]
    return Served(
        gvk=GroupVersionKind(group, version["name"], kind),
        plural=names["plural"],
        singular=names.get("singular") or kind.lower(),
        namespaced=scope == "Namespaced",
        schema=with_type_fields(schema),
        list_kind=names.get("listKind") or f"{kind}List",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=_subresources(version.get("subresources") or {}),
        columns=tuple(_column(c) for c in version.get("additionalPrinterColumns") or ()),
        selectable_fields=tuple(f["jsonPath"].removeprefix(".") for f in version.get("selectableFields") or ()),
        custom=True,
        scale=dict((version.get("subresources") or {}).get("scale") or {}),
    )


def with_type_fields(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with apiVersion, kind and metadata as every object has them.

    What the definition says of metadata (it may only restrict name and generateName) is kept beside it.
    """
    complete = dict(schema)
    properties = dict(schema.get("properties") or {})
    for name, value in definitions.TYPE_FIELDS.items():
        properties[name] = {**value, **(properties.get(name) or {})}
    properties["metadata"] = _metadata(properties.get("metadata") or {})
    complete["properties"] = {k: properties[k] for k in ("apiVersion", "kind", "metadata")} | properties
    complete.setdefault("type", "object")
    return complete


def _metadata(restriction: Mapping[str, Any]) -> dict[str, Any]:
    metadata = definitions.inlined(definitions.OBJECT_META)
    restricted = restriction.get("properties") or {}
    if not restricted:
        return metadata
    properties = {k: {**v, **restricted.get(k, {})} for k, v in metadata["properties"].items()}
    return {**metadata, "properties": properties}


def _subresources(declared: Mapping[str, Any]) -> tuple[Subresource, ...]:
    found = []
    if declared.get("status") is not None:
        found.append(Subresource("status"))
    if declared.get("scale") is not None:
        found.append(Subresource("scale", kind=_SCALE_KIND))
    return tuple(found)


def _column(column: Mapping[str, Any]) -> Column:
    return Column(
        name=column["name"],
        path=column["jsonPath"],
        type=column["type"],
        format=column.get("format") or "",
        description=column.get("description") or "",
        priority=int(column.get("priority") or 0),
    )
