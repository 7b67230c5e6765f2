"""Patches and the in-memory API's apply, which knows no schema and therefore no field owners.

Apply merges; what the same manager applied before and no longer applies is removed. Lists are replaced, except
the three that many managers share: finalizers (a set), ownerReferences (by uid) and conditions (by type).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portway.krm import errors

_SHARED_LISTS = {"finalizers": "", "ownerReferences": "uid", "conditions": "type"}


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def json_patch(target: Any, operations: Sequence[dict[str, Any]]) -> Any:
    """RFC 6902 without copy and move. A failed ``test`` is StatusError 422."""
    for operation in operations:
        target = _operate(target, operation, _tokens(operation["path"]))
    return target


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


def _tokens(path: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


def _operate(target: Any, operation: dict[str, Any], tokens: list[str]) -> Any:
    verb = operation["op"]
    if not tokens:
        return _at_root(target, operation)
    head, rest = tokens[0], tokens[1:]
    copy: Any = list(target) if isinstance(target, list) else dict(target) if isinstance(target, dict) else None
    if copy is None:
        raise _unprocessable(f"{verb} {operation['path']}: missing parent")
    if rest:
        index = _existing(copy, head, operation)
        copy[index] = _operate(copy[index], operation, rest)
        return copy
    if verb == "add":
        _add(copy, head, operation["value"])
        return copy
    index = _existing(copy, head, operation)
    if verb == "remove":
        del copy[index]
    elif verb == "replace":
        copy[index] = operation["value"]
    elif verb != "test":
        raise errors.bad_request(f"unexpected patch operation {verb!r}")
    elif copy[index] != operation["value"]:
        raise _unprocessable(f"testing value {operation['path']} failed")
    return copy


def _at_root(target: Any, operation: dict[str, Any]) -> Any:
    if operation["op"] == "test" and target != operation["value"]:
        raise _unprocessable("testing value failed")
    return target if operation["op"] == "test" else operation["value"]


def _add(container: Any, head: str, value: Any) -> None:
    if isinstance(container, dict):
        container[head] = value
    elif head == "-":
        container.append(value)
    else:
        container.insert(int(head), value)


def _existing(container: Any, head: str, operation: dict[str, Any]) -> Any:
    if isinstance(container, dict) and head in container:
        return head
    if isinstance(container, list) and head.isdigit() and int(head) < len(container):
        return int(head)
    raise _unprocessable(f"{operation['op']} operation does not apply: missing path {operation['path']}")


def _unprocessable(message: str) -> errors.StatusError:
    return errors.StatusError(422, "Invalid", f"the server rejected our request: {message}")
