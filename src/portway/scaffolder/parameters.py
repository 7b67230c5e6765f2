"""A run's parameters checked against the template's pages before anything happens."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from portway.scaffolder.templates import Problem, Template


def with_defaults(template: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults of properties that were not given, as the form fills them in."""
    filled = dict(values)
    for page in template.pages:
        for name, schema in (page.get("properties") or {}).items():
            if name not in filled and isinstance(schema, Mapping) and "default" in schema:
                filled[name] = copy.deepcopy(schema["default"])
    return filled


def check(template: Template, values: Mapping[str, Any]) -> list[Problem]:
    """Problems with paths such as ``parameters.name``."""
    return [problem for i, page in enumerate(template.pages) for problem in _page(i, page, values)]


def _page(index: int, page: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Problem]:
    schema = {"type": "object", **_plain(page)}
    try:
        validator = jsonschema_rs.Draft7Validator(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as bad:
        yield Problem(("spec", "parameters", index), f"is not a JSON Schema: {_first_line(bad)}")
        return
    for error in validator.iter_errors(dict(values)):
        path = ("parameters", *error.instance_path)
        yield Problem(path, _message(error, page))


def _message(error: jsonschema_rs.ValidationError, page: Mapping[str, Any]) -> str:
    text = str(error.message)
    name = error.instance_path[0] if error.instance_path else None
    schema = (page.get("properties") or {}).get(name) if name else None
    description = schema.get("description") if isinstance(schema, Mapping) else None
    return f"{text} ({description})" if description and "does not match" in text else text


def _plain(value: Any) -> Any:
    """Without the form's own keys, and without ``required: true`` inside a property, which is no JSON Schema."""
    if isinstance(value, Mapping):
        return {
            k: _plain(v) if k not in ("enum", "const", "default", "examples") else v
            for k, v in value.items()
            if not str(k).startswith("ui:") and not (k == "required" and isinstance(v, bool))
        }
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
