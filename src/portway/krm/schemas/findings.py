"""What validation found, with upstream's words; the path is filled in only when there is something to report.

Texts: k8s.io/kube-openapi pkg/validation/errors and k8s.io/apimachinery pkg/util/validation/field, in the form
apiextensions-apiserver combines them for custom resources.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson

from portway.krm.errors import Cause


class Finding(NamedTuple):
    path: str
    """Below the value that was checked: ``.spec.x``, ``[0].y``."""
    reason: str
    say: Callable[[str], str]
    """Makes the message, given the full path."""

    def cause(self) -> Cause:
        path = self.path.removeprefix(".")
        return Cause(self.reason, self.say(path), path)


Findings = list[Finding]


def below(prefix: str, findings: Findings, found: Findings | None) -> Findings:
    """The findings of a child, added to those of its parent."""
    lifted = [Finding(prefix + f.path, f.reason, f.say) for f in findings]
    return found + lifted if found else lifted


def invalid(value: Any, text: str) -> Finding:
    """``text`` follows ``<path> in body``."""
    shown = display(value)
    return Finding("", "FieldValueInvalid", lambda path: f"Invalid value: {shown}: {path} in body {text}")


def junction(text: str) -> Finding:
    """A failed allOf, anyOf, oneOf or not; upstream quotes the path here."""
    return Finding("", "FieldValueInvalid", lambda path: f'Invalid value: "": "{path}" {text}')


def wrong_type(expected: str, value: Any) -> Finding:
    actual = quote(type_name(value))
    return Finding(
        "",
        "FieldValueTypeInvalid",
        lambda path: f"Invalid value: {actual}: {path} in body must be of type {expected}: {actual}",
    )


def wrong_format(expected: str, value: str) -> Finding:
    shown = quote(value)
    return Finding(
        "",
        "FieldValueTypeInvalid",
        lambda path: f"Invalid value: {shown}: {path} in body must be of type {expected}: {shown}",
    )


def required(path: str, detail: str = "") -> Finding:
    message = f"Required value: {detail}" if detail else "Required value"
    return Finding(path, "FieldValueRequired", lambda _: message)


def unsupported(value: Any, allowed: Sequence[Any]) -> Finding:
    texts = [quote(v if isinstance(v, str) else orjson.dumps(v).decode()) for v in allowed]
    message = f"Unsupported value: {display(value)}: supported values: {', '.join(texts)}"
    return Finding("", "FieldValueNotSupported", lambda _: message)


def too_long(limit: int) -> Finding:
    message = f"Too long: may not be more than {limit} bytes"
    return Finding("", "FieldValueTooLong", lambda _: message)


def too_many(actual: int, limit: int) -> Finding:
    message = f"Too many: {actual}: must have at most {limit} items"
    return Finding("", "FieldValueTooMany", lambda _: message)


def duplicate(path: str, value: Any) -> Finding:
    message = f"Duplicate value: {display(value)}"
    return Finding(path, "FieldValueDuplicate", lambda _: message)


def quote(text: str) -> str:
    """Go's %q for the texts that occur here."""
    return orjson.dumps(text).decode()


def printed(value: Any) -> str:
    """Go's %v of what JSON holds: ``map[spec:map[b:1]]``."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{printed(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(printed, value)) + "]"
    if value is None:
        return "<nil>"
    return value if isinstance(value, str) else display(value)


def display(value: Any) -> str:
    """A bad value as ``field.Error`` prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    shown = orjson.dumps(value).decode()
    return shown if isinstance(value, str) else shown.translate(_AS_IN_HTML)


_AS_IN_HTML = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
"""What Go's JSON escapes, and its %q does not."""


def number(value: float) -> str:
    """Go's %v of a float64: no fraction when there is none."""
    if isinstance(value, int):
        return str(value)
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def type_name(value: Any) -> str:
    """The JSON type of a value in upstream's words."""
    if value is None:
        return "null"
    if isinstance(value, float) and not value.is_integer():
        return "number"
    names = {bool: "boolean", int: "integer", float: "integer", str: "string", dict: "object", list: "array"}
    return names.get(type(value), type(value).__name__)
