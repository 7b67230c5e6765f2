"""JSON merge patch, RFC 7396."""

from __future__ import annotations

from typing import Any

from portway.krm import errors
from portway.krm.identity import Manifest
from portway.krm.values import copied


def merge_patch(target: Manifest, patch: Any) -> Manifest:
    """Raises StatusError 400 when the patch is not an object."""
    if not isinstance(patch, dict):
        raise errors.bad_request(f"a JSON merge patch of an object must be an object, not {type(patch).__name__}")
    merged: Manifest = _merge(target, patch)
    return copied(merged)


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, item in patch.items():
        if item is None:
            merged.pop(key, None)
        elif isinstance(item, dict):
            merged[key] = _merge(merged.get(key), item)
        else:
            merged[key] = item
    return merged
