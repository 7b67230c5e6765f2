"""``fieldPath`` of a rule: ``.spec.ports['a.b'].x``, checked against the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:\\.|[^'\\])*)'\]")
_ESCAPE = re.compile(r"\\(.)")


def normalised(path: str, schema: Mapping[str, Any]) -> str | None:
    """As error paths are written; None when it leads nowhere."""
    at, made = 0, ""
    node: Any = schema
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        name = match[1] if match[1] is not None else _ESCAPE.sub(r"\1", match[2])
        properties, additional = node.get("properties"), node.get("additionalProperties")
        if properties:
            if name not in properties:
                return None
            node, made = properties[name], f"{made}.{name}"
        elif isinstance(additional, Mapping):
            node, made = additional, f"{made}[{name}]"
        else:
            return None
        at = match.end()
    return made
