"""Label and field selectors as the list and watch of the in-memory API understand them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from portway.krm import errors
from portway.krm.identity import Manifest

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<not>not)?in\s+\((?P<values>[^)]*)\)$")

Matches = Callable[[Manifest], bool]


def matcher(labels: str, fields: str) -> Matches:
    """Raises StatusError 400 for a selector that cannot be read."""
    on_labels = [_label_requirement(part) for part in _split(labels)]
    on_fields = [_field_requirement(part) for part in _split(fields)]

    def matches(manifest: Manifest) -> bool:
        found = manifest["metadata"].get("labels") or {}
        return all(test(found) for test in on_labels) and all(test(manifest) for test in on_fields)

    return matches


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _label_requirement(text: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET.match(text):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["not"]:
            return lambda labels: labels.get(key) not in values
        return lambda labels: labels.get(key) in values
    key, operator, value = _comparison(text)
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    if operator == "=":
        return lambda labels: labels.get(key) == value
    if key.startswith("!"):
        return lambda labels: key[1:] not in labels
    if re.search(r"[\s()=]", key):
        raise errors.bad_request(f"unable to parse requirement: {text!r}")
    return lambda labels: key in labels


def _field_requirement(text: str) -> Callable[[Manifest], bool]:
    path, operator, value = _comparison(text)
    if operator == "!=":
        return lambda manifest: _at(manifest, path) != value
    if operator == "=":
        return lambda manifest: _at(manifest, path) == value
    raise errors.bad_request(f"invalid selector: {text!r}; can't understand {text!r}")


def _comparison(text: str) -> tuple[str, str, str]:
    for written, operator in (("!=", "!="), ("==", "="), ("=", "=")):
        key, found, value = text.partition(written)
        if found:
            return key.strip(), operator, value.strip()
    return text, "", ""


def _at(manifest: Manifest, path: str) -> str:
    value: Any = manifest
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
