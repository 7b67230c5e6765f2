"""Request bodies and files to values: JSON, YAML 1.2, and streams of YAML documents with positions.

Bodies come from strangers: size, depth and what aliases expand to are bounded, and every failure is a 400 that says
where. JSON takes the fast path through orjson; duplicate keys are looked for only when somebody asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from portway.krm import composing, errors

MAX_BYTES = 3 * 1024 * 1024
"""As kube-apiserver limits request bodies."""
MAX_DEPTH = 200
"""Deeper than any real object; keeps recursive walkers far from Python's own limit."""


@dataclass(slots=True)
class Decoded:
    """A decoded body. ``duplicates`` is worked out on first access: only strict and warning field validation ask."""

    value: Any
    _body: bytes | None = None
    """To look for them in; None when there is none."""
    _duplicates: tuple[str, ...] | None = None

    @property
    def duplicates(self) -> tuple[str, ...]:
        """Paths of fields given more than once (``spec.y``); the last one counts."""
        if self._duplicates is None:
            self._duplicates = json_duplicates(self._body) if self._body else ()
        return self._duplicates


def encode(value: Any) -> bytes:
    return orjson.dumps(value)


def decode_json(body: bytes) -> Decoded:
    """Raises StatusError 400 (or 413) for anything that is not JSON within the bounds."""
    _check_size(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as bad:
        raise errors.bad_request(f"the request body is not valid JSON: {bad}") from None
    # As many brackets as levels allowed cannot be too deep: the common case costs two byte searches.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth_exceeds(value, MAX_DEPTH):
        raise errors.bad_request(f"the request body is nested deeper than {MAX_DEPTH} levels")
    return Decoded(value, None if _is_plain(body, value) else body)


def decode_yaml(body: bytes) -> Decoded:
    """One YAML 1.2 document (``no`` is a string). JSON, which is YAML too, takes the fast path."""
    _check_size(body)
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return decode_json(body)
        except errors.StatusError:  # flow-style YAML that is no JSON
            pass
    try:
        text = body.decode()
    except UnicodeDecodeError as bad:
        raise errors.bad_request(f"the request body is not UTF-8: {bad.reason} at byte {bad.start}") from None
    try:
        composed = composing.compose(text, max_depth=MAX_DEPTH)
    except composing.Refused as refused:
        raise errors.bad_request(f"the request body is not valid YAML: {refused}") from None
    duplicates = tuple(dict.fromkeys(composing.dotted(path) for path, _ in composed.duplicates))
    return Decoded(composed.value, None, duplicates)


def _is_plain(body: bytes, value: Any) -> bool:
    """Surely no key twice: as many colons came as are kept, one a key and those in strings, unless one is escaped."""
    if any(escaped in body for escaped in _COLONS):
        return False
    return body.count(b":") == orjson.dumps(value).count(b":")


_COLONS = (rb"\u003a", rb"\u003A")


def yaml_duplicates(body: bytes) -> list[tuple[str, int]]:
    """Keys given twice in one map and the lines of the second, for texts ``decode_yaml`` accepted."""
    composed = composing.compose(body.decode(), max_depth=MAX_DEPTH)
    return [(str(path[-1]), line) for path, line in composed.duplicates]


def json_duplicates(body: bytes) -> tuple[str, ...]:
    """Paths of keys that a JSON text repeats within one object; for texts ``decode_json`` accepted."""
    repeated: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def pairs_to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            again = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
            repeated[id(value)] = (value, list(dict.fromkeys(again)))
        return value

    root = json.loads(body, object_pairs_hook=pairs_to_object)
    return tuple(_paths_of(root, repeated)) if repeated else ()


def _paths_of(root: Any, repeated: dict[int, tuple[dict[str, Any], list[str]]]) -> list[str]:
    found: list[str] = []
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            if id(value) in repeated:
                found += [f"{path}.{key}".removeprefix(".") for key in repeated[id(value)][1]]
            waiting += [(f"{path}.{key}", item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", item) for index, item in reversed(list(enumerate(value)))]
    return found


def _check_size(body: bytes) -> None:
    if len(body) > MAX_BYTES:
        message = f"Request entity too large: limit is {MAX_BYTES}"
        raise errors.StatusError(413, "RequestEntityTooLarge", message)


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a YAML file, or why it could not be read."""

    index: int
    """Counts from 0, documents without content left out."""
    line: int
    """Line of the file, counted from 1, on which the document begins."""
    value: Any
    error: str | None = None
    duplicates: tuple[tuple[str, int], ...] = ()
    """Keys given twice: dotted path and line of the second."""
    _lines: composing.Lines = field(default_factory=dict, repr=False, compare=False)

    def locate(self, path: Sequence[str | int]) -> int:
        """The line of the field at a path, or of the nearest one around it that exists."""
        place = tuple(path)
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, self.line)


_SEPARATOR = re.compile(r"^---(?:[ \t].*)?$|^---$|^\.\.\.[ \t]*(?:#.*)?$")


def documents(text: str) -> list[Document]:
    """All documents of a YAML (or JSON) file. One that cannot be read carries its error and hurts no other."""
    found: list[Document] = []
    for line, chunk in _chunks(text):
        try:
            composed = composing.compose(chunk, max_depth=MAX_DEPTH, first_line=line)
        except composing.Refused as refused:
            found.append(Document(len(found), refused.line or line, None, str(refused)))
            continue
        if composed.empty:
            continue
        repeated = tuple((composing.dotted(path), at) for path, at in composed.duplicates)
        start = composed.lines.get((), line)
        found.append(Document(len(found), start, composed.value, None, repeated, composed.lines))
    return found


def _chunks(text: str) -> list[tuple[int, str]]:
    """Split at document markers, which YAML allows nowhere else at the beginning of a line.

    Markers stay with the document they open, so that directives and content behind them are still read.
    """
    chunks: list[tuple[int, list[str]]] = [(1, [])]
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1):
        if _SEPARATOR.match(line):
            opened = [] if line.startswith("...") else [line]
            only_directives = all(not held or held[0] in "%#" for held in chunks[-1][1])
            if only_directives and any(held.startswith("%") for held in chunks[-1][1]):
                chunks[-1][1].append(line)
            else:
                chunks.append((number + (not opened), opened))
        else:
            chunks[-1][1].append(line)
    return [(number, "\n".join(lines) + "\n") for number, lines in chunks if any(line.strip() for line in lines)]
