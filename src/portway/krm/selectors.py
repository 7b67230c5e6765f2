"""Label and field selectors: the texts clients send in ``labelSelector`` and ``fieldSelector``.

Grammar: k8s.io/apimachinery pkg/labels (selector.go) and pkg/fields. A selector with nothing in it matches all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from portway.krm import errors


class Operator(StrEnum):
    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    ABSENT = "!"
    GREATER = "gt"
    LESS = "lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values if self.key in labels else False
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values if self.key in labels else True
            case Operator.EXISTS:
                return self.key in labels
            case Operator.ABSENT:
                return self.key not in labels
            case _:
                return self._compares(labels.get(self.key))

    def _compares(self, label: str | None) -> bool:
        try:
            actual, bound = int(label or ""), int(next(iter(self.values)))
        except ValueError:
            return False
        return actual > bound if self.operator is Operator.GREATER else actual < bound


@dataclass(frozen=True, slots=True)
class LabelSelector:
    requirements: tuple[Requirement, ...] = ()

    @property
    def everything(self) -> bool:
        return not self.requirements

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        present = labels or {}
        return all(requirement.matches(present) for requirement in self.requirements)


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    field: str
    value: str
    equal: bool = True
    paths: tuple[str, ...] = ()
    """Where the value lies, the first that has one; empty: at the path that the field names."""

    def matches(self, manifest: Mapping[str, Any]) -> bool:
        found = next(filter(None, (_text_at(manifest, path) for path in self.paths or (self.field,))), "")
        return (found == self.value) is self.equal


@dataclass(frozen=True, slots=True)
class FieldSelector:
    requirements: tuple[FieldRequirement, ...] = ()

    @property
    def everything(self) -> bool:
        return not self.requirements

    @property
    def fields(self) -> tuple[str, ...]:
        """The paths asked about, in order; the API server refuses those a resource does not offer."""
        return tuple(requirement.field for requirement in self.requirements)

    def exact(self, field: str) -> str | None:
        """The one value the selector demands for a field, if it demands one."""
        return next((r.value for r in self.requirements if r.equal and r.field == field), None)

    def matches(self, manifest: Mapping[str, Any]) -> bool:
        return all(requirement.matches(manifest) for requirement in self.requirements)

    def read_at(self, paths: Mapping[str, tuple[str, ...]]) -> FieldSelector:
        """The same, with the values of some fields read elsewhere."""
        return FieldSelector(tuple(replace(r, paths=paths.get(r.field, ())) for r in self.requirements))


def _text_at(manifest: Mapping[str, Any], path: str) -> str:
    value: Any = manifest
    for part in path.removeprefix(".").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_OPERATORS = {"=", "==", "!=", "<", ">"}
_SPECIAL = _OPERATORS | {"!", "(", ")", ","}


def parse_labels(text: str) -> LabelSelector:
    """``a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1``. Raises StatusError 400."""
    tokens = _TOKEN.findall(text)
    if not tokens:
        if text.strip():
            raise errors.bad_request(f"unable to parse requirement: {text!r}")
        return LabelSelector()
    return LabelSelector(tuple(_Parser(text, tokens).requirements()))


class _Parser:
    def __init__(self, text: str, tokens: list[str]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0

    def requirements(self) -> list[Requirement]:
        found = [self._requirement()]
        while self._at < len(self._tokens):
            self._expect(",")
            if self._at == len(self._tokens):
                raise self._refuse("identifier after ','", "")
            found.append(self._requirement())
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise self._refuse(f"'{token}'", found)

    def _refuse(self, expected: str, found: str) -> errors.StatusError:
        return errors.bad_request(
            f"unable to parse requirement: found '{found}', expected: {expected} in label selector {self._text!r}"
        )

    def _requirement(self) -> Requirement:
        absent = self._peek() == "!"
        if absent:
            self._next()
        key = self._key()
        if absent or self._peek() in ("", ","):
            return Requirement(key, Operator.ABSENT if absent else Operator.EXISTS)
        operator = self._next()
        if operator in ("in", "notin"):
            return Requirement(key, Operator(operator), self._set())
        if operator in (">", "<"):
            return self._bound(key, Operator.GREATER if operator == ">" else Operator.LESS)
        if operator not in _OPERATORS:
            raise self._refuse("in, notin, =, ==, !=, gt, lt", operator)
        value = "" if self._peek() in ("", ",") else self._next()
        return Requirement(key, Operator.NOT_IN if operator == "!=" else Operator.IN, frozenset((_value(value),)))

    def _key(self) -> str:
        key = self._next()
        if not key or key in _SPECIAL:
            raise self._refuse("!, identifier, or 'end of string'", key)
        return _key(key)

    def _bound(self, key: str, operator: Operator) -> Requirement:
        value = self._next()
        if not re.fullmatch(r"-?\d+", value):
            raise errors.bad_request(
                f"unable to parse requirement: values[0]: Invalid value: {value!r}: "
                "for 'Gt', 'Lt' operators, the value must be an integer"
            )
        return Requirement(key, operator, frozenset((value,)))

    def _set(self) -> frozenset[str]:
        """``(a,b)``; nothing between two separators is the empty value."""
        self._expect("(")
        values: set[str] = set()
        closed = False
        while not closed:
            value = "" if self._peek() in (",", ")") else self._next()
            if value in _SPECIAL or (not value and not self._peek()):
                raise self._refuse("',', ')' or identifier", value)
            values.add(_value(value))
            separator = self._next()
            if separator not in (",", ")"):
                raise self._refuse("',' or ')'", separator)
            closed = separator == ")"
        return frozenset(values)


def _key(key: str) -> str:
    prefix, slash, name = key.rpartition("/")
    if not _NAME.fullmatch(name) or (slash and (len(prefix) > 253 or not _PREFIX.fullmatch(prefix))):
        raise errors.bad_request(
            f"unable to parse requirement: <nil>: Invalid value: {key!r}: a label key is an optional DNS prefix "
            "and '/', then at most 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit"
        )
    return key


def _value(value: str) -> str:
    if value and not _NAME.fullmatch(value):
        raise errors.bad_request(
            f"unable to parse requirement: values[0]: Invalid value: {value!r}: a label value has at most 63 letters, "
            "digits, '-', '_' or '.', and begins and ends with a letter or digit"
        )
    return value


_EXPRESSIONS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.ABSENT,
}


def labels_from(selector: Mapping[str, Any] | None) -> LabelSelector:
    """From the object form, ``{matchLabels: {…}, matchExpressions: [{key, operator, values}]}``. StatusError 400."""
    selector = selector or {}
    found = [
        Requirement(key, Operator.IN, frozenset((value,))) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for expression in selector.get("matchExpressions") or ():
        operator = _EXPRESSIONS.get(expression.get("operator", ""))
        if operator is None:
            raise errors.bad_request(
                f'"{expression.get("operator", "")}" is not a valid label selector operator: '
                f"expected one of {', '.join(_EXPRESSIONS)}"
            )
        values = frozenset(expression.get("values") or ())
        if (operator in (Operator.IN, Operator.NOT_IN)) != bool(values):
            raise errors.bad_request(
                f"label selector for {expression.get('key')!r}: operator {expression['operator']} "
                + ("takes no values" if values else "needs values")
            )
        found.append(Requirement(expression.get("key", ""), operator, values))
    return LabelSelector(tuple(found))


def parse_fields(text: str) -> FieldSelector:
    """``metadata.name=x,status.phase!=Ready``; ``\\\\``, ``\\,`` and ``\\=`` escape. Raises StatusError 400."""
    found: list[FieldRequirement] = []
    for term in _split_unescaped(text):
        if not term:
            continue
        parts = re.fullmatch(r"((?:[^\\=!]|\\.)*?)(!=|==|=)((?:[^\\=]|\\.)*)", term, re.DOTALL)
        if not parts:
            raise errors.bad_request(f"invalid field selector: '{term}'; can't understand '{term}'")
        value = re.sub(r"\\(.)", _unescape, parts[3])
        found.append(FieldRequirement(parts[1].strip(), value, parts[2] != "!="))
    return FieldSelector(tuple(found))


def _split_unescaped(text: str) -> list[str]:
    return re.findall(r"(?:^|(?<=,))((?:[^,\\]|\\.)*)", text, re.DOTALL) if "\\" in text else text.split(",")


def _unescape(match: re.Match[str]) -> str:
    if match[1] not in "\\,=":
        raise errors.bad_request(f"invalid field selector: invalid escape sequence {match[0]!r}")
    return match[1]
