"""Paths to fields of a schema, as ``fieldPath`` of rules and selectable fields give them: ``.spec.ports['a.b'].x``.

Texts: k8s.io/apiextensions-apiserver pkg/apiserver/schema/cel ``ValidFieldPath``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:\\.|[^'\\])*)'\]")
_END = re.compile(r"[.\[\]]")
_ESCAPE = re.compile(r"\\(.)")


class BadPath(Exception):
    """The path leads nowhere; the text says why."""


class Found(NamedTuple):
    path: str
    """As error paths are written."""
    schema: Mapping[str, Any]


def find(path: str, schema: Mapping[str, Any], *, brackets: bool = True) -> Found:
    """Raises BadPath. ``brackets``: whether ``['name']`` is allowed."""
    at, made = 0, ""
    node: Any = schema
    while at < len(path):
        if path[at] == "[" and not brackets:
            raise BadPath("array notation is not allowed")
        match = _STEP.match(path, at)
        if match is None:
            raise BadPath(_misread(path[at:]))
        name = match[1] if match[1] is not None else _ESCAPE.sub(r"\1", match[2])
        properties, additional = node.get("properties"), node.get("additionalProperties")
        if properties and name in properties:
            node, made = properties[name], f"{made}.{name}"
        elif not properties and isinstance(additional, Mapping):
            node, made = additional, f"{made}[{name}]"
        else:
            raise BadPath("does not refer to a valid field")
        at = match.end()
    return Found(made, node)


def _misread(rest: str) -> str:
    if rest[0] not in ".[":
        return f"expected [ or . but got: {_END.split(rest, maxsplit=1)[0] or rest[0]}"
    if len(rest) == 1:
        return "unexpected end of JSON path"
    return "does not refer to a valid field"


def normalised(path: str, schema: Mapping[str, Any]) -> str | None:
    """As error paths are written; None when it leads nowhere."""
    try:
        return find(path, schema).path
    except BadPath:
        return None
