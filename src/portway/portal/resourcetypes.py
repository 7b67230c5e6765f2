"""Resource types as the portal needs them: which a workspace sees, and the client resource of their claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portway.apis import installing, resources
from portway.apis.platform import ResourceTypeSpec
from portway.client.contract import Resource
from portway.index import entities
from portway.index.catalogs import Readable
from portway.index.following import Index
from portway.krm.identity import Manifest
from portway.portal import icons

RESERVED = ("class", "id", "deletionPolicy")


@dataclass(frozen=True, slots=True)
class ResourceType:
    name: str
    workspace: str
    spec: ResourceTypeSpec

    @property
    def title(self) -> str:
        return self.spec.title or self.spec.kind

    @property
    def icon(self) -> str:
        return icons.of_type(self.spec.icon)

    @property
    def claims(self) -> Resource:
        return resources.claim(installing.plural_of(self.spec), self.spec.kind, self.spec.versions[0].name)

    @property
    def parameters(self) -> dict[str, Any]:
        """Schema of what a request asks, with the class among it."""
        schema = self.spec.versions[0].schema_
        properties = {k: v for k, v in (schema.get("properties") or {}).items() if k not in RESERVED}
        kind = {
            "type": "string",
            "title": "Class",
            "default": "default",
            "description": "Which kind of it; leave default if unsure.",
        }
        return {"type": "object", "required": schema.get("required") or [], "properties": {**properties, "class": kind}}


def visible(index: Index, workspace: str) -> list[ResourceType]:
    """What can be asked for in a workspace: its own types and those of its ancestors; the nearest of a name wins."""
    found: dict[str, ResourceType] = {}
    for place in _upward(workspace):
        for manifest in index.resource_types.within(place):
            if (type_ := _read(manifest, place)) and type_.name not in found:
                found[type_.name] = type_
    return sorted(found.values(), key=lambda t: t.title.lower())


def everywhere(index: Index, readable: Readable) -> list[ResourceType]:
    """All readable types, one of each name."""
    found: dict[str, ResourceType] = {}
    for manifest in index.resource_types.all(readable):
        if type_ := _read(manifest, entities.workspace_of(manifest)):
            found.setdefault(type_.name, type_)
    return sorted(found.values(), key=lambda t: t.title.lower())


def of_plural(index: Index, workspace: str, plural: str) -> ResourceType | None:
    return next((t for t in visible(index, workspace) if t.claims.plural == plural), None)


def of_kind(index: Index, workspace: str, kind: str) -> ResourceType | None:
    return next((t for t in visible(index, workspace) if t.spec.kind.lower() == kind.lower()), None)


def _upward(workspace: str) -> Iterator[str]:
    while workspace:
        yield workspace
        workspace = workspace.rpartition(":")[0]


def _read(manifest: Manifest, workspace: str) -> ResourceType | None:
    try:
        spec = ResourceTypeSpec.read(manifest.get("spec"))
    except ValueError:  # written before its schema was stricter: not offered
        return None
    return ResourceType(manifest["metadata"]["name"], workspace, spec)
