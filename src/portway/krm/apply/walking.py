"""Walks a value along its atoms: the set of its fields, and what differs between two values.

Rules: structured-merge-diff typed/tofieldset.go and typed/compare.go. Leaves and atomic values are members; of lists
every item is; of maps a key that is undeclared, null or an empty map; declared structs are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from portway.krm.apply.atoms import DEDUCED, Atom, Kind, ListAtom, MapAtom
from portway.krm.apply.fieldsets import FieldSet, Path, live_element
from portway.krm.values import same


class Absent:
    """No value at all, which is not null."""


ABSENT: Final = Absent()


SCALARS: Final = frozenset((str, int, float, bool))
"""Types of values that are walked as scalars wherever the schema allows one."""


def fieldset(atom: Atom, value: Any) -> FieldSet:
    """The fields a value has."""
    found: FieldSet = set()
    _collect(atom, value, (), found)
    found.discard(())
    return found


def _collect(atom: Atom, value: Any, path: Path, found: FieldSet) -> None:
    kind = atom.kind(value)
    if kind is Kind.MAP and atom.map is not None:
        if atom.map.atomic:
            found.add(path)
        elif isinstance(value, dict):
            _collect_fields(atom.map, value, path, found)
    elif kind is Kind.LIST and atom.list is not None:
        if atom.list.atomic:
            found.add(path)
        elif isinstance(value, list):
            _collect_items(atom.list, value, path, found)
    else:
        found.add(path)


def _collect_fields(atom: MapAtom, value: dict[str, Any], path: Path, found: FieldSet) -> None:
    fields, element = atom.fields, atom.element or DEDUCED
    for name, item in value.items():
        below = (*path, "f:" + name)
        child = fields.get(name, element)
        if type(item) in SCALARS and child.scalar:
            found.add(below)
            continue
        _collect(child, item, below, found)
        if item is None or item == {} or name not in fields:
            found.add(below)


def _collect_items(atom: ListAtom, value: list[Any], path: Path, found: FieldSet) -> None:
    elements = [live_element(atom, item, index) for index, item in enumerate(value)]
    repeated = _repeated(elements)
    for part, item in zip(elements, value, strict=True):
        below = (*path, part)
        found.add(below)
        if part not in repeated:
            _collect(atom.element, item, below, found)


def _repeated(elements: list[str]) -> frozenset[str]:
    if len(set(elements)) == len(elements):
        return frozenset()
    return frozenset(part for part in elements if elements.count(part) > 1)


def empty_lists(atom: Atom, value: Any, path: Path = ()) -> FieldSet:
    """Places of empty sets and keyed lists, which nobody can own but which were given all the same."""
    found: FieldSet = set()
    if isinstance(value, dict) and atom.map is not None and not atom.map.atomic:
        for name, item in value.items():
            if isinstance(item, dict | list):
                found |= empty_lists(atom.map.child(name) or DEDUCED, item, (*path, "f:" + name))
    elif isinstance(value, list) and atom.list is not None and not atom.list.atomic:
        if not value:
            found.add(path)
        for index, item in enumerate(value):
            if isinstance(item, dict):
                found |= empty_lists(atom.list.element, item, (*path, live_element(atom.list, item, index)))
    return found


@dataclass(slots=True)
class Comparison:
    """``added`` and ``removed`` also hold the parents that came or went."""

    added: FieldSet = field(default_factory=set)
    removed: FieldSet = field(default_factory=set)
    modified: FieldSet = field(default_factory=set)

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.modified)


def compare(atom: Atom, before: Any, after: Any) -> Comparison:
    result = Comparison()
    _compare(atom, before, after, (), result)
    for fields in (result.added, result.removed, result.modified):
        fields.discard(())
    return result


def _compare(atom: Atom, before: Any, after: Any, path: Path, out: Comparison) -> None:
    if before is after:
        return
    if before is ABSENT:
        _add(atom, after, path, out.added)
        return
    fields = atom.map
    if type(before) is dict is type(after) and fields is not None and not fields.atomic and (before or after):
        _compare_fields(fields, before, after, path, out)  # the common case, told without asking for kinds
        return
    kinds = [atom.kind(value) for value in (before, after) if value is not ABSENT]
    leaf = False
    for kind in dict.fromkeys(kinds):
        leaf = _compare_as(kind, atom, before, after, path, out)
    if not leaf and after is ABSENT:
        out.removed.add(path)


def _compare_as(kind: Kind, atom: Atom, before: Any, after: Any, path: Path, out: Comparison) -> bool:  # noqa: PLR0917
    """True when the place is a leaf."""
    if kind is Kind.MAP and atom.map is not None:
        old, new = _as(dict, before), _as(dict, after)
        if not atom.map.atomic and (old or new):
            _compare_fields(atom.map, old or {}, new or {}, path, out)
            return False
    elif kind is Kind.LIST and atom.list is not None:
        olds, news = _as(list, before), _as(list, after)
        if not atom.list.atomic and (olds or news):
            _compare_items(atom.list, olds or [], news or [], path, out)
            return False
    if after is ABSENT:
        out.removed.add(path)
    elif not same(before, after):
        out.modified.add(path)
    return True


def _add(atom: Atom, value: Any, path: Path, added: FieldSet) -> None:
    """All places of a value that was not there before."""
    added.add(path)
    kind = atom.kind(value)
    if kind is Kind.MAP and atom.map is not None and not atom.map.atomic and isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, dict | list):
                _add(atom.map.child(name) or DEDUCED, item, (*path, "f:" + name), added)
            else:
                added.add((*path, "f:" + name))
    elif kind is Kind.LIST and atom.list is not None and not atom.list.atomic and isinstance(value, list):
        for part, items in _grouped(atom.list, value).items():
            if len(items) == 1:
                _add(atom.list.element, items[0], (*path, part), added)
            else:
                added.add((*path, part))


def tree(atom: Atom, value: Any) -> dict[str, Any]:
    """FieldsV1 of all places of a value that was not there before, what ``compare`` finds added; without ``.``.

    Told in one walk, as most objects are created by one manager. What is below the top is shared: not to be changed.
    """
    return {part: below for part, below in _tree(atom, value).items() if part != "."}


_LEAF: Final[dict[str, Any]] = {}


def _tree(atom: Atom, value: Any) -> dict[str, Any]:
    kind = atom.kind(value)
    below: dict[str, Any] = {".": _LEAF}
    if kind is Kind.MAP and atom.map is not None and not atom.map.atomic and value and type(value) is dict:
        fields, element = atom.map.fields, atom.map.element or DEDUCED
        for name in sorted(value):
            item = value[name]
            is_leaf = not isinstance(item, dict | list)
            below["f:" + name] = _LEAF if is_leaf else _tree(fields.get(name, element), item)
        return below
    if kind is Kind.LIST and atom.list is not None and not atom.list.atomic and value and type(value) is list:
        for part, items in sorted(_grouped(atom.list, value).items()):
            below[part] = _tree(atom.list.element, items[0]) if len(items) == 1 else _LEAF
        return below
    return _LEAF


def _as(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else None


def _compare_fields(atom: MapAtom, before: dict[str, Any], after: dict[str, Any], path: Path, out: Comparison) -> None:
    for name, old in before.items():
        new = after.get(name, ABSENT)
        if old is not new and not is_equal(old, new):
            _compare(atom.child(name) or DEDUCED, old, new, (*path, "f:" + name), out)
    for name, new in after.items():
        if name not in before:
            _compare(atom.child(name) or DEDUCED, ABSENT, new, (*path, "f:" + name), out)


def is_equal(old: Any, new: Any) -> bool:
    """Whether two values are surely the same, told without walking them in Python."""
    if type(old) is not type(new) or old != new:
        return False
    if type(old) is dict or type(old) is list:  # Python takes true for 1
        return bool(orjson.dumps(old) == orjson.dumps(new))
    return True


def _compare_items(atom: ListAtom, before: list[Any], after: list[Any], path: Path, out: Comparison) -> None:
    olds, news = _grouped(atom, before), _grouped(atom, after)
    for part in dict.fromkeys([*olds, *news]):
        old, new = olds.get(part, []), news.get(part, [])
        below = (*path, part)
        if len(old) <= 1 and len(new) <= 1:
            _compare(atom.element, old[0] if old else ABSENT, new[0] if new else ABSENT, below, out)
        elif len(old) > 1 and len(new) > 1:
            if not same(old, new):
                out.modified.add(below)
        elif len(old) > 1:
            if new:
                _compare(atom.element, ABSENT, new[0], below, out)
            out.removed.add(below)
        else:
            if old:
                _compare(atom.element, old[0], ABSENT, below, out)
            out.added.add(below)


def _grouped(atom: ListAtom, items: list[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for index, item in enumerate(items):
        groups.setdefault(live_element(atom, item, index), []).append(item)
    return groups
