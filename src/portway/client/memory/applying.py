"""The in-memory API's apply, which knows no schema and therefore no field owners.

Apply merges; what the same manager applied before and no longer applies is removed. Lists are replaced, except
the three that many managers share: finalizers (a set), ownerReferences (by uid) and conditions (by type).
"""

from __future__ import annotations

from typing import Any

_SHARED_LISTS = {"finalizers": "", "ownerReferences": "uid", "conditions": "type"}


def apply(live: Any, applied_before: Any, applied: Any, key: str = "") -> Any:
    if isinstance(applied, list) and key in _SHARED_LISTS:
        return _merge_lists(live or [], applied_before or [], applied, _SHARED_LISTS[key])
    if not isinstance(applied, dict):
        return applied
    before = applied_before if isinstance(applied_before, dict) else {}
    merged = {k: v for k, v in (live or {}).items() if k not in before or k in applied}
    for name, value in applied.items():
        merged[name] = apply(merged.get(name), before.get(name), value, name)
    return merged


def _merge_lists(live: list[Any], before: list[Any], applied: list[Any], by: str) -> list[Any]:
    def identity(item: Any) -> Any:
        return item[by] if by else item

    wanted = {identity(item): item for item in applied}
    dropped = {identity(item) for item in before} - set(wanted)
    kept = [wanted.pop(identity(item), item) for item in live if identity(item) not in dropped]
    return [*kept, *wanted.values()]
