"""A small language for message types, because a field needs four facts and one line should hold them.

::

    Secret kind: Confidential values, each under a key.
      data 2 {}bytes: Values in base64.
      type 3 string: Tells programs how to read the values.

A line at the margin opens a message: name, flags, description. An indented line is a field: JSON name,
protobuf number (0 when the type never travels as protobuf), type, flags, description; deeper indented lines
go on with the description.

Types: a scalar of ``SCALARS``, a message of the same package, or ``package.Message``; ``[]T`` is a list and
``{}T`` a map from text. ``*T`` says that absent and empty differ (a pointer in Go). Message flags: ``kind``
(has apiVersion and kind), ``atomic`` (server-side apply owns it as a whole). Field flags: ``required``,
``inline`` (embedded: its fields stand beside this one's in JSON), ``atomic``, ``set``, ``map=key[,key]``
(list types), ``merge=key`` (strategic merge patch), ``enum=A|B``, ``pattern=…``, ``default=<JSON>``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SCALARS = frozenset(
    (
        *(
            "string",
            "int32",
            "int64",
            "double",
            "bool",
            "bytes",
            "time",
            "microtime",
            "quantity",
            "intorstring",
        ),
        *("raw", "json", "fieldsv1", "strings", "object", "schemaorarray", "schemaorbool", "schemaorstrings"),
    )
)


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    number: int
    type: str
    """A scalar or the full name of a message."""
    repeated: bool = False
    mapped: bool = False
    pointer: bool = False
    required: bool = False
    inline: bool = False
    description: str = ""
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def is_message(self) -> bool:
        return self.type not in SCALARS

    @property
    def default(self) -> Any:
        """The declared default, or None."""
        return json.loads(self.flags["default"]) if "default" in self.flags else None


@dataclass(frozen=True, slots=True)
class Message:
    name: str
    """As OpenAPI names it: ``io.k8s.api.core.v1.ConfigMap``."""
    fields: tuple[Field, ...]
    description: str = ""
    is_kind: bool = False
    atomic: bool = False

    @property
    def short_name(self) -> str:
        return self.name.rpartition(".")[2]


def parse(text: str, packages: dict[str, str], package: str) -> dict[str, Message]:
    """Messages by full name. ``packages`` maps the aliases usable in types to full package names."""
    messages = {}
    for header, lines in _paragraphs(text):
        head, _, description = header.partition(": ")
        name, *flags = head.split()
        full = f"{packages[package]}.{name}"
        fields = tuple(_field(line, packages, package) for line in lines)
        messages[full] = Message(full, fields, description, "kind" in flags, "atomic" in flags)
    return messages


def _paragraphs(text: str) -> Iterator[tuple[str, list[str]]]:
    header, lines = "", list[str]()
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        stripped = line.strip()
        if not stripped:
            continue
        if indent >= 4 and lines:
            lines[-1] += " " + stripped
        elif indent >= 4:
            header += " " + stripped
        elif indent:
            lines.append(stripped)
        else:
            if header:
                yield header, lines
            header, lines = stripped, []
    if header:
        yield header, lines


def _field(line: str, packages: dict[str, str], package: str) -> Field:
    head, _, description = line.partition(": ")
    name, number, type_, *words = head.rstrip(":").split()
    flags = dict(word.partition("=")[::2] for word in words)
    pointer = type_.startswith("*")
    type_ = type_.removeprefix("*")
    repeated, mapped = type_.startswith("[]"), type_.startswith("{}")
    type_ = type_.removeprefix("[]").removeprefix("{}")
    if type_ not in SCALARS:
        alias, _, short = type_.rpartition(".")
        type_ = f"{packages[alias or package]}.{short}"
    return Field(
        name=name,
        number=int(number),
        type=type_,
        repeated=repeated,
        mapped=mapped,
        pointer=pointer,
        required="required" in flags,
        inline="inline" in flags,
        description=description,
        flags=flags,
    )
