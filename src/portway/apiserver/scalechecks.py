"""The fields of a custom resource that its scale subresource speaks of.

Rules and texts: k8s.io/apiextensions-apiserver pkg/registry/customresource/validator.go, and apimachinery's
``unstructured`` for values of another type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_MOST = 2**31 - 1
_MAP = "map[string]interface {}"
_GO_TYPES = {str: "string", bool: "bool", int: "int64", float: "float64", list: "[]interface {}", dict: _MAP}


class WrongType(Exception):
    """A value on the way, or the one at its end."""


def check(scale: Mapping[str, str], manifest: Manifest) -> Iterator[Cause]:
    """``scale``: the paths of the subresource."""
    for field in ("specReplicasPath", "statusReplicasPath"):
        yield from _check_replicas(scale.get(field) or "", manifest)
    path = scale.get("labelSelectorPath") or ""
    try:
        _find(path, manifest, str)
    except WrongType as wrong:
        yield causes.invalid(path, "", str(wrong))


def _check_replicas(path: str, manifest: Manifest) -> Iterator[Cause]:
    try:
        replicas = _find(path, manifest, int) or 0
    except WrongType as wrong:
        yield causes.invalid(path, 0, str(wrong))
        return
    if replicas < 0:
        yield causes.invalid(path, replicas, "should be a non-negative integer")
    elif replicas > _MOST:
        yield causes.invalid(path, replicas, f"should be less than or equal to {_MOST}")


def _find(path: str, manifest: Manifest, kind: type) -> Any:
    """None where there is nothing. Raises WrongType."""
    value: Any = manifest
    seen = ""
    for part in path.split(".")[1:]:
        if type(value) is not dict:
            raise _wrong_type(seen, value, "map[string]interface{}")
        if part not in value:
            return None
        value, seen = value[part], f"{seen}.{part}"
    if path and type(value) is not kind:
        raise _wrong_type(path, value, _GO_TYPES[kind])
    return value if path else None


def _wrong_type(path: str, value: Any, expected: str) -> WrongType:
    shown = "<nil>" if value is None else str(value).lower() if type(value) is bool else value
    kind = _GO_TYPES.get(type(value), "<nil>")
    return WrongType(f"{path} accessor error: {shown} is of the type {kind}, expected {expected}")
