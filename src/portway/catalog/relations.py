"""Which spec fields are relations, and their pairs.

Source: Backstage's "Well-known relations between catalog entities".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from portway.catalog import references
from portway.catalog.references import EntityRef


class RelationField(NamedTuple):
    """A field of ``spec`` that refers to other entities."""

    field: str
    type: str
    """Relation from this entity to the one named."""
    inverse: str
    default_kind: str
    """Kind of a reference that names none; empty when it must be given."""


OWNER = RelationField("owner", "ownedBy", "ownerOf", "Group")
_SYSTEM = RelationField("system", "partOf", "hasPart", "System")
_DEPENDS_ON = RelationField("dependsOn", "dependsOn", "dependencyOf", "")
_DEPENDENCY_OF = RelationField("dependencyOf", "dependencyOf", "dependsOn", "")

FIELDS: Mapping[str, tuple[RelationField, ...]] = {
    "component": (
        OWNER,
        _SYSTEM,
        RelationField("subcomponentOf", "partOf", "hasPart", "Component"),
        RelationField("providesApis", "providesApi", "apiProvidedBy", "API"),
        RelationField("consumesApis", "consumesApi", "apiConsumedBy", "API"),
        _DEPENDS_ON,
        _DEPENDENCY_OF,
    ),
    "api": (OWNER, _SYSTEM),
    "resource": (OWNER, _SYSTEM, _DEPENDS_ON, _DEPENDENCY_OF),
    "system": (OWNER, RelationField("domain", "partOf", "hasPart", "Domain")),
    "domain": (OWNER, RelationField("subdomainOf", "partOf", "hasPart", "Domain")),
    "group": (
        RelationField("parent", "childOf", "parentOf", "Group"),
        RelationField("children", "parentOf", "childOf", "Group"),
        RelationField("members", "hasMember", "memberOf", "User"),
    ),
    "user": (RelationField("memberOf", "memberOf", "hasMember", "Group"),),
    "template": (OWNER,),
    "location": (),
}
"""By lower-cased kind."""


class Relation(NamedTuple):
    source: EntityRef
    type: str
    inverse: str
    target: EntityRef


def of(entity: EntityRef, spec: Mapping[str, Any]) -> Iterator[Relation]:
    """The relations an entity states. Unreadable references are passed over (reading reports them)."""
    for field in FIELDS.get(entity.kind, ()):
        for text in listed(spec.get(field.field)):
            try:
                target = references.parse(text, kind=field.default_kind, namespace=entity.namespace)
            except references.BadReference:
                continue
            yield Relation(entity, field.type, field.inverse, target)


def listed(value: Any) -> list[str]:
    """A field's references: one text or a list of texts; anything else counts as none."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str) and item.strip()]
    return []
