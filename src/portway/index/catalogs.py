"""All entities in memory: look-up, relations both ways, filters with facet counts, search."""

from __future__ import annotations

import itertools
import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from portway.index import entities, searching
from portway.index.entities import Entity
from portway.index.references import INVERSE, Key, Ref
from portway.krm.identity import Manifest

Readable = Callable[[str], bool]
"""Whether the user may read a workspace (its path)."""

FACETS: Mapping[str, Callable[[Entity], Iterable[str]]] = {
    "kind": lambda e: (e.kind,),
    "type": lambda e: (e.type,) if e.type else (),
    "owner": lambda e: (e.owner.short,) if e.owner else (),
    "lifecycle": lambda e: (e.lifecycle,) if e.lifecycle else (),
    "system": lambda e: (e.system.short,) if e.system else (),
    "tag": lambda e: e.tags,
}

SORTS: Mapping[str, Callable[[Entity], str]] = {
    "name": lambda e: e.label.lower(),
    "kind": lambda e: e.kind.lower(),
    "type": lambda e: e.type.lower(),
    "owner": lambda e: e.owner.short if e.owner else "",
    "lifecycle": lambda e: e.lifecycle.lower(),
    "system": lambda e: e.system.short if e.system else "",
    "health": lambda e: e.health,
}


_KINDS_FIRST = {
    kind: rank for rank, kind in enumerate(("component", "api", "system", "resource", "domain", "template"))
}
"""What people look for comes before who they are, as long as nothing is sorted or searched."""


@dataclass(frozen=True, slots=True)
class Query:
    """Values of one facet are alternatives, different facets must all hold."""

    text: str = ""
    filters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    only: frozenset[Key] | None = None
    """When given, nothing but these (mine, starred)."""
    sort: str = ""
    """A key of SORTS, with ``-`` before it for descending; empty: best match, then name."""
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Answer:
    entities: list[Entity]
    total: int
    facets: dict[str, list[tuple[str, int]]]
    """Per facet (value, count), most frequent first; each facet is counted as if it had no filter itself."""


@dataclass(frozen=True, slots=True)
class Relation:
    type: str
    ref: Ref
    target: Entity | None
    """None when nothing readable has that name."""


class _Row(NamedTuple):
    """What queries look at, worked out once when the entity is put: pages are read far more often."""

    usual: tuple[int, str]
    facets: tuple[tuple[str, ...], ...]
    """Values in the order of FACETS."""
    entity: Entity
    score: int = 1


