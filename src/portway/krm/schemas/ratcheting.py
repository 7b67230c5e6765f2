"""On update, errors of parts that did not change do not stop the change of others.

Rules: k8s.io/apiextensions-apiserver pkg/apiserver/validation/ratcheting.go; what corresponds to what in lists:
k8s.io/apiserver pkg/cel/common/equality.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portway.krm.errors import Cause
from portway.krm.values import same


def split(
    causes: Iterable[Cause], schema: Mapping[str, Any], new: Any, old: Any
) -> tuple[tuple[Cause, ...], tuple[Cause, ...]]:
    """Those that count, and those that are ratcheted away."""
    counted: list[Cause] = []
    forgiven: list[Cause] = []
    for cause in causes:
        (forgiven if _unchanged(cause.field, schema, new, old) else counted).append(cause)
    return tuple(counted), tuple(forgiven)


def _unchanged(path: str, schema: Any, new: Any, old: Any) -> bool:
    """Whether the part at the path, or one around it, is as before."""
    if same(new, old):
        return True
    if path.partition(".")[0] in ("apiVersion", "kind"):
        return False
    while path:
        step = _step(path, new)
        if step is None:
            return False
        key, path = step
        old = _counterpart(schema, new, old, key)
        new = new[key]
        schema = _below(schema, key)
        if old is None:
            return False
        if same(new, old):
            return True
    return False


def _step(path: str, value: Any) -> tuple[Any, str] | None:
    """The next key and the rest of the path; None when the value has no such part."""
    if type(value) is list:
        index, _, rest = path.removeprefix("[").partition("]")
        if not path.startswith("[") or not index.isdigit() or int(index) >= len(value):
            return None
        return int(index), rest.removeprefix(".")
    if type(value) is not dict:
        return None
    for key in sorted(value, key=len, reverse=True):
        if path == key or (path.startswith(key) and path[len(key)] in ".["):
            return key, path[len(key) :].removeprefix(".")
    return None


def _counterpart(schema: Any, new: Any, old: Any, key: Any) -> Any:
    if type(old) is dict and type(new) is dict:
        return old.get(key)
    if type(old) is not list or not isinstance(schema, Mapping) or schema.get("x-kubernetes-list-type") != "map":
        return None
    names = schema.get("x-kubernetes-list-map-keys") or ()
    item = new[key]
    if type(item) is not dict:
        return None
    wanted = [item.get(name) for name in names]
    matching = (o for o in old if type(o) is dict and [o.get(name) for name in names] == wanted)
    return next(matching, None)


def _below(schema: Any, key: Any) -> Any:
    if not isinstance(schema, Mapping):
        return None
    if isinstance(key, int):
        return schema.get("items")
    properties = schema.get("properties") or {}
    return properties.get(key) or schema.get("additionalProperties")
