"""Strategic merge patch: a merge patch that knows which lists are keyed. Built-in kinds only.

Keys come from the schema: ``x-kubernetes-patch-strategy`` (``merge``, ``replace``, ``retainKeys``) and
``x-kubernetes-patch-merge-key``, else list types ``map`` and ``set``. Directives in the patch: ``$patch`` (replace,
delete, merge), ``$deleteFromPrimitiveList/<f>``, ``$setElementOrder/<f>``, ``$retainKeys``.
Source: k8s.io/apimachinery pkg/util/strategicpatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.krm import errors
from portway.krm.identity import Manifest
from portway.krm.schemas.metadata import with_type_and_meta
from portway.krm.values import copied, same

_PATCH, _RETAIN = "$patch", "$retainKeys"
_DELETE_PREFIX, _ORDER_PREFIX = "$deleteFromPrimitiveList/", "$setElementOrder/"

Schema = Mapping[str, Any]


def strategic_merge_patch(target: Manifest, patch: Any, schema: Schema) -> Manifest:
    """Raises StatusError 400 for a patch that is malformed or has unknown directives."""
    if not isinstance(patch, dict):
        raise errors.bad_request("a strategic merge patch must be an object")
    merged = _merge_map(target, patch, with_type_and_meta(schema))
    return copied(merged) if merged is not None else {}


def _merge_map(target: Any, patch: dict[str, Any], schema: Schema) -> dict[str, Any] | None:
    """None when the patch deletes the map."""
    current = target if isinstance(target, dict) else {}
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: item for key, item in patch.items() if key != _PATCH}
    if directive == "delete":
        return None
    if directive not in (None, "merge"):
        raise errors.bad_request(f"Unknown patch type: {directive}")
    merged = _retained(current, patch)
    for key, item in patch.items():
        if key.startswith(_DELETE_PREFIX):
            name = key.removeprefix(_DELETE_PREFIX)
            merged[name] = _without(merged.get(name), item, key)
    for key, item in patch.items():
        if key in (_PATCH, _RETAIN) or key.startswith((_DELETE_PREFIX, _ORDER_PREFIX)):
            continue
        _merge_field(merged, key, item, _child_schema(schema, key), patch.get(_ORDER_PREFIX + key))
    for key, order in patch.items():
        name = key.removeprefix(_ORDER_PREFIX)
        if name != key and name not in patch and isinstance(merged.get(name), list):
            merged[name] = _ordered(merged[name], order, _merge_key(_child_schema(schema, name)), set())
    return merged


def _retained(current: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    keep = patch.get(_RETAIN)
    if keep is None:
        return dict(current)
    if not isinstance(keep, list):
        raise errors.bad_request(f"{_RETAIN} must be a list of field names")
    return {key: item for key, item in current.items() if key in keep}


def _without(current: Any, gone: Any, key: str) -> list[Any]:
    if not isinstance(gone, list):
        raise errors.bad_request(f"{key} must be a list")
    return [item for item in current or () if not any(same(item, other) for other in gone)]


def _merge_field(merged: dict[str, Any], key: str, item: Any, schema: Schema, order: Any) -> None:
    if item is None:
        merged.pop(key, None)
    elif isinstance(item, dict):
        if _replaces(schema) and _PATCH not in item:
            merged[key] = item
            return
        below = _merge_map(merged.get(key), item, schema)
        if below is None:
            merged.pop(key, None)
        else:
            merged[key] = below
    elif isinstance(item, list) and _merges(schema):
        merged[key] = _merge_list(merged.get(key), item, schema, order)
    else:
        merged[key] = _plain_list(item) if isinstance(item, list) else item


def _merge_list(current: Any, patch: list[Any], schema: Schema, order: Any) -> list[Any]:
    existing = list(current) if isinstance(current, list) else []
    key = _merge_key(schema)
    if key is None:
        merged = existing + [item for index, item in enumerate(patch) if not _held(item, existing + patch[:index])]
        patched = {repr(item) for item in patch}
        return _ordered(merged, order, None, patched) if order is not None else merged
    items = schema.get("items") or {}
    if any(isinstance(item, dict) and item.get(_PATCH) == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and item.get(_PATCH) == "replace")]
    merged = existing
    named: set[str] = set()
    for item in patch:
        if not isinstance(item, dict):
            raise errors.bad_request(f"expected an object with {key!r} in a list merged by it, found {item!r}")
        if key not in item:
            raise errors.bad_request(f"map: {item} does not contain declared merge key: {key}")
        named.add(repr(item[key]))
        merged = _merge_item(merged, item, key, items)
    return _ordered(merged, order, key, named) if order is not None else merged


def _held(item: Any, items: list[Any]) -> bool:
    return any(same(item, other) for other in items)


def _merge_item(existing: list[Any], item: dict[str, Any], key: str, schema: Schema) -> list[Any]:
    def is_it(other: Any) -> bool:
        return isinstance(other, dict) and same(other.get(key), item[key])

    if item.get(_PATCH) == "delete":
        return [other for other in existing if not is_it(other)]
    if not any(is_it(other) for other in existing):
        fresh = _merge_map({}, item, schema)
        return existing if fresh is None else [*existing, fresh]
    return [_merge_map(other, item, schema) if is_it(other) else other for other in existing]


def _ordered(items: list[Any], order: Any, key: str | None, patched: set[str]) -> list[Any]:
    """Items named in the order come in that order; the others keep their place relative to what preceded them."""
    if not isinstance(order, list):
        raise errors.bad_request("$setElementOrder must be a list")

    def identity(item: Any) -> str:
        return repr(item.get(key) if key is not None and isinstance(item, dict) else item)

    rank = {identity(item): index for index, item in enumerate(order)}
    if patched - rank.keys():
        present = {identity(item) for item in items}
        if (patched & present) - rank.keys():
            raise errors.bad_request("The order in patch list doesn't match $setElementOrder list")
    named = sorted((item for item in items if identity(item) in rank), key=lambda item: rank[identity(item)])
    others = [(index, item) for index, item in enumerate(items) if identity(item) not in rank]
    result = list(named)
    place = {identity(item): index for index, item in enumerate(items)}
    for index, item in others:
        at = next((n for n, other in enumerate(result) if place[identity(other)] > index), len(result))
        result.insert(at, item)
    return result


def _plain_list(items: list[Any]) -> list[Any]:
    """A list that replaces: directives have no meaning in it and are dropped."""
    return [item for item in items if not (isinstance(item, dict) and _PATCH in item)]


def _child_schema(schema: Schema, key: str) -> Schema:
    child = (schema.get("properties") or {}).get(key)
    if child is None and isinstance(schema.get("additionalProperties"), dict):
        child = schema["additionalProperties"]
    return child or {}


def _strategies(schema: Schema) -> list[str]:
    return str(schema.get("x-kubernetes-patch-strategy") or "").split(",")


def _replaces(schema: Schema) -> bool:
    return "replace" in _strategies(schema)


def _merges(schema: Schema) -> bool:
    strategies = _strategies(schema)
    if strategies != [""]:
        return "merge" in strategies
    return schema.get("x-kubernetes-list-type") in ("map", "set")


def _merge_key(schema: Schema) -> str | None:
    named = schema.get("x-kubernetes-patch-merge-key")
    if named:
        return str(named)
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return str(keys[0]) if keys else None
