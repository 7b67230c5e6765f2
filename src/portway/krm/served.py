"""A resource as it is served in a workspace: what discovery, OpenAPI, tables and verbs need to know of it.

Built-in kinds are declared in ``krm.builtins``; custom ones come from CRDs and bound API exports. Both become this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portway.krm.identity import GroupResource, GroupVersionKind

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column. ``path`` is a JSONPath such as ``.status.phase``; priority 0 shows without -o wide."""

    name: str
    path: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Subresource:
    """``status``, ``scale``, ``token`` … with the kind it speaks (the parent's own unless given)."""

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    kind: GroupVersionKind | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """One version of one resource."""

    gvk: GroupVersionKind
    plural: str
    singular: str
    namespaced: bool
    schema: Mapping[str, Any]
    """OpenAPI v3 schema of the kind; structural for custom resources (x-kubernetes-* extensions kept).

    For built-in kinds nested messages are inlined; ``x-portway-ref`` may name the definition they came from.
    """
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    columns: tuple[Column, ...] = ()
    """Without the leading Name column and the trailing Age one, which tables add when none is declared."""
    selectable_fields: tuple[str, ...] = ()
    """Besides metadata.name and metadata.namespace; paths without leading dot."""
    storage_version: str = ""
    custom: bool = False
    """True when it comes from a CRD or a binding (no protobuf, no strategic merge patch)."""
    scale: Mapping[str, str] = field(default_factory=dict)
    """specReplicasPath, statusReplicasPath, labelSelectorPath when the scale subresource is on."""
    deprecation: str = ""
    """What whoever uses this version is warned of; empty when there is nothing."""

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.gvk.group, self.plural)

    def subresource(self, name: str) -> Subresource | None:
        return next((s for s in self.subresources if s.name == name), None)
