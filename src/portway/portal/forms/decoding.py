"""A submitted form back to values. The first letter of an input's name says how its text is read.

s text · n number · b boolean · e a JSON value · m several JSON values · t words with commas · l a list (its marker) ·
y YAML · r a part of a repository address. The rest of the name is a JSON pointer. Nothing is trusted: what comes out
is checked against the schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import ryaml

from portway.portal.forms.fields import Data, Path, parse_pointer
from portway.portal.forms.schemas import Schema, mapping, resolve

_MOST_ITEMS = 500
MISSING: Any = object()


def decode(pairs: Iterable[tuple[str, str]]) -> Data:
    """Values of all inputs; empty texts are left out."""
    found: dict[tuple[str, Path], list[str]] = {}
    for name, text in pairs:
        tag, colon, place = name.partition(":")
        if colon and len(tag) == 1 and place.startswith("/"):
            found.setdefault((tag, parse_pointer(place)), []).append(text)
    data: Data = {}
    repositories: dict[Path, dict[str, str]] = {}
    for (tag, path), texts in sorted(found.items(), key=lambda item: (len(item[0][1]), str(item[0][1]))):
        if tag == "r":
            repositories.setdefault(path[:-1], {})[str(path[-1])] = texts[-1].strip()
            continue
        value = _value(tag, texts)
        if value is not MISSING:
            _put(data, path, value)
    for path, parts in repositories.items():
        if parts.get("repo") or parts.get("owner"):
            _put(data, path, _repository(parts))
    return mapping(_compact(data))


def prune(schema: Schema, data: Data) -> Data:
    """Only what the schema has fields for, given the data: answers to questions that are no longer asked go."""
    resolved = resolve(schema, data)
    kept: Data = {}
    for name, part in resolved["properties"].items():
        if name not in data:
            continue
        inner = isinstance(part, dict) and part.get("properties") and isinstance(data[name], dict)
        kept[name] = prune(part, data[name]) if inner else data[name]
    return kept


def add_item(data: Data, pointer: str, schema: Schema) -> None:
    """One more (empty) item at the end of a list."""
    path = parse_pointer(pointer)
    items = _get(data, path)
    kind = mapping(_schema_at(schema, path, data).get("items")).get("type")
    blank: Any = {} if kind == "object" else ([] if kind == "array" else "")
    if isinstance(items, list) and len(items) < _MOST_ITEMS:
        items.append(blank)
    elif items is MISSING:
        _put(data, path, [blank])


def remove_item(data: Data, pointer: str) -> None:
    *head, index = parse_pointer(pointer) or ("",)
    items = _get(data, tuple(head))
    if isinstance(items, list) and isinstance(index, int) and index < len(items):
        del items[index]


def _value(tag: str, texts: list[str]) -> Any:
    text = texts[-1]
    if tag == "s":
        return text.replace("\r\n", "\n") or MISSING
    if tag == "n":
        return _number(text.strip())
    if tag == "b":
        return text == "true"
    if tag == "e":
        return _json(text)
    if tag == "m":
        return [value for value in map(_json, texts) if value is not MISSING]
    if tag == "t":
        return [word.strip() for word in text.split(",") if word.strip()] or MISSING
    if tag == "l":
        return []
    if tag == "y":
        return _yaml(text)
    return MISSING


def _number(text: str) -> Any:
    if not text:
        return MISSING
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if number == number and abs(number) != float("inf") else text  # noqa: PLR0124  not a number


def _json(text: str) -> Any:
    if not text:
        return MISSING
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _yaml(text: str) -> Any:
    if not text.strip():
        return MISSING
    try:
        return ryaml.loads(text)  # type: ignore[attr-defined]  # its stub does not re-export
    except ValueError:
        return text


def _repository(parts: dict[str, str]) -> str:
    host = _json(parts.get("host", ""))
    pairs = [f"{name}={parts[name]}" for name in ("repo", "owner") if parts.get(name)]
    return f"{'portway' if host is MISSING else host}?{'&'.join(pairs)}"


def _get(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif isinstance(data, dict) and str(part) in data:
            data = data[str(part)]
        else:
            return MISSING
    return data


def _put(data: Data, path: Path, value: Any) -> None:
    """Lists are kept as lists only where their marker came first; a number elsewhere is a key."""
    place: Any = data
    for at, part in enumerate(path):
        last = at == len(path) - 1
        if isinstance(place, list):
            if not isinstance(part, int) or part >= _MOST_ITEMS:
                return
            place.extend([MISSING] * (part + 1 - len(place)))
            if last:
                place[part] = value
                return
            if not isinstance(place[part], (dict, list)):
                place[part] = {}
            place = place[part]
        elif last:
            place[str(part)] = value
        else:
            below = place.get(str(part))
            if not isinstance(below, (dict, list)):
                below = place[str(part)] = {}
            place = below


def _compact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _compact(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_compact("" if part is MISSING else part) for part in value]
    return value


def _schema_at(schema: Schema, path: Path, data: Any) -> Schema:
    for part in path:
        if isinstance(part, int):
            schema, data = mapping(schema.get("items")), _get(data, (part,))
        else:
            values = data if isinstance(data, dict) else {}
            schema, data = mapping(resolve(schema, values)["properties"].get(part)), values.get(part)
    return schema
