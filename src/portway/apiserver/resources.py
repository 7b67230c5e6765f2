"""Resources as a workspace serves them. Sets are immutable and shared by all workspaces that serve the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from portway.apiserver import eventforms, exportforms
from portway.krm.identity import Manifest
from portway.krm.served import Served


@dataclass(frozen=True, slots=True, eq=False)
class WebhookConversion:
    """Versions of a CRD are converted by a webhook."""

    client_config: Manifest
    review_versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forms:
    """Versions (or groups) of a built-in kind that are forms of one object."""

    convert: Callable[[Manifest, str], Manifest]
    """An object into the form of an apiVersion."""
    stored: str
    """The apiVersion that is stored."""


_FORMS: Mapping[tuple[str, str], tuple[str, Forms]] = {
    (eventforms.GROUP, "events"): ("events", Forms(eventforms.convert, eventforms.CORE_VERSION)),
    **{
        (exportforms.GROUP, plural): (
            f"{plural}.{exportforms.GROUP}",
            Forms(exportforms.convert, exportforms.CURRENT),
        )
        for plural in ("apibindings", "apiexports")
    },
}
"""By group and resource: the resource in store keys, and its forms."""


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One served version, with what storing needs."""

    served: Served
    key: str
    """Resource part of store keys: ``configmaps``, ``widgets.example.org``."""
    changed_at: int = 0
    """Revision of the schema. Older objects may lack its defaults and get them when read."""
    has_defaults: bool = False
    terminating: bool = False
    """The CRD is being deleted: objects may be read and deleted, not created."""

    conversion: WebhookConversion | Forms | None = None
    """Of versions that differ in more than apiVersion; see ``conversions``."""

    @property
    def storage_api_version(self) -> str:
        if isinstance(self.conversion, Forms):
            return self.conversion.stored
        group = self.served.gvk.group
        version = self.served.storage_version or self.served.gvk.version
        return f"{group}/{version}" if group else version

    @property
    def has_status(self) -> bool:
        return self.served.subresource("status") is not None


def of(
    served: Served, *, changed_at: int = 0, terminating: bool = False, conversion: WebhookConversion | None = None
) -> Resource:
    group = served.gvk.group
    forms = _FORMS.get((group, served.plural)) if not served.custom else None
    if forms is not None:
        return Resource(served, forms[0], conversion=forms[1])
    key = f"{served.plural}.{group}" if group else served.plural
    return Resource(served, key, changed_at, served.custom and has_defaults(served.schema), terminating, conversion)


def ending(resource: Resource) -> Resource:
    """The resource while what brought it is being deleted."""
    return replace(resource, terminating=True)


def has_defaults(schema: Mapping[str, Any]) -> bool:
    if "default" in schema:
        return True
    nested: list[Any] = list((schema.get("properties") or {}).values())
    nested += [schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(child, Mapping) and has_defaults(child) for child in nested)


class Source(NamedTuple):
    """The API export a bound resource comes from."""

    cluster: str
    export: str


class ResourceSet:
    """What one or many workspaces serve; ``extra`` comes on top of ``base`` (the built-in kinds)."""

    def __init__(
        self, extra: Iterable[Resource], base: ResourceSet | None = None, sources: Mapping[str, Source] | None = None
    ) -> None:
        self._base = base
        self.sources: Mapping[str, Source] = sources or {}
        """Where bound resources come from, by their key."""
        self._index: dict[tuple[str, str, str], Resource] = {}
        for resource in extra:
            gvk = resource.served.gvk
            self._index.setdefault((gvk.group, gvk.version, resource.served.plural), resource)
        self.documents: dict[str, Any] = {}
        """Discovery and OpenAPI documents made from this set, by name; filled on demand."""

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        key = (group, version, plural)
        found = self._base._index.get(key) if self._base is not None else None
        return found or self._index.get(key)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """The built-in ones first, then what the workspace defines, then what it binds.

        In each part groups stand by the names of their API services (``v1.example.org``), as upstream.
        """
        if self._base is None:
            return tuple(self._index.values())
        own = [resource for key, resource in self._index.items() if key not in self._base._index]
        first: dict[str, str] = {}
        for resource in own:
            gvk = resource.served.gvk
            name = f"{gvk.version}.{gvk.group}"
            first[gvk.group] = min(first.get(gvk.group, name), name)
        own.sort(key=lambda resource: (resource.key in self.sources, first[resource.served.gvk.group]))
        return (*self._base.resources, *own)

    @cached_property
    def served(self) -> tuple[Served, ...]:
        return tuple(resource.served for resource in self.resources)

    def has_group_version(self, group: str, version: str) -> bool:
        return any((s.gvk.group, s.gvk.version) == (group, version) for s in self.served)

    def of_kind(self, group: str, kind: str) -> Resource | None:
        return next((r for r in self.resources if (r.served.gvk.group, r.served.gvk.kind) == (group, kind)), None)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The resources one CRD or one API export brings, with an identity for sharing sets."""

    identity: tuple[str, ...]
    resources: tuple[Resource, ...] = field(default=(), compare=False)
    source: Source | None = None
