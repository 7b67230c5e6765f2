"""The two operations on owned fields: apply a configuration, and record what an update changed.

Algorithm: structured-merge-diff merge/update.go, wrapped as apimachinery's managedfields does. Conversion between
versions changes nothing but apiVersion here, so that field sets of all versions are comparable.
"""

from __future__ import annotations

import datetime
from typing import Any

import orjson

from portway.krm import errors
from portway.krm.apply import declaring, fieldsets, managers, merging, upgrading, walking
from portway.krm.apply.atoms import Atom, of
from portway.krm.apply.fieldsets import FieldSet, Path
from portway.krm.apply.managers import Entry, Managed, Manager
from portway.krm.apply.walking import Comparison
from portway.krm.errors import Cause
from portway.krm.identity import Manifest
from portway.krm.schemas.compiling import Schema
from portway.krm.values import copied, same


def apply(
    live: Manifest | None,
    applied: Manifest,
    schema: Schema,
    manager: Manager,
    *,
    force: bool,
    now: datetime.datetime,
) -> Manifest:
    """The live object (None: there is none yet) with the configuration applied and managedFields brought up to date.

    Raises StatusError 409 with one FieldManagerConflict cause per field, 400 when the configuration does not fit the
    schema. An apply that changes nothing returns an object equal to the live one. The result
    shares nothing with the arguments. Defaults come after this.
    """
    if (applied.get("metadata") or {}).get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    applied = _without_null_metadata(managers.without(applied))
    atom = of(schema)
    declaring.check(atom, applied)
    manager = manager._replace(operation=managers.APPLY, api_version=applied.get("apiVersion", ""))
    managed = _owners(live, atom) if live is not None else Managed()
    before = managers.without(live) if live is not None else _empty(applied)
    if live is not None and not managed.entries:
        owner = Manager(managers.BEFORE_FIRST_APPLY, managers.UPDATE, str(live.get("apiVersion", "")))
        entry = Entry(walking.fieldset(atom, before), owner.api_version, managers.stamp(now))
        managed.entries[owner] = entry

    merged = merging.merge(atom, before, applied)
    last = managed.entries.get(manager.identity)
    fields = walking.fieldset(atom, applied) - managers.NOT_OWNED
    current = Entry(fields, manager.api_version, last.time if last else "", last.raw if last else None)
    managed.entries[manager.identity] = current
    if last is not None and not last.fields <= fields:
        merged = _prune(atom, merged, managed, last.fields, walking.empty_lists(atom, applied))
    comparison = walking.compare(atom, before, merged)
    _strip(managed, comparison, manager.identity, force=force, own=upgrading.own(manager, live, atom))
    if last is None or last.fields != fields or not same(before, merged):
        current.time = managers.stamp(now)
    result = copied(managers.write(merged, managed))
    upgrading.note(manager, live, applied, result)
    return result


def track_update(
    live: Manifest | None, new: Manifest, schema: Schema, manager: Manager, *, now: datetime.datetime
) -> Manifest:
    """The new object with managedFields saying that the manager changed what differs from the live one.

    Owners given in the new object replace the live ones; ``[]`` and ``[{}]`` forget them. An existing object without
    any owner stays so until the first apply. Fields go to the updater without asking: an update never conflicts.
    """
    atom = of(schema)
    managed = _owners_for_update(live, new, atom)
    after = managers.without(new)
    if live is not None and not managed.entries:
        return after
    manager = manager._replace(operation=managers.UPDATE, api_version=new.get("apiVersion", manager.api_version))
    if live is None and not managed.entries:
        return managers.write_first(after, manager, walking.tree(atom, after), now)
    before = managers.without(live) if live is not None else _empty(new)
    comparison = walking.compare(atom, before, after)
    _strip(managed, comparison, None, force=True)
    changed = comparison.modified | comparison.added
    if changed:
        previous = managed.entries.get(manager.identity)
        entry = Entry(changed, manager.api_version, managers.stamp(now))
        if previous is not None:
            entry.fields = previous.fields if changed <= previous.fields else changed | previous.fields
            entry.raw = previous.raw
        managed.entries[manager.identity] = entry
    managers.cap_updaters(managed)
    return managers.write(after, managed)


