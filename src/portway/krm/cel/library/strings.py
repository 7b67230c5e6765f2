"""Strings and regular expressions (RE2, the engine upstream uses: linear in the text)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
import re2

from portway.krm.cel import values
from portway.krm.cel.library import conversions
from portway.krm.cel.library.declaring import Library
from portway.krm.cel.values import Duration, EvaluationError, Uint

LIBRARY = Library()
declare = LIBRARY.declare
_UPPER = str.maketrans({chr(c): chr(c - 32) for c in range(ord("a"), ord("z") + 1)})
_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})


@lru_cache(maxsize=2048)
def pattern(text: str) -> Any:
    """Raises EvaluationError."""
    try:
        options = re2.Options()
        options.log_errors = False
        return re2.compile(text, options)
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        kind, colon, rest = why.partition(": ")
        shown = f"{kind}: `{rest}`" if colon else kind
        raise EvaluationError(f"error parsing regexp: {shown}") from None


def matches(text: str, regex: str) -> bool:
    return pattern(regex).search(text) is not None


def _find(text: str, regex: str) -> str:
    found = pattern(regex).search(text)
    return found.group() if found else ""


def _find_all(text: str, regex: str, limit: int = -1) -> list[str]:
    found: list[str] = []
    for match in pattern(regex).finditer(text):
        if len(found) == limit:
            break
        found.append(match.group())
    return found


def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise EvaluationError(f"index out of range: {index}")
    return text[index : index + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if start < 0 or start > len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if not part:
        return len(text) if start is None else start
    if start is not None and not 0 <= start < len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.rfind(part) if start is None else text.rfind(part, 0, start + len(part))


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    return text.replace(old, new, count)


def _split(text: str, separator: str, count: int = -1) -> list[str]:
    if not count:
        return []
    if not separator:
        parts = list(text)
        return parts if count < 0 or len(parts) <= count else [*parts[: count - 1], "".join(parts[count - 1 :])]
    return text.split(separator, count - 1 if count > 0 else -1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if end is not None and not 0 <= end <= len(text):
        raise EvaluationError(f"index out of range: {end}")
    if end is not None and start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    return text[start:end]


declare("contains", "string.(string) bool", lambda text, part: part in text)
declare("startsWith", "string.(string) bool", lambda text, part: text.startswith(part))
declare("endsWith", "string.(string) bool", lambda text, part: text.endswith(part))
declare("matches", "string.(string) bool", matches)
declare("matches", "(string, string) bool", matches)
declare("find", "string.(string) string", _find)
declare("findAll", "string.(string) list(string)", _find_all)
declare("findAll", "string.(string, int) list(string)", _find_all)
declare("charAt", "string.(int) string", _char_at)
declare("indexOf", "string.(string) int", _index_of)
declare("indexOf", "string.(string, int) int", _index_of)
declare("lastIndexOf", "string.(string) int", _last_index_of)
declare("lastIndexOf", "string.(string, int) int", _last_index_of)
declare("lowerAscii", "string.() string", lambda text: text.translate(_LOWER))
declare("upperAscii", "string.() string", lambda text: text.translate(_UPPER))
declare("replace", "string.(string, string) string", _replace)
declare("replace", "string.(string, string, int) string", _replace)
declare("split", "string.(string) list(string)", _split)
declare("split", "string.(string, int) list(string)", _split)
declare("substring", "string.(int) string", _substring)
declare("substring", "string.(int, int) string", _substring)
declare("trim", "string.() string", str.strip)
declare("reverse", "string.() string", lambda text: text[::-1])
declare("join", "list(string).() string", lambda items: _join(items, ""))
declare("join", "list(string).(string) string", lambda items, separator="": _join(items, separator))
declare("strings.quote", "(string) string", lambda text: orjson.dumps(text).decode())
declare("jsonpatch.escapeKey", "(string) string", lambda text: text.replace("~", "~0").replace("/", "~1"))


def _join(items: list[Any], separator: str) -> str:
    if not all(type(item) is str for item in items):
        raise values.no_overload()
    return separator.join(items)


def _format(template: str, args: list[Any]) -> str:
    out, at, used = [], 0, 0
    while (mark := template.find("%", at)) >= 0:
        out.append(template[at:mark])
        at = mark + 1
        if template[at : at + 1] == "%":
            out.append("%")
            at += 1
            continue
        precision = 6
        if template[at : at + 1] == ".":
            end = at + 1
            while template[end : end + 1].isdigit():
                end += 1
            precision, at = int(template[at + 1 : end] or 0), end
        verb = template[at : at + 1]
        at += 1
        if used >= len(args):
            raise EvaluationError(f"index {used} out of range")
        out.append(_formatted(verb, args[used], min(precision, 100)))
        used += 1
    return "".join([*out, template[at:]])


def _formatted(verb: str, value: Any, precision: int) -> str:
    number = type(value) in (int, Uint)
    if verb == "s":
        return show(value)
    if verb == "d" and number:
        return str(int(value))
    if verb in ("f", "e") and (number or type(value) is float):
        return f"{float(value):.{precision}{verb}}"
    if verb == "b" and (number or type(value) is bool):
        return f"{int(value):b}"
    if verb == "o" and number:
        return f"{int(value):o}"
    if verb in ("x", "X"):
        if type(value) in (str, bytes):
            text = (value.encode() if isinstance(value, str) else value).hex()
            return text.upper() if verb == "X" else text
        if number:
            return f"{int(value):{verb}}"
    if verb not in "sdfeboxX" or not verb:
        raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')
    raise EvaluationError(f"error during formatting: no such conversion of {values.type_name(value)} with %{verb}")


def show(value: Any, *, nested: bool = False) -> str:
    kind = type(value)
    if kind is str:
        return orjson.dumps(value).decode() if nested else str(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if kind in (int, Uint):
        return str(int(value))
    if kind is float:
        return conversions.show_double(value)
    if kind is bytes:
        return str(value.decode("utf-8", "replace"))
    if kind is Duration:
        return conversions.show_duration(value)
    if kind is list:
        return f"[{', '.join(show(item) for item in value)}]"
    if kind is dict:
        return "{" + ", ".join(f"{show(k)}: {show(v)}" for k, v in sorted(value.items(), key=str)) + "}"
    if hasattr(value, "isoformat"):
        return conversions.show_timestamp(value)
    if kind is values.TypeValue:
        return str(value.name)
    raise EvaluationError(f"could not convert argument of type {values.type_name(value)} to string")


declare("format", "string.(list(dyn)) string", _format)
