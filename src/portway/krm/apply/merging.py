"""Merges an applied value into the live one, and takes fields out of a value.

Rules: structured-merge-diff typed/merge.go and typed/remove.go. Values that nothing changes are returned as they are
(the same objects), which makes the comparison afterwards cheap; nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from portway.krm.apply.atoms import DEDUCED, Atom, Kind, ListAtom, MapAtom
from portway.krm.apply.fieldsets import FieldSet, Node, Path, live_element
from portway.krm.apply.walking import ABSENT, SCALARS, is_equal


def merge(atom: Atom, live: Any, applied: Any) -> Any:
    """The applied side wins; what only the live side has stays."""
    if applied is ABSENT or live is applied:
        return live
    if live is ABSENT:
        return applied
    kind = atom.kind(applied)
    if kind is Kind.MAP and atom.map is not None:
        left = live if isinstance(live, dict) else {}
        right = applied if isinstance(applied, dict) else {}
        if not atom.map.atomic and (left or right):
            return _merge_fields(atom.map, left, right)
    elif kind is Kind.LIST and atom.list is not None:
        lefts = live if isinstance(live, list) else []
        rights = applied if isinstance(applied, list) else []
        if not atom.list.atomic and (lefts or rights):
            return _merge_items(atom.list, lefts, rights)
    return applied


def _merge_fields(atom: MapAtom, live: dict[str, Any], applied: dict[str, Any]) -> dict[str, Any]:
    merged = dict(live)
    fields, element = atom.fields, atom.element or DEDUCED
    for name, item in applied.items():
        child, before = fields.get(name, element), live.get(name, ABSENT)
        if type(item) in SCALARS and child.scalar:
            merged[name] = item
        elif not is_equal(before, item):  # what is equal stays the same object
            merged[name] = merge(child, before, item)
    return merged


def _merge_items(atom: ListAtom, live: list[Any], applied: list[Any]) -> list[Any]:
    """Live items keep their places, shared ones come in the order of the applied list.

    Items that only the applied list has come before the next shared item.
    """
    lefts = [live_element(atom, item, index) for index, item in enumerate(live)]
    rights = [live_element(atom, item, index) for index, item in enumerate(applied)]
    ours = _unique(lefts, live)
    theirs = dict(zip(rights, applied, strict=True))
    left_parts = frozenset(lefts)
    shared = iter([part for part in rights if part in left_parts])
    following = next(shared, None)
    done: set[str] = set()
    out: list[Any] = []
    left = right = 0

    def take(part: str) -> None:
        done.add(part)
        out.append(merge(atom.element, ours.get(part, ABSENT), theirs[part]))

    while left < len(lefts) or right < len(rights):
        if left < len(lefts) and right < len(rights):
            part = lefts[left]
            if part == rights[right]:
                take(part)
                left, right, following = left + 1, right + 1, next(shared, None)
                continue
            if part in theirs and following is not None and following != part:
                left += 1
                continue
        if left < len(lefts):
            part = lefts[left]
            if part not in theirs:
                out.append(live[left])
                left += 1
                continue
            if part in done:
                left += 1
        if right < len(rights):
            part = rights[right]
            take(part)
            right += 1
            if part == following:
                following = next(shared, None)
    return out


def _unique(parts: list[str], items: list[Any]) -> dict[str, Any]:
    """Items by their element; one that stands in the live list twice cannot be merged with."""
    found: dict[str, Any] = {}
    for part, item in zip(parts, items, strict=True):
        found[part] = ABSENT if part in found else item
    return found


def remove(atom: Atom, value: Any, fields: FieldSet, kept: Collection[Path] = frozenset()) -> Any:
    """The value without these fields. A container that loses its last entry goes too, or stays empty when kept."""
    if not fields:
        return value
    left = _Removal(kept).value(atom, value, Node.of(fields), ())
    return {} if left is ABSENT else left


class _Removal:
    def __init__(self, kept: Collection[Path]) -> None:
        self._kept = kept

    def value(self, atom: Atom, value: Any, gone: Node, path: Path) -> Any:
        kind = atom.kind(value)
        if kind is Kind.MAP and atom.map is not None and isinstance(value, dict):
            left: Any = {} if atom.map.atomic else self._fields(atom.map, value, gone, path)
        elif kind is Kind.LIST and atom.list is not None and isinstance(value, list):
            left = [] if atom.list.atomic else self._items(atom.list, value, gone, path)
        else:
            return value
        return left if left or path in self._kept else ABSENT

    def _fields(self, atom: MapAtom, value: dict[str, Any], gone: Node, path: Path) -> dict[str, Any]:
        left: dict[str, Any] = {}
        for name, item in value.items():
            part = "f:" + name
            node = gone.children.get(part)
            if node is None:
                left[name] = item
            elif not node.member:
                rest = self.value(atom.child(name) or DEDUCED, item, node, (*path, part))
                if rest is not ABSENT:
                    left[name] = rest
        return left

    def _items(self, atom: ListAtom, value: list[Any], gone: Node, path: Path) -> list[Any]:
        left: list[Any] = []
        for index, item in enumerate(value):
            part = live_element(atom, item, index)
            node = gone.children.get(part)
            if node is None:
                left.append(item)
            elif not node.member:
                rest = self.value(atom.element, item, node, (*path, part))
                if rest is not ABSENT:
                    left.append(rest)
        return left
