"""``${…}`` in Score files, claims' parameters and definitions' inputs, by Score's exact rules.

``${a.b}`` is looked up, ``$$`` is ``$``, ``$${x}`` is the text ``${x}``, a lone ``$`` stays. References split on
dots; ``\\.`` is a dot in a name. Keys of mappings are never touched. A value that holds a secret becomes a
``Composite``: the secret's name stands in it, never the secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PLACEHOLDER = re.compile(r"\$((?:\$?{([^}]*)})|\$)")
_SEPARATOR = re.compile(r"(?<!\\)\.")

Reference = tuple[str, ...]


class Unresolved(Exception):
    """A reference that leads nowhere. ``path`` is where it stands."""

    def __init__(self, reference: str, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.reference = reference
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Secret:
    """Stands for a value that must not be seen; ``key`` says where it is to be found."""

    key: str


@dataclass(frozen=True, slots=True)
class Composite:
    """Text with secrets in it, in order."""

    parts: tuple[str | Secret, ...]


Lookup = Callable[[Reference], Any]
"""From a reference to its value (a JSON value or ``Secret``); raises ``LookupError`` with a sentence."""


def split(reference: str) -> Reference:
    return tuple(part.replace("\\.", ".") for part in _SEPARATOR.split(reference))


def references(value: Any) -> Iterator[Reference]:
    """Every reference in a nested value, in order of appearance."""
    if isinstance(value, str):
        for match in _PLACEHOLDER.finditer(value):
            if _is_reference(match):
                yield split(match[2])
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from references(child)


def sole(value: Any) -> Reference | None:
    """The reference that a string consists of, if it is one placeholder and nothing else."""
    match = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return split(match[2]) if match is not None and _is_reference(match) else None


def resolve(value: Any, lookup: Lookup, *, typed: bool = False, path: tuple[str | int, ...] = ()) -> Any:
    """``value`` with every placeholder filled in.

    ``typed``: a string that is one placeholder and nothing else takes the value as it is (a number stays a number);
    otherwise, and inside text, what is not a string is written as JSON. Raises ``Unresolved``.
    """
    if isinstance(value, str):
        return _text(value, lookup, typed, path)
    if isinstance(value, Mapping):
        return {k: resolve(v, lookup, typed=typed, path=(*path, k)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(v, lookup, typed=typed, path=(*path, i)) for i, v in enumerate(value)]
    return value


def escape(text: str) -> str:
    """Text that resolves to ``text``."""
    return text.replace("$", "$$")


def _text(text: str, lookup: Lookup, typed: bool, path: tuple[str | int, ...]) -> Any:
    if "$" not in text:
        return text
    whole = _PLACEHOLDER.fullmatch(text)
    if typed and whole is not None and _is_reference(whole):
        found = _found(whole[2], lookup, path)
        return Composite((found,)) if isinstance(found, Secret) else found
    parts: list[str | Secret] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        parts.append(text[end : match.start()])
        parts.append(_replacement(match, lookup, path))
        end = match.end()
    parts.append(text[end:])
    return _joined(parts)


def _is_reference(match: re.Match[str]) -> bool:
    return bool(match[2]) and not match[1].startswith("$")


def _replacement(match: re.Match[str], lookup: Lookup, path: tuple[str | int, ...]) -> str | Secret:
    if not _is_reference(match):
        return match[1]
    found = _found(match[2], lookup, path)
    return found if isinstance(found, str | Secret) else json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def _found(reference: str, lookup: Lookup, path: tuple[str | int, ...]) -> Any:
    try:
        return lookup(split(reference))
    except LookupError as error:
        text = str(error.args[0]) if error.args else "is not known"
        raise Unresolved(reference, f"${{{reference}}}: {text}", path) from None


def _joined(parts: list[str | Secret]) -> str | Composite:
    merged: list[str | Secret] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    if not merged:
        return ""
    if len(merged) == 1 and isinstance(merged[0], str):
        return merged[0]
    return Composite(tuple(merged))


def walk(value: Any, reference: Reference, *, of: str) -> Any:
    """Follow ``reference`` into nested mappings and lists; LookupError names the keys there are."""
    for i, key in enumerate(reference):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            where = ".".join((of, *reference[:i]))
            known = ", ".join(sorted(map(str, value))) if isinstance(value, Mapping) and value else "nothing"
            raise LookupError(f"{where} has no {key}; it has {known}")
    return value
