"""Types of CEL expressions, with the bounds that schemas give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Type:
    """Equal by kind, parameters and name; bounds do not count."""

    __slots__ = ("fields", "keys", "kind", "min_size", "name", "params", "size")

    def __init__(
        self,
        kind: str,
        params: tuple[Type, ...] = (),
        name: str = "",
        *,
        fields: Mapping[str, Type] | None = None,
        keys: Mapping[str, str] | None = None,
        size: int = 0,
        min_size: int = 0,
    ) -> None:
        self.kind = kind
        self.params = params
        self.name = name
        self.fields = fields
        """Of an object: type by field name as CEL writes it."""
        self.keys = keys or {}
        """Of an object: name in the data by escaped name, where they differ."""
        self.size = size
        """Most characters, items or entries, as far as a schema bounds them."""
        self.min_size = min_size
        """Bytes of JSON the smallest value takes."""

    def __eq__(self, other: Any) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Type)
            and self.kind == other.kind
            and self.name == other.name
            and self.params == other.params
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.name, self.params))

    def __str__(self) -> str:
        if self.kind in ("object", "opaque", "param"):
            return self.name
        if self.kind == "optional":
            return f"optional_type({self.params[0]})"
        if self.params:
            return f"{self.kind}({', '.join(map(str, self.params))})"
        return self.kind

    __repr__ = __str__


DYN = Type("dyn", min_size=1)
NULL = Type("null")
BOOL = Type("bool", min_size=4)
INT = Type("int", min_size=1)
UINT = Type("uint", min_size=1)
DOUBLE = Type("double", min_size=1)
STRING = Type("string", min_size=2)
BYTES = Type("bytes", min_size=2)
TIMESTAMP = Type("timestamp")
DURATION = Type("duration")
TYPE = Type("type", (DYN,))
ERROR = Type("dyn")
SIMPLE = {str(t): t for t in (DYN, NULL, BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION)}


def list_of(item: Type, size: int = 0) -> Type:
    return Type("list", (item,), size=size, min_size=2)


def map_of(key: Type, value: Type, size: int = 0) -> Type:
    return Type("map", (key, value), size=size, min_size=2)


def optional_of(value: Type) -> Type:
    return Type("optional", (value,))


def opaque(name: str) -> Type:
    return Type("opaque", name=name)


Bindings = dict[str, Type]


def assignable(target: Type, source: Type, bound: Bindings) -> bool:
    """Whether a value of ``source`` can stand where ``target`` is asked; type parameters are bound on the way."""
    if target.kind == "param":
        known = bound.get(target.name)
        if known is None or (known.kind == "dyn" and source.kind != "dyn"):
            bound[target.name] = source
            return True
        if assignable(known, source, bound):
            return True
        if assignable(source, known, bound):
            bound[target.name] = source
            return True
        return False
    if target.kind == "dyn" or source.kind == "dyn":
        return True
    if source.kind == "null":
        return target.kind in ("null", "object", "opaque", "optional", "timestamp", "duration")
    if target.kind != source.kind or target.name != source.name:
        return False
    if target.kind == "type":
        return True
    if target.params:
        return all(assignable(t, s, bound) for t, s in zip(target.params, source.params, strict=True))
    return True


def substitute(type_: Type, bound: Bindings) -> Type:
    if type_.kind == "param":
        return bound.get(type_.name, DYN)
    if not type_.params:
        return type_
    return Type(type_.kind, tuple(substitute(p, bound) for p in type_.params), type_.name)


def parse(text: str) -> Type:
    """Of signatures: ``list(A)``, ``map(string, list(dyn))``; single capitals are parameters."""
    text = text.strip()
    head, paren, rest = text.partition("(")
    if paren:
        params = tuple(parse(part) for part in split(rest[:-1]))
        return Type("optional" if head == "optional" else head, params)
    if head in SIMPLE:
        return SIMPLE[head]
    if head == "type":
        return TYPE
    return Type("param", name=head) if len(head) == 1 else opaque(head)


def split(text: str) -> list[str]:
    """At the commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]] if text.strip() else []
