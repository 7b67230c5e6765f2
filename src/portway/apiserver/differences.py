"""What changed from one state of an object to the next, field by field. Pure.

Lists of objects that have a name (or type, key, id) are compared by it: ``spec.containers[name=web].image``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portway.krm.identity import Manifest

HIDDEN = "(hidden)"
_KEYS = ("name", "type", "key", "id")
_BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_PLACES = ("kcp.io/cluster", "kcp.io/path")


@dataclass(frozen=True, slots=True)
class Difference:
    """``was`` is None for what is new, ``now`` for what is gone."""

    path: str
    was: Any
    now: Any


def between(was: Manifest | None, now: Manifest | None, *, hide_values: bool = False) -> list[Difference]:
    """Without what every write changes. ``hide_values``: data and annotations tell only that they differ."""
    found = _compare("", _told(was or {}), _told(now or {}))
    if not hide_values:
        return found
    return [_hidden(difference) for difference in found]


def managers(was: Manifest | None, now: Manifest) -> list[str]:
    """The field managers that made the change: their entries are new, newer, or own more than before."""
    before = {_identity(entry): entry for entry in _entries(was or {})}
    after = _entries(now)
    found = [entry for entry in after if _is_newer(before.get(_identity(entry)), entry)]
    if not found and was is not None:  # the same manager, twice within a second
        latest = max((entry.get("time", "") for entry in after), default="")
        found = [entry for entry in after if entry.get("time", "") == latest]
    return list(dict.fromkeys(entry.get("manager", "") for entry in found))


def _entries(manifest: Manifest) -> list[Manifest]:
    return list((manifest.get("metadata") or {}).get("managedFields") or ())


def _identity(entry: Manifest) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in ("manager", "operation", "subresource", "apiVersion"))


def _is_newer(before: Manifest | None, entry: Manifest) -> bool:
    if before is None or before.get("time") != entry.get("time"):
        return True
    return not _holds(before.get("fieldsV1") or {}, entry.get("fieldsV1") or {})


def _holds(fields: Manifest, others: Manifest) -> bool:
    return all(name in fields and _holds(fields[name], below) for name, below in others.items())


def _told(manifest: Manifest) -> Manifest:
    metadata = {k: v for k, v in (manifest.get("metadata") or {}).items() if k not in _BOOKKEEPING}
    annotations = metadata.pop("annotations", None) or {}
    kept = {k: v for k, v in annotations.items() if k not in (_APPLIED, *_PLACES)}
    if kept:
        metadata["annotations"] = kept
    return {**{k: v for k, v in manifest.items() if k != "metadata"}, "metadata": metadata} if manifest else {}


def _compare(path: str, was: Any, now: Any) -> list[Difference]:
    if was == now:
        return []
    if isinstance(was, dict) and isinstance(now, dict):
        return [
            difference
            for name in [*was, *(name for name in now if name not in was)]
            for difference in _compare(_joined(path, name), was.get(name), now.get(name))
        ]
    if isinstance(was, list) and isinstance(now, list):
        key = _key_of(was, now)
        if key:
            return _compare_lists(path, key, was, now)
    return [Difference(path, was, now)]


def _compare_lists(path: str, key: str, was: list[Any], now: list[Any]) -> list[Difference]:
    before = {item[key]: item for item in was}
    after = {item[key]: item for item in now}
    found = [
        difference
        for name in [*before, *(name for name in after if name not in before)]
        for difference in _compare(f"{path}[{key}={name}]", before.get(name), after.get(name))
    ]
    return found or [Difference(path, was, now)]  # only their order differs


def _key_of(was: list[Any], now: list[Any]) -> str:
    """The field that tells items apart in both lists; empty when there is none."""
    items = [*was, *now]
    if not items or not all(isinstance(item, dict) for item in items):
        return ""
    for key in _KEYS:
        if all(isinstance(item.get(key), str) for item in items):
            names = [[item[key] for item in part] for part in (was, now)]
            if all(len(set(part)) == len(part) for part in names):
                return key
    return ""


def _joined(path: str, name: str) -> str:
    step = name if name.replace("-", "").replace("_", "").isalnum() else f"[{name}]"
    return f"{path}{'' if step.startswith('[') or not path else '.'}{step}"


def _hidden(difference: Difference) -> Difference:
    path = difference.path
    if path == "metadata":
        return Difference(path, _without_annotations(difference.was), _without_annotations(difference.now))
    if path.startswith(("data", "stringData", "metadata.annotations")):
        return Difference(path, _covered(difference.was), _covered(difference.now))
    return difference


def _without_annotations(metadata: Any) -> Any:
    if not isinstance(metadata, dict) or "annotations" not in metadata:
        return metadata
    return {**metadata, "annotations": _covered(metadata["annotations"])}


def _covered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _covered(each) for name, each in value.items()}
    return None if value is None else HIDDEN
