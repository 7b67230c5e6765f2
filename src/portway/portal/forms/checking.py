"""What is wrong with the values, in words, by the field it is wrong in."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from portway.portal.forms.fields import Data, Path
from portway.portal.forms.schemas import Schema, listing, mapping, resolve, type_of

ENTITY_NAME = r"^[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*$"
"""Source: the Backstage descriptor format, metadata.name."""
_JSON_TYPES = {
    "str": "text", "int": "a number", "float": "a number", "bool": "yes or no", "list": "a list", "dict": "an object",
    "NoneType": "nothing",
}  # fmt: skip
WHOLE: Path = ()
"""Path of errors that belong to no single field."""


def check(schema: Schema, data: Data) -> dict[Path, str]:
    """Errors by path; empty when the values are good."""
    errors: dict[Path, str] = {}
    try:
        _check_object(schema, data, (), errors)
        if not errors:
            whole = next(iter(jsonschema_rs.Draft7Validator(schema, validate_formats=True).iter_errors(data)), None)
            if whole is not None:
                path: Path = tuple(whole.instance_path)
                errors[path] = _words(whole)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        errors[WHOLE] = f"The form's own schema is not valid: {str(error).splitlines()[0]}. Tell its owner."
    return errors


def _check_object(schema: Schema, data: Data, path: Path, errors: dict[Path, str]) -> None:
    """Against what holds for the data, so that each error stands at its field and not at a oneOf."""
    resolved = resolve(schema, data)
    for name in resolved["required"]:
        if name not in data or data[name] in ("", None):
            title = mapping(resolved["properties"].get(name)).get("title")
            errors[(*path, name)] = f"{title or name} is needed."
    for name, part in resolved["properties"].items():
        if name in data and isinstance(part, dict) and (*path, name) not in errors:
            _check_value(part, data[name], (*path, name), errors)


def _check_value(schema: Schema, value: Any, path: Path, errors: dict[Path, str]) -> None:
    kind = type_of(schema)
    if kind == "object" and isinstance(value, dict) and schema.get("properties"):
        _check_object(schema, value, path, errors)
        return
    items = mapping(schema.get("items"))
    if kind == "array" and isinstance(value, list) and items:
        for index, item in enumerate(value):
            if item == "":
                errors[(*path, index)] = "Fill this in or remove it."
            else:
                _check_value(items, item, (*path, index), errors)
    shape = {key: part for key, part in schema.items() if key not in ("items", "properties", "required")}
    found = next(iter(jsonschema_rs.Draft7Validator(shape, validate_formats=True).iter_errors(value)), None)
    if found is not None:
        errors.setdefault(path, _words(found))
        return
    picker = schema.get("ui:field")
    if picker == "EntityNamePicker" and "pattern" not in schema and not _is_entity_name(value):
        errors[path] = "Use letters and digits, with single - _ or . between them; at most 63 characters."
    if picker == "RepoUrlPicker" and isinstance(value, str) and "repo=" not in value:
        errors[path] = "Name the repository."


def _is_entity_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 63 and jsonschema_rs.is_valid({"pattern": ENTITY_NAME}, value)


_SENTENCES = {
    "required": "{kind.property} is needed.",
    "pattern": "This does not have the form that is asked for: {kind.pattern}",
    "minLength": "At least {kind.limit} characters are needed.",
    "maxLength": "At most {kind.limit} characters are allowed.",
    "minimum": "The least is {limit}.",
    "maximum": "The most is {limit}.",
    "exclusiveMinimum": "It has to be more than {limit}.",
    "exclusiveMaximum": "It has to be less than {limit}.",
    "minItems": "At least {kind.limit} are needed.",
    "maxItems": "At most {kind.limit} are allowed.",
    "uniqueItems": "Each may stand here only once.",
    "enum": "Choose one of: {options}.",
    "type": "Expected {types}, found {found}.",
    "format": "This is not a valid {kind.format}.",
}


def _words(error: jsonschema_rs.ValidationError) -> str:
    kind: Any = error.kind
    sentence = _SENTENCES.get(getattr(kind, "name", ""))
    if sentence is None:
        return str(error.message)[:300]
    return sentence.format(
        kind=kind,
        limit=_plain(getattr(kind, "limit", "")),
        options=", ".join(str(option) for option in listing(getattr(kind, "options", None))),
        types=" or ".join(str(name) for name in getattr(kind, "types", ())),
        found=_JSON_TYPES.get(type(error.instance).__name__, "something else"),
    )


def _plain(limit: Any) -> str:
    return str(int(limit)) if isinstance(limit, float) and limit.is_integer() else str(limit)