class Catalog:
    def __init__(self) -> None:
        self._rows: dict[Key, _Row] = {}
        self._orders: dict[str, list[_Row]] = {}
        """All rows sorted, by sort; forgotten with every change."""
        self._entities: dict[Key, Entity] = {}
        self._named: dict[Ref, set[str]] = defaultdict(set)
        self._incoming: dict[Ref, set[Key]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._entities)

    def put(self, manifest: Manifest) -> None:
        entity = entities.read(manifest)
        self._forget(entity.key)
        self._orders.clear()
        self._entities[entity.key] = entity
        self._rows[entity.key] = _Row(_usual(entity), tuple(tuple(read(entity)) for read in FACETS.values()), entity)
        self._named[entity.ref].add(entity.workspace)
        for _, ref in entity.references:
            self._incoming[ref].add(entity.key)

    def remove(self, manifest: Manifest) -> None:
        self._forget(entities.key_of(manifest))

    def workspaces(self) -> set[str]:
        """Paths of the workspaces that have entities."""
        return {key.workspace for key in self._entities}

    def get(self, key: Key, readable: Readable) -> Entity | None:
        return self._entities.get(key) if readable(key.workspace) else None

    def all(self, readable: Readable, kind: str = "") -> list[Entity]:
        """All readable entities (of one lower-cased kind), by label."""
        allowed = {path for path in self.workspaces() if readable(path)}
        rows = (row.entity for row in self._ordered("name"))
        return [e for e in rows if e.key.workspace in allowed and (not kind or e.key.ref.kind == kind)]

    def resolve(self, ref: Ref, workspace: str, readable: Readable) -> Entity | None:
        """What a reference written in a workspace means: there, else nearest ancestor, else anywhere readable."""
        candidates = self._named.get(ref)
        if not candidates:
            return None
        place = workspace
        while place:
            if place in candidates and readable(place):
                return self._entities[Key(place, ref)]
            place = place.rpartition(":")[0]
        elsewhere = sorted(path for path in candidates if readable(path))
        return self._entities[Key(elsewhere[0], ref)] if elsewhere else None

    def relations(self, entity: Entity, readable: Readable) -> list[Relation]:
        """Both ways, each pair once, by type and name."""
        found: dict[tuple[str, Ref], Relation] = {}
        for type_, ref in entity.references:
            found[type_, ref] = Relation(type_, ref, self.resolve(ref, entity.workspace, readable))
        for key in self._incoming.get(entity.ref, ()):
            source = self.get(key, readable)
            meant = self.resolve(entity.ref, key.workspace, readable)
            if source is None or meant is None or meant.key != entity.key:
                continue
            for type_, ref in source.references:
                if ref == entity.ref and (INVERSE[type_], source.ref) not in found:
                    found[INVERSE[type_], source.ref] = Relation(INVERSE[type_], source.ref, source)
        return sorted(found.values(), key=lambda r: (r.type, r.ref))

    def query(self, query: Query, readable: Readable) -> Answer:
        rows = self._matching(query, readable)
        names = list(FACETS)
        wanted = [(at, query.filters[name]) for at, name in enumerate(names) if query.filters.get(name)]
        chosen = _filtered(rows, wanted)
        facets = {}
        for at, name in enumerate(names):
            own = query.filters.get(name, frozenset())
            counted = _filtered(rows, [pair for pair in wanted if pair[0] != at]) if own else chosen
            counts = Counter(itertools.chain.from_iterable([row.facets[at] for row in counted]))
            for value in own:
                counts.setdefault(value, 0)
            facets[name] = sorted(counts.items(), key=lambda item: (-item[1], item[0].lower()))
        if query.text.strip() and query.sort.removeprefix("-") not in SORTS:
            chosen.sort(key=operator.attrgetter("score"), reverse=True)
        page = chosen[query.offset : query.offset + query.limit]
        return Answer([row.entity for row in page], len(chosen), facets)

    def search(self, text: str, readable: Readable, limit: int = 20) -> list[Entity]:
        """Best first: exact names, then beginnings, then anything that contains every word."""
        return self.query(Query(text=text, limit=limit), readable).entities if text.strip() else []

    def memberships(self, user: str, groups: Iterable[str], readable: Readable) -> frozenset[Ref]:
        """The refs that own what a user owns: the user, the groups, and the groups above those (any depth)."""
        name = user.rpartition(":")[2].partition("@")[0].lower()
        refs = {Ref("user", "default", name)}
        refs |= {Ref("group", "default", group.rpartition(":")[2].lower()) for group in groups}
        pending = list(refs)
        while pending:
            ref = pending.pop()
            for workspace in tuple(self._named.get(ref, ())):
                entity = self.get(Key(workspace, ref), readable)
                if entity is None:
                    continue
                for relation in self.relations(entity, readable):
                    if relation.type in ("memberOf", "childOf") and relation.ref not in refs:
                        refs.add(relation.ref)
                        pending.append(relation.ref)
        return frozenset(refs)

    def owned(self, owners: frozenset[Ref], readable: Readable) -> list[Entity]:
        return [e for e in self.all(readable) if e.owner in owners]

    def _matching(self, query: Query, readable: Readable) -> list[_Row]:
        """In the order that is asked for."""
        allowed = {path for path in {key.workspace for key in self._rows} if readable(path)}
        rows = [row for row in self._ordered(query.sort) if row.entity.key.workspace in allowed]
        if query.only is not None:
            only = query.only
            rows = [row for row in rows if row.entity.key in only]
        if not query.text.strip():
            return rows
        search = searching.Search(query.text)
        return [row._replace(score=score) for row in rows if (score := search.score(row.entity))]

    def _ordered(self, sort: str) -> list[_Row]:
        sort = sort if sort.removeprefix("-") in SORTS else ""
        if sort not in self._orders:
            self._orders[sort] = _sorted(list(self._rows.values()), sort)
        return self._orders[sort]

    def _forget(self, key: Key) -> None:
        entity = self._entities.pop(key, None)
        if entity is None:
            return
        del self._rows[key]
        self._orders.clear()
        self._named[entity.ref].discard(entity.workspace)
        if not self._named[entity.ref]:
            del self._named[entity.ref]
        for _, ref in entity.references:
            self._incoming[ref].discard(key)
            if not self._incoming[ref]:
                del self._incoming[ref]


def _filtered(rows: list[_Row], wanted: list[tuple[int, frozenset[str]]]) -> list[_Row]:
    for at, values in wanted:
        rows = [row for row in rows if not values.isdisjoint(row.facets[at])]
    return rows


def _sorted(rows: list[_Row], sort: str) -> list[_Row]:
    name = sort.removeprefix("-")
    if name not in SORTS:
        return sorted(rows, key=operator.attrgetter("usual"))
    read = SORTS[name]
    by_name = sorted(rows, key=lambda row: row.usual[1])
    present = [row for row in by_name if read(row.entity)]
    present.sort(key=lambda row: read(row.entity), reverse=sort.startswith("-"))
    return present + [row for row in by_name if not read(row.entity)]


def _usual(entity: Entity) -> tuple[int, str]:
    return _KINDS_FIRST.get(entity.ref.kind, len(_KINDS_FIRST)), SORTS["name"](entity)
