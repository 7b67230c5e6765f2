"""Sets of fields: which places of an object somebody owns, and their FieldsV1 form.

A path is a tuple of serialized elements, as FieldsV1 spells them: ``f:<field>``, ``k:{"name":"a"}`` (an item by
its keys), ``v:"x"`` (an item of a set), ``i:0`` (by position).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from portway.krm.apply.atoms import Atom, ListAtom

Path = tuple[str, ...]
FieldSet = set[Path]


def element(value: Any) -> str:
    """``v:…`` of a scalar."""
    return _text_element(value) if type(value) is str else "v:" + _json(value)


def keyed(keys: dict[str, Any]) -> str:
    """``k:{…}`` of the keys of an item."""
    if len(keys) == 1:
        ((key, value),) = keys.items()
        if type(value) is str:
            return _text_key(key, value)
    normal = {key: _whole(value) for key, value in keys.items()}
    return "k:" + orjson.dumps(normal, option=orjson.OPT_SORT_KEYS).decode()


@lru_cache(maxsize=8192)
def _text_element(value: str) -> str:
    return "v:" + orjson.dumps(value).decode()


@lru_cache(maxsize=8192)
def _text_key(key: str, value: str) -> str:
    return "k:" + orjson.dumps({key: value}).decode()


def _json(value: Any) -> str:
    return orjson.dumps(_whole(value), option=orjson.OPT_SORT_KEYS).decode()


def _whole(value: Any) -> Any:
    """1.0 and 1 are one key."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class BadItem(ValueError):
    """An item of a set or keyed list that has no identity."""


def item_element(atom: ListAtom, item: Any) -> str:
    """The path element of an item of an associative list. Raises BadItem."""
    if not atom.keys:
        if isinstance(item, dict):
            raise BadItem("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise BadItem("not supported: associative list with lists as elements")
        if item is None:
            raise BadItem("associative list without keys has an element that's an explicit null")
        return element(item)
    if not isinstance(item, dict):
        kind = "a null element" if item is None else "non-map elements"
        raise BadItem(f"associative list with keys may not have {kind}")
    if len(atom.keys) == 1 and type(value := item.get(atom.keys[0])) is str:
        return _text_key(atom.keys[0], value)
    found: dict[str, Any] = {}
    for key in atom.keys:
        if key in item:
            found[key] = item[key]
        elif key in atom.defaults:
            found[key] = atom.defaults[key]
        else:
            raise BadItem(
                f'associative list with keys has an element that omits key field "{key}" '
                "(and doesn't have default value)"
            )
    return keyed(found)


def live_element(atom: ListAtom, item: Any, index: int) -> str:
    """As ``item_element`` for objects already stored: an item without identity goes by its position."""
    try:
        return item_element(atom, item)
    except BadItem:
        return f"i:{index}"


@dataclass(slots=True)
class Node:
    """A set as a tree, for walking it alongside a value."""

    member: bool = False
    children: dict[str, Node] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Iterable[Path]) -> Node:
        root = cls()
        for path in fields:
            node = root
            for part in path:
                node = node.children.setdefault(part, cls())
            node.member = True
        return root


def encode(fields: FieldSet) -> dict[str, Any]:
    """FieldsV1: nested objects, where ``.`` marks a parent that is a member itself. Shared: not to be changed."""
    return _encode(Node.of(fields)) if len(fields) > _REMEMBERED else _known(frozenset(fields))


_REMEMBERED = 200
"""Fields of the largest set whose encoded form is remembered: objects of one kind and maker mostly have the same."""


@lru_cache(maxsize=1024)
def _known(fields: frozenset[Path]) -> dict[str, Any]:
    return _encode(Node.of(fields))


def _encode(node: Node) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if node.member and node.children:
        result["."] = {}
    for part in sorted(node.children):
        result[part] = _encode(node.children[part])
    return result


def decode(fields: Any) -> FieldSet:
    """Raises ValueError for anything that is not FieldsV1."""
    found: FieldSet = set()
    waiting: list[tuple[Path, Any]] = [((), fields)]
    while waiting:
        path, below = waiting.pop()
        if not isinstance(below, dict):
            raise ValueError(f"fieldsV1 holds {below!r} at {'/'.join(path)}, expected an object")
        if path and (not below or "." in below):
            found.add(path)
        waiting += [((*path, _normal(part)), item) for part, item in below.items() if part != "."]
    return found


@lru_cache(maxsize=8192)
def _normal(part: str) -> str:
    kind, colon, rest = part.partition(":")
    if not colon or kind not in ("f", "k", "v", "i"):
        raise ValueError(f"fieldsV1 holds {part!r}, expected f:, k:, v: or i:")
    if kind == "k":
        keys = orjson.loads(rest)
        if not isinstance(keys, dict):
            raise ValueError(f"fieldsV1 holds {part!r}, expected an object of keys")
        return keyed(keys)
    return element(orjson.loads(rest)) if kind == "v" else part


def with_named_fields(fields: FieldSet, root: Atom) -> FieldSet:
    """The set, with every declared struct on the way to a member made a member too."""
    result = set(fields)
    atoms: dict[Path, Atom | None] = {(): root}

    def descend(path: Path) -> Atom | None:
        if path not in atoms:
            parent = descend(path[:-1])
            atoms[path] = _below(parent, path[-1])
            if _declared(parent, path[-1]):
                result.add(path)
        return atoms[path]

    for path in fields:
        if path[:-1] not in atoms:
            descend(path[:-1])
    return result


def _below(atom: Atom | None, part: str) -> Atom | None:
    if atom is None:
        return None
    if part.startswith("f:"):
        return atom.map.child(part[2:]) if atom.map else None
    return atom.list.element if atom.list else None


def _declared(atom: Atom | None, part: str) -> bool:
    return atom is not None and atom.map is not None and part.startswith("f:") and part[2:] in atom.map.fields


def reconciled(fields: FieldSet, root: Atom) -> FieldSet:
    """The set, where places that meanwhile became atomic are owned as a whole."""
    owners: dict[Path, Path] = {}
    atoms: dict[Path, Atom | None] = {(): root}

    def owner(path: Path) -> Path:
        """The path itself, or the atomic place above it."""
        parent = path[:-1]
        if not parent:
            return path
        above = owners.get(parent)
        if above is None:
            above = owners[parent] = owner(parent)
            atoms[parent] = _below(atoms.get(parent[:-1]), parent[-1])
        return above if above != parent or _is_whole(atoms[parent], path[-1]) else path

    return {owner(path) for path in fields}


def _is_whole(atom: Atom | None, part: str) -> bool:
    """Whether a typed place that has this element below it is atomic; deduced places are left as they are."""
    if atom is None or atom.scalar:
        return False
    if part.startswith("f:"):
        return atom.map is not None and atom.map.atomic
    return atom.list is not None and atom.list.atomic


def display(path: Path) -> str:
    """``.spec.ports[port=80,protocol="TCP"].name``, as conflicts show it."""
    return "".join(_display(part) for part in path)


def _display(part: str) -> str:
    kind, _, rest = part.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = orjson.loads(rest)
        return "[" + ",".join(f"{key}={_json(value)}" for key, value in keys.items()) + "]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"
