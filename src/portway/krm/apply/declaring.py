"""Refuses applied configurations that do not fit the schema, before anything is merged.

Texts: structured-merge-diff typed/validate.go, as kube-apiserver passes them on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portway.krm import errors
from portway.krm.apply.atoms import Atom, Kind, ListAtom, MapAtom
from portway.krm.apply.fieldsets import BadItem, display, item_element
from portway.krm.identity import GroupVersionKind, Manifest

_NUMBERS = (int, float)


def check(atom: Atom, applied: Manifest) -> None:
    """Raises StatusError 400 naming every field that is undeclared, of a wrong type or given twice."""
    if _is_sound(atom, applied):
        return
    found = list(_problems(atom, applied, ""))
    if not found:
        return
    metadata = applied.get("metadata") or {}
    kind = GroupVersionKind.of(applied)
    what = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {kind.api_version}, Kind={kind.kind}"
    text = found[0] if len(found) == 1 else "errors:\n" + "\n".join(f"  {problem}" for problem in found)
    raise errors.bad_request(f"failed to create typed patch object ({what}): {text}")


_SURE: Mapping[str, tuple[type, ...]] = {"string": (str,), "boolean": (bool,), "numeric": (int, float)}


def _is_sound(atom: Atom, value: Any) -> bool:
    """Whether there is surely no problem: told without making paths. Where it is not sure, it says no."""
    if type(value) is dict:
        if atom.map is None:
            return False
        fields, element = atom.map.fields, atom.map.element
        for name, item in value.items():
            child = fields.get(name, element)
            if child is None or not (type(item) in _SURE.get(child.scalar, ()) or _is_sound(child, item)):
                return False
        return True
    if type(value) is list:
        return atom.list is not None and _are_sound(atom.list, value)
    return value is None or (bool(atom.scalar) and _fits(atom.scalar, value))


def _are_sound(atom: ListAtom, items: list[Any]) -> bool:
    if not atom.atomic:
        try:
            if len({item_element(atom, item) for item in items}) < len(items):
                return False
        except BadItem:
            return False
    return all(_is_sound(atom.element, item) for item in items)


def _problems(atom: Atom, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    kind = atom.kind(value)
    if kind is Kind.MAP and atom.map is not None:
        if isinstance(value, dict):
            yield from _field_problems(atom.map, value, path)
        else:
            yield f"{path}: expected map, got {_name(value)}"
    elif kind is Kind.LIST and atom.list is not None:
        if isinstance(value, list):
            yield from _item_problems(atom.list, value, path)
        else:
            yield f"{path}: expected list, got {_name(value)}"
    elif not _fits(atom.scalar, value):
        yield f"{path}: expected {atom.scalar}, got {_name(value)}"


def _field_problems(atom: MapAtom, value: dict[str, Any], path: str) -> Iterator[str]:
    for name, item in value.items():
        child = atom.child(name)
        if child is None:
            yield f"{path}.{name}: field not declared in schema"
        else:
            yield from _problems(child, item, f"{path}.{name}")


def _item_problems(atom: ListAtom, value: list[Any], path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        where = f"{path}[{index}]"
        if not atom.atomic:
            try:
                part = item_element(atom, item)
            except BadItem as bad:
                yield f"{path}: element {index}: {bad}"
                continue
            where = path + display((part,))
            if part in seen:
                yield f"{path}: duplicate entries for key {display((part,))}"
                continue
            seen.add(part)
        yield from _problems(atom.element, item, where)


def _fits(scalar: str, value: Any) -> bool:
    match scalar:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "numeric":
            return isinstance(value, _NUMBERS) and not isinstance(value, bool)
        case _:
            return not isinstance(value, dict | list)


def _name(value: Any) -> str:
    names = {dict: "map", list: "list", str: "string", bool: "boolean", int: "int", float: "float"}
    return names.get(type(value), type(value).__name__)