def _without_null_metadata(manifest: Manifest) -> Manifest:
    """``creationTimestamp: null``, which Go clients write for an absent time, must not erase the live one."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or None not in metadata.values():
        return manifest
    return {**manifest, "metadata": {name: item for name, item in metadata.items() if item is not None}}


def _empty(manifest: Manifest) -> Manifest:
    return {key: manifest[key] for key in ("apiVersion", "kind") if key in manifest}


def _owners(manifest: Manifest, atom: Atom) -> Managed:
    """Entries that cannot be read are forgotten: they must not make an object unusable."""
    try:
        return managers.read(manifest, lambda raw: _read(raw, atom))
    except ValueError:
        return Managed()


_known: dict[tuple[int, bytes], tuple[Atom, FieldSet, FieldSet]] = {}
_KNOWN_LIMIT, _KNOWN_BYTES = 1024, 8192


def _read(raw: Any, atom: Atom) -> tuple[FieldSet, FieldSet]:
    """The set as it is written and as it is today, remembered: objects of one kind mostly have the same owners."""
    text = orjson.dumps(raw)
    known = _known.get((id(atom), text))
    if known is not None and known[0] is atom:
        return known[1], known[2]
    written = fieldsets.decode(raw)
    today = fieldsets.reconciled(written, atom)
    if len(text) <= _KNOWN_BYTES:
        if len(_known) >= _KNOWN_LIMIT:
            _known.clear()
        _known[id(atom), text] = (atom, written, today)
    return written, today


def _owners_for_update(live: Manifest | None, new: Manifest, atom: Atom) -> Managed:
    if managers.is_reset(new):
        return Managed()
    given = _owners(new, atom)
    if given.entries or live is None:
        return given
    return _owners(live, atom)


def _prune(atom: Atom, merged: Manifest, managed: Managed, last: FieldSet, given: FieldSet) -> Manifest:
    """Take away what the applier owned and no longer applies, unless somebody else owns it.

    Containers that are owned, or ``given`` as empty lists, stay when they lose their last entry.
    """
    named = fieldsets.with_named_fields
    last = named(last, atom)
    pruned = merging.remove(atom, merged, last)
    every = named(walking.fieldset(atom, merged), atom)
    owned = {path for entry in managed.entries.values() for path in entry.fields}
    kept = owned | given
    held = named(kept, atom)
    pruned = merging.remove(atom, merged, every - named(walking.fieldset(atom, pruned), atom) - held, kept)
    gone = every - named(walking.fieldset(atom, pruned), atom)
    result: Manifest = merging.remove(atom, merged, (gone & last) - held, kept)
    return result


def _strip(
    managed: Managed,
    comparison: Comparison,
    current: Manager | None,
    *,
    force: bool,
    own: FieldSet | None = None,
) -> None:
    """Take changed fields from all other managers, or refuse when that needs force; removed fields leave all.

    ``own``: fields that may be taken without force.
    """
    changed = comparison.modified | comparison.added
    conflicts: dict[Manager, FieldSet] = {}
    for manager, entry in managed.entries.items():
        if manager != current and (contested := entry.fields & changed):
            conflicts[manager] = contested
    refused = {manager: fields for manager, every in conflicts.items() if (fields := every - (own or set()))}
    if refused and not force:
        raise _conflict(managed, refused)
    for manager, entry in managed.entries.items():
        if manager != current and (manager in conflicts or comparison.removed):
            entry.fields = entry.fields - conflicts.get(manager, set()) - comparison.removed
    managed.drop_empty()


def _conflict(managed: Managed, conflicts: dict[Manager, FieldSet]) -> errors.StatusError:
    found: list[tuple[str, Path]] = []
    for manager, contested in sorted(conflicts.items()):
        who = managers.display(manager, managed.entries[manager])
        found += [(who, path) for path in sorted(contested)]
    causes = tuple(
        Cause("FieldManagerConflict", f"conflict with {who}", fieldsets.display(path)) for who, path in found
    )
    return errors.StatusError(409, "Conflict", _message(found), causes=causes)


def _message(found: list[tuple[str, Path]]) -> str:
    if len(found) == 1:
        who, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {who}: {fieldsets.display(path)}"
    lines: list[str] = []
    last = ""
    for who, path in found:
        if who != last:
            lines.append(f"conflicts with {who}:")
            last = who
        lines.append(f"- {fieldsets.display(path)}")
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)
