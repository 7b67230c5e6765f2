"""Composes a value from YAML events, keeping the line of every field.

Scalars follow the YAML 1.2 core schema (``no``, ``on`` and ``0o`` octals as in 1.2; timestamps stay texts), merge keys
(``<<``) are honoured as most tools do. Events come from libyaml, so nesting costs no stack; depth and the number of
nodes (aliases count as what they expand to) are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portway.kit import lazily

if TYPE_CHECKING:
    import yaml
else:
    yaml = lazily.module("yaml")


Path = tuple[str | int, ...]
Lines = dict[Path, int]

MAX_NODES = 200_000
"""Values in one document, after expanding aliases."""

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_MAX_DIGITS = 250  # hexadecimal ones still fit a float


class Refused(Exception):
    """The text is not YAML, or beyond the bounds. ``line`` counts from 1; 0 when unknown."""

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        place = f"line {line}" + (f", column {column}" if column else "")
        super().__init__(f"{place}: {problem}" if line else problem)
        self.line = line


@dataclass(slots=True)
class Composed:
    value: Any = None
    lines: Lines = field(default_factory=dict)
    duplicates: list[tuple[Path, int]] = field(default_factory=list)
    empty: bool = True
    """There was no node at all (only comments)."""


def dotted(path: Path) -> str:
    """``spec.ports[0].name``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


@dataclass(slots=True)
class _Open:
    """A collection whose end is still to come."""

    value: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    key: str | None = None
    merging: bool = False
    merged: list[dict[str, Any]] = field(default_factory=list)
    size: int = 1


class _Composer:
    def __init__(self, max_depth: int, first_line: int) -> None:
        self.result = Composed()
        self._max_depth = max_depth
        self._offset = first_line
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._documents = 0

    def feed(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                if not self._open and not (event.value or event.style or event.tag or event.anchor):
                    return  # a document with nothing in it
                value = self._scalar(event)
                self._add(value, event, 1)
                if event.anchor:
                    self._anchors[event.anchor] = (value, 1)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.MappingStartEvent():
                self._start({}, event)
            case yaml.SequenceStartEvent():
                self._start([], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self.refuse("expected a single document in the stream", event)

    def refuse(self, problem: str, event: Any) -> Refused:
        return Refused(problem, event.start_mark.line + self._offset, event.start_mark.column + 1)

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        text: str = event.value
        if tag in (None, "!") and not event.implicit[0]:
            return text
        if tag is None:
            return _resolve(text)
        if tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:binary", "tag:yaml.org,2002:timestamp"):
            return text
        value = _resolve(text)
        expected = _TAGS.get(tag)
        if expected is None:
            raise self.refuse(f"the tag {tag!r} is not supported", event)
        if expected is float and type(value) is int:
            return float(value)
        if type(value) is not expected:
            raise self.refuse(f"{text!r} does not fit its tag", event)
        return value

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise self.refuse(f"found undefined alias {event.anchor!r}", event)
        value, size = self._anchors[event.anchor]
        self._add(_copy(value) if self._fits(size, event) else None, event, size)

    def _fits(self, size: int, event: Any) -> bool:
        if self._nodes + size > MAX_NODES:
            raise self.refuse(f"the document has more than {MAX_NODES} values once aliases are expanded", event)
        return True

    def _start(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        if len(self._open) >= self._max_depth:
            raise self.refuse(f"nested deeper than {self._max_depth} levels", event)
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise self.refuse(f"the tag {event.tag!r} is not supported", event)
        before = self._open[-1] if self._open else None
        if before is not None and isinstance(before.value, dict) and before.key is None:
            raise self.refuse("a key must be a text, not a mapping or a sequence", event)
        path = self._path(event)
        self._count(1, event)
        self._open.append(_Open(value, path, event.anchor))

    def _path(self, event: Any) -> Path:
        self.result.empty = False
        if not self._open:
            path: Path = ()
        else:
            parent = self._open[-1]
            part = len(parent.value) if isinstance(parent.value, list) else parent.key
            path = (*parent.path, part if part is not None else "")
        self.result.lines.setdefault(path, event.start_mark.line + self._offset)
        return path

    def _end(self) -> None:
        done = self._open.pop()
        if done.merged and isinstance(done.value, dict):
            for source in done.merged:
                for key, item in source.items():
                    done.value.setdefault(key, _copy(item))
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.size)
        self._place(done.value, done.size)

    def _count(self, size: int, event: Any) -> None:
        self._fits(size, event)
        self._nodes += size

    def _add(self, value: Any, event: Any, size: int) -> None:
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.value, dict) and parent.key is None:
            self._key(parent, value, event)
            return
        self._count(size, event)
        self._path(event)
        self._place(value, size)

    def _key(self, parent: _Open, value: Any, event: Any) -> None:
        if isinstance(value, dict | list):
            raise self.refuse("a key must be a text, not a mapping or a sequence", event)
        plain = not getattr(event, "style", None)
        parent.merging = plain and value == "<<"
        key = value if isinstance(value, str) else _key_text(value)
        parent.key = key
        if parent.merging:
            return
        path = (*parent.path, key)
        line = event.start_mark.line + self._offset
        if key in parent.value:
            self.result.duplicates.append((path, line))
        self.result.lines[path] = line

    def _place(self, value: Any, size: int) -> None:
        if not self._open:
            self.result.value = value
            self.result.empty = False
            return
        parent = self._open[-1]
        parent.size += size
        if isinstance(parent.value, list):
            parent.value.append(value)
            return
        if parent.merging:
            sources = value if isinstance(value, list) else [value]
            parent.merged += [source for source in sources if isinstance(source, dict)]
        else:
            parent.value[parent.key or ""] = value
        parent.key = None
        parent.merging = False


def compose(text: str, *, max_depth: int, first_line: int = 1) -> Composed:
    """Exactly one document, or none. Raises Refused."""
    composer = _Composer(max_depth, first_line)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            composer.feed(event)
    except yaml.YAMLError as bad:
        raise _refused(bad, text, first_line) from None
    return composer.result


def _refused(bad: yaml.YAMLError, text: str, first_line: int) -> Refused:
    if isinstance(bad, yaml.reader.ReaderError):
        return Refused(f"unacceptable character: {bad.reason}", text[: bad.position].count("\n") + first_line)
    mark = getattr(bad, "problem_mark", None) or getattr(bad, "context_mark", None)
    context, problem = getattr(bad, "context", None), getattr(bad, "problem", None)
    reason = ", ".join(part for part in (context, problem) if part) or str(bad).splitlines()[0]
    return Refused(reason, mark.line + first_line, mark.column + 1) if mark else Refused(reason)


def _resolve(text: str) -> Any:
    """A plain scalar by YAML 1.2's core schema."""
    if text in _NULLS:
        return None
    first = text[0]
    if first in "tTfF":
        return True if text in _TRUE else False if text in _FALSE else text
    if first not in "0123456789.-+" or len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        number = int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)
        return number if -(2**63) <= number < 2**64 else float(number)  # as JSON decoders do
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if value not in (float("inf"), float("-inf")) else text
    return text


def _key_text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


_TAGS: dict[str, type] = {
    "tag:yaml.org,2002:null": type(None),
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
}
