"""What apply must know of a schema: at each place a scalar, a list (atomic, set, keyed) or a map (atomic, granular).

A place without a schema is *deduced* from the value found there: lists atomic, maps granular.
Source: k8s.io/kube-openapi pkg/schemaconv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from portway.krm.schemas.compiling import Compiled, Schema
from portway.krm.schemas.metadata import with_type_and_meta


class Kind(IntEnum):
    MAP = 0
    SCALAR = 1
    LIST = 2


@dataclass(slots=True)
class MapAtom:
    fields: Mapping[str, Atom]
    """Declared ones: of these only leaves are ever owned."""
    element: Atom | None
    """Of fields not declared; None when the schema allows none."""
    atomic: bool = False

    def child(self, name: str) -> Atom | None:
        return self.fields.get(name, self.element)


@dataclass(slots=True)
class ListAtom:
    element: Atom
    atomic: bool = True
    keys: tuple[str, ...] = ()
    """Empty for a set."""
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Atom:
    scalar: str = ""
    """Type of the scalar allowed here (``string``, ``untyped`` …), empty when none is."""
    list: ListAtom | None = None
    map: MapAtom | None = None

    def kind(self, value: Any) -> Kind:
        """How this value is to be walked. Null, or a value of the wrong type, is walked as the schema says."""
        if isinstance(value, dict):
            if self.map is not None:
                return Kind.MAP
        elif isinstance(value, list_type):
            if self.list is not None:
                return Kind.LIST
        elif value is not None and self.scalar:
            return Kind.SCALAR
        if self.map is not None:
            return Kind.MAP
        return Kind.SCALAR if self.scalar else Kind.LIST


list_type = list
"""The builtin, which the field of the same name hides."""


def _untyped(*, atomic: bool) -> Atom:
    atom = Atom("untyped")
    atom.list = ListAtom(atom)
    atom.map = MapAtom({}, atom, atomic)
    return atom


DEDUCED = _untyped(atomic=False)
UNTYPED = _untyped(atomic=True)


def of(schema: Schema) -> Atom:
    """The atom of a whole object."""
    return _compiled(schema)


def _compile_root(schema: Schema) -> Atom:
    return _compile(with_type_and_meta(schema), preserve=False)


def _compile(schema: Schema, *, preserve: bool) -> Atom:
    if schema.get("x-kubernetes-embedded-resource"):
        schema = with_type_and_meta(schema)
    preserve = preserve or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if schema.get("x-kubernetes-int-or-string"):
        return Atom("untyped")
    kind = schema.get("type")
    if kind == "array":
        return Atom(list=_list(schema, preserve=preserve))
    if kind == "object" or (not kind and schema.get("properties")):
        return Atom(map=_map(schema, preserve=preserve))
    if not kind or not isinstance(kind, str):
        return DEDUCED if preserve else UNTYPED
    return Atom("numeric" if kind in ("integer", "number") else kind)


def _map(schema: Schema, *, preserve: bool) -> MapAtom:
    properties = schema.get("properties") or {}
    fields = {name: _compile(child, preserve=preserve) for name, child in properties.items()}
    additional = schema.get("additionalProperties")
    element: Atom | None
    if isinstance(additional, Mapping):
        element = _compile(additional, preserve=preserve)
    elif additional is True or preserve or (additional is None and not properties):
        element = DEDUCED
    else:
        element = None
    return MapAtom(fields, element, schema.get("x-kubernetes-map-type") == "atomic")


def _list(schema: Schema, *, preserve: bool) -> ListAtom:
    items = schema.get("items") or {}
    element = _compile(items, preserve=preserve)
    kind = schema.get("x-kubernetes-list-type")
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    if kind is None and "merge" in str(schema.get("x-kubernetes-patch-strategy") or "").split(","):
        key = schema.get("x-kubernetes-patch-merge-key")
        kind, keys = ("map", (key,)) if key else ("set", ())
    if kind == "map" and keys:
        properties = items.get("properties") or {}
        defaults = {k: properties[k]["default"] for k in keys if "default" in properties.get(k, {})}
        return ListAtom(element, False, keys, defaults)
    return ListAtom(element, kind != "set")


_compiled: Compiled[Atom] = Compiled(_compile_root)
