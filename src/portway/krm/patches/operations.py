"""JSON patch, RFC 6902, with JSON pointers of RFC 6901."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from portway.krm import errors
from portway.krm.identity import Manifest
from portway.krm.values import copied, same

MAX_OPERATIONS = 10_000
"""As kube-apiserver bounds a JSON patch."""


def json_patch(target: Manifest, operations: Any) -> Manifest:
    """Raises StatusError 400 for what is no list of objects, 422 for what is no operation or does not fit."""
    if not isinstance(operations, list):
        raise errors.bad_request("a JSON patch must be a list of operations")
    if len(operations) > MAX_OPERATIONS:
        raise errors.StatusError(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}",
        )
    document: Any = copied(target)
    for index, operation in enumerate(operations):
        if not isinstance(operation, dict):
            raise errors.bad_request(f"JSON patch operation {index} must be an object with op and path")
        apply = _OPERATIONS.get(str(operation.get("op")))
        if apply is None:
            raise _unprocessable(
                f"JSON patch operation {index} has op {operation.get('op')!r}, expected {', '.join(_OPERATIONS)}"
            )
        document = apply(document, operation)
    if not isinstance(document, dict):
        raise _unprocessable("the patch replaces the object by something that is none")
    return document


def _unprocessable(message: str) -> errors.StatusError:
    return errors.StatusError(
        422, "Invalid", f"the server rejected our request due to an error in our request: {message}"
    )


def _pointer(operation: Mapping[str, Any], name: str) -> list[str]:
    pointer = operation.get(name)
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise _unprocessable(f"JSON patch {operation['op']} needs {name}, a pointer such as /metadata/labels/a")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise _unprocessable(f"JSON patch {operation['op']} at {operation.get('path')!r} needs a value")
    return copied(operation["value"])


def _index(container: list[Any], part: str, *, adding: bool = False) -> int:
    if part == "-" and adding:
        return len(container)
    negative = part.startswith("-")
    digits = part[1:] if negative else part
    if not digits.isascii() or not digits.isdigit() or (digits != "0" and digits.startswith("0")):
        raise _unprocessable(f"{part!r} is not an index of a list")
    index = int(digits)
    if negative or index > len(container) - (0 if adding else 1):
        raise _unprocessable(f"index {part} is outside a list of {len(container)}")
    return index


def _child(container: Any, part: str, pointer: str) -> Any:
    if isinstance(container, dict):
        if part in container:
            return container[part]
    elif isinstance(container, list):
        return container[_index(container, part)]
    raise _unprocessable(f"there is nothing at {pointer!r}")


def _resolve(document: Any, parts: list[str]) -> Any:
    for depth, part in enumerate(parts):
        document = _child(document, part, "/" + "/".join(parts[: depth + 1]))
    return document


def _put(document: Any, parts: list[str], value: Any) -> Any:
    if not parts:
        return value
    container, last = _resolve(document, parts[:-1]), parts[-1]
    if isinstance(container, dict):
        container[last] = value
    elif isinstance(container, list):
        container.insert(_index(container, last, adding=True), value)
    else:
        raise _unprocessable(f"/{'/'.join(parts[:-1])} holds neither an object nor a list")
    return document


def _take(document: Any, parts: list[str]) -> Any:
    if not parts:
        raise _unprocessable("the whole object cannot be removed")
    container, last = _resolve(document, parts[:-1]), parts[-1]
    _child(container, last, "/" + "/".join(parts))
    return container.pop(_index(container, last) if isinstance(container, list) else last)


def _add(document: Any, operation: Mapping[str, Any]) -> Any:
    return _put(document, _pointer(operation, "path"), _value(operation))


def _remove(document: Any, operation: Mapping[str, Any]) -> Any:
    _take(document, _pointer(operation, "path"))
    return document


def _replace(document: Any, operation: Mapping[str, Any]) -> Any:
    parts, value = _pointer(operation, "path"), _value(operation)
    if not parts:
        return value
    container, last = _resolve(document, parts[:-1]), parts[-1]
    _child(container, last, "/" + "/".join(parts))
    container[_index(container, last) if isinstance(container, list) else last] = value
    return document


def _move(document: Any, operation: Mapping[str, Any]) -> Any:
    source, path = _pointer(operation, "from"), _pointer(operation, "path")
    if path[: len(source)] == source and len(path) > len(source):
        raise _unprocessable("a value cannot be moved into itself")
    return _put(document, path, _take(document, source)) if source != path else document


def _copy(document: Any, operation: Mapping[str, Any]) -> Any:
    value = copied(_resolve(document, _pointer(operation, "from")))
    return _put(document, _pointer(operation, "path"), value)


def _test(document: Any, operation: Mapping[str, Any]) -> Any:
    parts = _pointer(operation, "path")
    wanted = operation.get("value")
    try:
        actual = _resolve(document, parts)
    except errors.StatusError:
        if wanted is None:
            return document
        raise
    if not same(actual, wanted):
        raise _unprocessable(f"testing value {operation['path']} failed")
    return document


_OPERATIONS: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
