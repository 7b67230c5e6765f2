"""``x-kubernetes-list-type`` and ``x-kubernetes-map-type`` of a CRD's schema.

Rules and texts: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.schemas.compiling import Schema

_LIST, _MAP, _KEYS = "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-list-map-keys"


def check(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.get(_MAP) is not None:
        yield from must_be(schema, "object", f"if {_MAP} is specified", path)
        if schema[_MAP] not in ("atomic", "granular"):
            yield causes.unsupported(f"{path}.{_MAP}", schema[_MAP], ("atomic", "granular"))
    kind, keys = schema.get(_LIST), schema.get(_KEYS) or []
    if kind is not None:
        yield from must_be(schema, "array", f"if {_LIST} is specified", path)
        if kind not in ("atomic", "set", "map"):
            yield causes.unsupported(f"{path}.{_LIST}", kind, ("atomic", "set", "map"))
    if keys and kind is None:
        yield causes.required(f"{path}.{_LIST}", f"must be map if {_KEYS} is non-empty")
    elif keys and kind != "map":
        yield causes.invalid(f"{path}.{_LIST}", kind, f"must be map if {_KEYS} is non-empty")
    items: Any = schema.get("items")
    if kind == "map":
        yield from _map_list(items, keys, path)
    elif kind == "set" and isinstance(items, dict) and schema.get("type") == "array":
        yield from _set_list(items, path)


def must_be(schema: Schema, kind: str, why: str, path: str) -> Iterator[Cause]:
    if not schema.get("type"):
        yield causes.required(f"{path}.type", f"must be {kind} {why}")
    elif schema["type"] != kind:
        yield causes.invalid(f"{path}.type", schema["type"], f"must be {kind} {why}")


def _set_list(items: Schema, path: str) -> Iterator[Cause]:
    extension = {"array": _LIST, "object": _MAP}.get(items.get("type", ""))
    if extension is not None and items.get(extension, "atomic" if extension == _LIST else None) != "atomic":
        text = f"must be atomic as item of a list with {_LIST}=set"
        yield causes.invalid(f"{path}.items.{extension}", items.get(_LIST), text)
    yield from _not_nullable(items, "set", path)


def _not_nullable(items: Schema, kind: str, path: str) -> Iterator[Cause]:
    if items.get("nullable"):
        yield causes.forbidden(f"{path}.items.nullable", f"cannot be nullable when {_LIST} is {kind}")


def _map_list(items: Any, keys: list[str], path: str) -> Iterator[Cause]:
    if not keys:
        yield causes.required(f"{path}.{_KEYS}", f"must not be empty if {_LIST} is map")
    if not items:
        yield causes.required(f"{path}.items", f"must have a schema if {_LIST} is map")
    if not isinstance(items, dict) or not items:
        return
    yield from _not_nullable(items, "map", path)
    if items.get("type") == "object":
        yield from _map_keys(items, keys, path)
    else:
        text = f"must be object if parent array's {_LIST} is map"
        yield causes.invalid(f"{path}.items.type", items.get("type", ""), text)


def _map_keys(items: Schema, keys: list[str], path: str) -> Iterator[Cause]:
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        where, found = f"{path}.items.properties[{key}]", properties.get(key)
        if found is None:
            yield causes.invalid(f"{path}.{_KEYS}", keys, "entries must all be names of item properties")
        elif found.get("type") in ("array", "object"):
            text = f"must be a scalar type if parent array's {_LIST} is map"
            yield causes.invalid(f"{where}.type", items["type"], text)
        if key in keys[:index]:
            yield causes.invalid(f"{path}.{_KEYS}", keys, "must not contain duplicate entries")
            continue
        if found is None:
            continue
        what = f"this property is in {_KEYS}, so it"
        if key not in (items.get("required") or ()) and found.get("default") is None:
            yield causes.required(f"{where}.default", f"{what} must have a default or be a required property")
        if found.get("nullable"):
            yield causes.forbidden(f"{where}.nullable", f"{what} cannot be nullable")
