"""From Score and resolved values to what the runtime's driver is told (the shape of driver ``process``'s inputs).

Strings of a container are resolved, except binaryContent and the content of files with noExpand; keys are untouched.
A string with a secret in it becomes ``{"parts": [text, {"secret": key}, …]}``, with the value under ``secrets[key]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.orchestrator import placeholders
from portway.orchestrator.placeholders import Composite, Lookup, Secret, Unresolved
from portway.runtime.contract import Terminal

_LITERAL = ("binaryContent",)


def containers(score: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    """Score's containers as written, with values filled in. Raises ``Terminal`` with the path of what cannot be."""
    return {
        name: {key: _field(value, lookup, ("containers", name, key)) for key, value in container.items()}
        for name, container in score["containers"].items()
    }


def _field(value: Any, lookup: Lookup, path: tuple[str | int, ...]) -> Any:
    if path[-1] == "files" and len(path) == 3:
        if isinstance(value, Mapping):
            return {target: _file(file, lookup, (*path, target)) for target, file in value.items()}
        return [_file(file, lookup, (*path, i)) for i, file in enumerate(value)]
    return _resolved(value, lookup, path)


def _file(file: Mapping[str, Any], lookup: Lookup, path: tuple[str | int, ...]) -> dict[str, Any]:
    literal = (*_LITERAL, "content") if file.get("noExpand") else _LITERAL
    return {k: v if k in literal else _resolved(v, lookup, (*path, k)) for k, v in file.items()}


def _resolved(value: Any, lookup: Lookup, path: tuple[str | int, ...]) -> Any:
    try:
        return _wire(placeholders.resolve(value, lookup, path=path))
    except Unresolved as error:
        raise Terminal("InvalidPlaceholder", f"{'.'.join(map(str, error.path))}: {error.message}") from error


def _wire(value: Any) -> Any:
    if isinstance(value, Composite):
        return {"parts": [{"secret": part.key} if isinstance(part, Secret) else part for part in value.parts]}
    if isinstance(value, dict):
        return {k: _wire(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_wire(v) for v in value]
    return value
