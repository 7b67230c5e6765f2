"""Managers and their entries in ``metadata.managedFields``: reading, writing, limits.

Source: k8s.io/apimachinery pkg/util/managedfields.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from portway.krm.apply import fieldsets
from portway.krm.apply.fieldsets import FieldSet, Path
from portway.krm.identity import Manifest

APPLY: Final = "Apply"
UPDATE: Final = "Update"
BEFORE_FIRST_APPLY: Final = "before-first-apply"
_ANCIENT: Final = "ancient-changes"
_MOST_UPDATERS: Final = 10
"""Older Update entries are merged into one, so that an object touched by many does not grow without end."""


class Manager(NamedTuple):
    """Who writes, and how. ``api_version`` is that of the request; ``operation`` is APPLY or UPDATE."""

    name: str
    operation: str = UPDATE
    api_version: str = ""
    subresource: str = ""

    @property
    def identity(self) -> Manager:
        """Entries are told apart by this: an applier stays itself when it changes the version it applies in."""
        return self._replace(api_version="") if self.operation == APPLY else self


@dataclass(slots=True)
class Entry:
    """What one manager owns. ``time`` is RFC 3339 in UTC."""

    fields: FieldSet
    api_version: str
    time: str = ""
    raw: tuple[FieldSet, dict[str, Any]] | None = None
    """The fields as they were read and their encoded form, which is used again while they stay the same."""

    def encoded(self) -> dict[str, Any]:
        if self.raw is not None and (self.raw[0] is self.fields or self.raw[0] == self.fields):
            return self.raw[1]
        return fieldsets.encode(self.fields)


@dataclass(slots=True)
class Managed:
    entries: dict[Manager, Entry] = field(default_factory=dict)

    def drop_empty(self) -> None:
        self.entries = {manager: entry for manager, entry in self.entries.items() if entry.fields}


def _meta(*names: str) -> Iterable[Path]:
    return ((("f:metadata", f"f:{name}")) for name in names)


NOT_OWNED: Final[FieldSet] = {
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *_meta(
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ),
}
"""Nobody owns what identifies an object or what only the server writes."""
_NOT_OWNED_AT_TOP: Final = [path[0] for path in NOT_OWNED if len(path) == 1 and path != ("f:metadata",)]
_NOT_OWNED_IN_METADATA: Final = frozenset((".", *(path[1] for path in NOT_OWNED if len(path) > 1)))


def _as_written(raw: Any) -> tuple[FieldSet, FieldSet]:
    fields = fieldsets.decode(raw)
    return fields, fields


def read(manifest: Manifest, sets: Callable[[Any], tuple[FieldSet, FieldSet]] = _as_written) -> Managed:
    """``sets`` gives the set that is written in FieldsV1, and what it means under today's schema.

    Raises ValueError when the entries cannot be understood.
    """
    managed = Managed()
    for raw in (manifest.get("metadata") or {}).get("managedFields") or ():
        if not isinstance(raw, dict) or raw.get("operation") not in (APPLY, UPDATE):
            raise ValueError("operation must be Apply or Update")
        if raw.get("fieldsType", "FieldsV1") != "FieldsV1":
            raise ValueError("fieldsType must be FieldsV1")
        version = str(raw.get("apiVersion", ""))
        manager = Manager(str(raw.get("manager", "")), raw["operation"], version, str(raw.get("subresource", "")))
        written, fields = sets(raw.get("fieldsV1") or {})
        entry = Entry(fields, version, str(raw.get("time") or ""), (written, raw.get("fieldsV1") or {}))
        managed.entries[manager.identity] = entry
    return managed


def write(manifest: Manifest, managed: Managed) -> Manifest:
    """The object with these entries; its metadata is copied, the rest shared."""
    for entry in managed.entries.values():
        if not entry.fields.isdisjoint(NOT_OWNED):
            entry.fields = entry.fields - NOT_OWNED
    managed.drop_empty()
    metadata = {k: v for k, v in (manifest.get("metadata") or {}).items() if k != "managedFields"}
    if managed.entries:
        ordered = sorted(managed.entries.items(), key=_order)
        metadata["managedFields"] = [
            _line(manager, entry.api_version, entry.time, entry.encoded()) for manager, entry in ordered
        ]
    return {**manifest, "metadata": metadata}


def write_first(manifest: Manifest, manager: Manager, fields: dict[str, Any], now: datetime.datetime) -> Manifest:
    """A new object, all of whose fields (FieldsV1) its maker owns; its metadata is copied, the rest shared."""
    for part in _NOT_OWNED_AT_TOP:
        fields.pop(part, None)
    metadata_fields = fields.get("f:metadata", {})
    owned = {part: below for part, below in metadata_fields.items() if part not in _NOT_OWNED_IN_METADATA}
    if owned:
        fields["f:metadata"] = owned
    else:
        fields.pop("f:metadata", None)
    metadata = {k: v for k, v in (manifest.get("metadata") or {}).items() if k != "managedFields"}
    if fields:
        metadata["managedFields"] = [_line(manager, manager.api_version, stamp(now), fields)]
    return {**manifest, "metadata": metadata}


def without(manifest: Manifest) -> Manifest:
    """The object without its entries, which are not part of what is merged and compared."""
    metadata = manifest.get("metadata") or {}
    if "managedFields" not in metadata:
        return manifest
    return {**manifest, "metadata": {k: v for k, v in metadata.items() if k != "managedFields"}}


def is_reset(manifest: Manifest) -> bool:
    """``[]`` or ``[{}]`` asks the server to forget all owners."""
    given = (manifest.get("metadata") or {}).get("managedFields")
    return given in ([], [{}])


def cap_updaters(managed: Managed) -> None:
    """Merge the oldest Update entries, per API version, until at most ten are left."""
    updaters = [(m, e) for m, e in managed.entries.items() if m.operation == UPDATE]
    surplus = len(updaters) - _MOST_UPDATERS
    first: dict[str, Manager] = {}
    for manager, entry in sorted(updaters, key=lambda pair: (pair[1].time, pair[0])):
        if surplus <= 0:
            return
        if entry.api_version not in first:
            first[entry.api_version] = manager
            continue
        bucket = Manager(_ANCIENT, UPDATE, entry.api_version)
        oldest = managed.entries.pop(first[entry.api_version])
        first[entry.api_version] = bucket
        known = managed.entries.pop(bucket, None)
        managed.entries.pop(manager, None)
        fields = oldest.fields | entry.fields | (known.fields if known else set())
        managed.entries[bucket] = Entry(fields, entry.api_version, entry.time)
        surplus -= 1


def stamp(now: datetime.datetime) -> str:
    return now.astimezone(datetime.UTC).isoformat(timespec="seconds")[:19] + "Z"


def display(manager: Manager, entry: Entry) -> str:
    """As conflicts name it: ``"kubectl-edit" with subresource "scale" using apps/v1``."""
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    if manager.operation == UPDATE:
        text += f" using {entry.api_version}"
    return text


def _order(pair: tuple[Manager, Entry]) -> tuple[str, ...]:
    manager, entry = pair
    return (manager.operation, entry.time, manager.name, entry.api_version, manager.subresource)


def _line(manager: Manager, api_version: str, time: str, fields: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        "subresource": manager.subresource,
    }
    return {key: value for key, value in line.items() if value or key == "fieldsV1"}
