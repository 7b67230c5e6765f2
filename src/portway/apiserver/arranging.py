"""Who serves a name when several would: what is bound already, then CRDs, then bindings by age. Pure.

Names count within a group: plural, singular and short names among each other, kinds among each other.
Source: kcp pkg/reconciler/apis/apibinding/conflict_checker.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from portway.apiserver.crds import Definition
from portway.apiserver.exporting import Reference, Schema


@dataclass(frozen=True, slots=True)
class Offer:
    """What one binding would serve."""

    name: str
    reference: Reference
    schemas: Sequence[Schema]
    bound: Iterable[tuple[str, str]]
    """(group, resource) it serves already."""
    complete: bool
    """Whether it was bound once; before, one conflict keeps all of it out."""


@dataclass(slots=True)
class Arrangement:
    schemas: dict[str, list[Schema]] = field(default_factory=dict)
    """What each binding serves, by its name."""
    conflicts: dict[str, str] = field(default_factory=dict)
    """Why a binding does not serve all it would, by its name."""


def arrange(
    builtin: Iterable[tuple[str, str]], crds: Iterable[tuple[str, Definition]], offers: list[Offer]
) -> Arrangement:
    """``offers`` oldest first. ``builtin``: (group, resource) that nobody may take."""
    arrangement = Arrangement()
    fixed = builtin if isinstance(builtin, frozenset | dict) else frozenset(builtin)
    names: dict[tuple[str, str], str] = {}
    kinds: dict[tuple[str, str], str] = {}

    def conflict(schema: Schema) -> str:
        if (schema.group, schema.plural) in fixed:
            return f"spec.names.plural={schema.plural} is forbidden: it is built in"
        for taken, wanted, what in ((names, schema.names, "name"), (kinds, schema.kinds, "kind")):
            for text in sorted(wanted):
                owner = taken.get((schema.group, text))
                if owner is not None:
                    return f"naming conflict with {owner}: {what} {text!r} is forbidden"
        return ""

    def take(group: str, taken_names: Iterable[str], taken_kinds: Iterable[str], owner: str) -> None:
        for text in taken_names:
            names.setdefault((group, text), owner)
        for text in taken_kinds:
            kinds.setdefault((group, text), owner)

    def serve(offer: Offer, schema: Schema) -> None:
        owner = f'APIBinding "{offer.name}" bound to {offer.reference}'
        take(schema.group, schema.names, schema.kinds, owner)
        arrangement.schemas.setdefault(offer.name, []).append(schema)

    waiting: list[tuple[Offer, list[Schema]]] = []
    for offer in offers:
        later = []
        for schema in offer.schemas:
            kept = offer.complete and (schema.group, schema.plural) in offer.bound and not conflict(schema)
            if kept:
                serve(offer, schema)
            else:
                later.append(schema)
        waiting.append((offer, later))
    for name, definition in crds:
        take(definition.group, definition.names, definition.kinds, f'CustomResourceDefinition "{name}"')
    for offer, later in waiting:
        refused = [(schema, conflict(schema)) for schema in later]
        first = next((why for _, why in refused if why), "")
        if first:
            arrangement.conflicts[offer.name] = first
        for schema, why in refused:
            if not why and (offer.complete or not first):
                serve(offer, schema)
    return arrangement
