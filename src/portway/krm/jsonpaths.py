"""The subset of kubectl's JSONPath that printer columns and ``scale`` paths use.

``.a.b``, ``['a.b']``, ``["a"]``, ``[0]``, ``[-1]``, ``[1:3]``, ``[*]``, ``.*``, ``..name``, escaped dots (``\\.``),
unions (``[0,2]``, ``['a','b']``) and
filters ``[?(@.type=="Ready")]`` with ==, !=, <, <=, >, >= or a bare path for existence.
Source: k8s.io/client-go util/jsonpath; a missing field gives no result, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import orjson

Step = Callable[[list[Any]], list[Any]]


class BadPath(ValueError):
    """The text is no JSONPath of the supported subset."""


def evaluate(path: str, value: Any) -> list[Any]:
    """All values the path leads to, in order. Raises BadPath."""
    found = [value]
    for step in parse(path):
        found = step(found)
        if not found:
            return found
    return found


_FIELD = re.compile(r"\.((?:[^\s.\[\]{}'\"\\*]|\\.)+)")
_WILD = re.compile(r"\.\*|\[\*\]")
_RECURSE = re.compile(r"\.\.((?:[^\s.\[\]{}'\"\\*]|\\.)+|\*)")
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_KEYS = re.compile(rf"\[\s*((?:{_QUOTED})(?:\s*,\s*(?:{_QUOTED}))*)\s*\]")
_INDEXES = re.compile(r"\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(-?\d*)\s*)?\]")
_FILTER = re.compile(rf"\[\?\(\s*((?:{_QUOTED}|[^'\"()])*)\)\]")
_CONDITION = re.compile(rf"@((?:\.?\[[^\]]*\]|{_QUOTED}|[^'\"=!<>\s])*)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*")


@lru_cache(maxsize=4096)
def parse(path: str) -> tuple[Step, ...]:
    """Compile a path; outer braces and a leading ``$`` are allowed. Raises BadPath."""
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removeprefix("$")
    if text and text[0] not in ".[":
        text = "." + text
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text[at:] == ".":
            break
        step, at = _step(text, at, path)
        steps.append(step)
    return tuple(steps)


def _step(text: str, at: int, path: str) -> tuple[Step, int]:
    for pattern, make in _STEPS:
        found = pattern.match(text, at)
        if found:
            return make(found), found.end()
    raise BadPath(f"JSONPath {path!r} cannot be understood from {text[at:]!r} on")


def _field(found: re.Match[str]) -> Step:
    return _keys((re.sub(r"\\(.)", r"\1", found[1]),))


def _keys(names: tuple[str, ...]) -> Step:
    return lambda values: [
        value[name] for value in values if isinstance(value, dict) for name in names if name in value
    ]


def _quoted_keys(found: re.Match[str]) -> Step:
    return _keys(tuple(_unquote(text) for text in re.findall(_QUOTED, found[1])))


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _wild(_: re.Match[str]) -> Step:
    return lambda values: [child for value in values for child in _children(value)]


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _recurse(found: re.Match[str]) -> Step:
    name = found[1]

    def walk(value: Any) -> Iterable[Any]:
        if name == "*":
            yield from _children(value)
        elif isinstance(value, dict) and name in value:
            yield value[name]
        for child in _children(value):
            yield from walk(child)

    return lambda values: [item for value in values for item in walk(value)]


def _indexes(found: re.Match[str]) -> Step:
    indexes = [int(text) for text in found[1].split(",")]
    return lambda values: [
        value[index]
        for value in values
        if isinstance(value, list)
        for index in indexes
        if -len(value) <= index < len(value)
    ]


def _slice(found: re.Match[str]) -> Step:
    bounds = slice(*(int(part) if part else None for part in found.groups()))
    if bounds.step == 0:
        raise BadPath("the step of a slice cannot be 0")
    return lambda values: [item for value in values if isinstance(value, list) for item in value[bounds]]


def _filter(found: re.Match[str]) -> Step:
    condition = _CONDITION.fullmatch(found[1])
    if not condition:
        raise BadPath(f'filter {found[1]!r} must be like @.type=="Ready"')
    inner, operator, wanted = condition[1] or "", condition[2], condition[3]
    parse(inner)
    holds = _comparison(operator, _literal(wanted)) if operator else bool

    def keep(item: Any) -> bool:
        results = evaluate(inner, item)
        return bool(results) and (holds(results[0]) if operator else True)

    return lambda values: [item for value in values for item in _children(value) if keep(item)]


def _literal(text: str) -> Any:
    if text[0] in "'\"" and text[-1] == text[0] and len(text) > 1:
        return _unquote(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as bad:
        raise BadPath(f"{text!r} in a filter must be a quoted text, a number, true or false") from bad


def _comparison(operator: str, wanted: Any) -> Callable[[Any], bool]:
    def ordered(value: Any) -> bool:
        numbers = isinstance(value, int | float) and isinstance(wanted, int | float)
        if not numbers and not (isinstance(value, str) and isinstance(wanted, str)):
            return False
        match operator:
            case "<":
                return bool(value < wanted)
            case "<=":
                return bool(value <= wanted)
            case ">":
                return bool(value > wanted)
            case _:
                return bool(value >= wanted)

    if operator == "==":
        return lambda value: type(value) is not bool or type(wanted) is bool if value == wanted else False
    if operator == "!=":
        return lambda value: bool(value != wanted)
    return ordered


_STEPS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Step]], ...] = (
    (_RECURSE, _recurse),
    (_WILD, _wild),
    (_FIELD, _field),
    (_KEYS, _quoted_keys),
    (_INDEXES, _indexes),
    (_SLICE, _slice),
    (_FILTER, _filter),
)
