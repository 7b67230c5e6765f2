"""What pickers offer: entities of the catalog that the user may read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portway.index.catalogs import Catalog, Readable
from portway.index.entities import Entity
from portway.index.references import Ref
from portway.portal.forms.fields import Option


@dataclass(frozen=True, slots=True)
class CatalogChoices:
    catalog: Catalog
    readable: Readable
    mine: frozenset[Ref] = frozenset()
    """The user and the user's groups."""

    def entities(self, picker: str, options: Mapping[str, Any]) -> list[Option]:
        filters = list(_filters(options))
        if picker == "OwnerPicker" and not filters:
            kinds = options.get("allowedKinds") or ["Group", "User"]
            filters = [{"kind": kinds}]
        found = []
        for entity in self.catalog.all(self.readable):
            if filters and not any(_matches(entity, wanted) for wanted in filters):
                continue
            if picker == "OwnedEntityPicker" and entity.owner not in self.mine:
                continue
            if picker == "MyGroupsPicker" and (entity.ref.kind != "group" or entity.ref not in self.mine):
                continue
            found.append(entity)
        if picker == "OwnerPicker":  # one's own groups first
            found.sort(key=lambda e: (e.ref not in self.mine, e.ref.kind != "group", e.label.lower()))
        return [Option(str(e.ref), _label(e)) for e in found]

    def owners(self) -> list[Option]:
        return self.entities("OwnerPicker", {})


def _label(entity: Entity) -> str:
    return f"{entity.label} ({entity.ref.short})" if entity.label.lower() != entity.ref.short else entity.label


def _filters(options: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    given = options.get("catalogFilter")
    if isinstance(given, Mapping):
        yield given
    elif isinstance(given, list):
        yield from (part for part in given if isinstance(part, Mapping))
    elif options.get("allowedKinds"):
        yield {"kind": options["allowedKinds"]}


def _matches(entity: Entity, wanted: Mapping[str, Any]) -> bool:
    for key, value in wanted.items():
        if not isinstance(key, str) or value is None:
            continue
        actual = _values(entity, key)
        if isinstance(value, Mapping):  # {exists: true}
            if bool(actual) != bool(value.get("exists", True)):
                return False
            continue
        accepted = {str(v).lower() for v in (value if isinstance(value, list) else [value])}
        if accepted.isdisjoint(v.lower() for v in actual):
            return False
    return True


def _values(entity: Entity, key: str) -> list[str]:
    """What a Backstage filter key says of an entity."""
    own = {
        "kind": [entity.kind],
        "metadata.name": [entity.name],
        "metadata.namespace": [entity.ref.namespace],
        "metadata.tags": list(entity.tags),
        "metadata.title": [entity.title],
    }
    if key in own:
        return own[key]
    if key.startswith("metadata.annotations."):
        notes = (entity.manifest.get("metadata") or {}).get("annotations") or {}
        value = notes.get(key.removeprefix("metadata.annotations."))
        return [str(value)] if value is not None else []
    place: Any = entity.manifest
    for part in key.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    if isinstance(place, list):
        return [str(v) for v in place]
    return [str(place)] if place is not None else []
