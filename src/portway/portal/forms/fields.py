"""A form as data: what the template form_fields.html renders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
Data = dict[str, Any]


class FieldKind(StrEnum):
    TEXT = "text"
    TEXTAREA = "textarea"
    PASSWORD = "password"  # noqa: S105  a kind of field
    NUMBER = "number"
    BOOLEAN = "boolean"
    SELECT = "select"
    RADIO = "radio"
    CHECKBOXES = "checkboxes"
    SUGGESTED = "suggested"
    """Text with suggestions."""
    TAGS = "tags"
    """Words separated by commas."""
    REPOSITORY = "repository"
    """RepoUrlPicker: host, owner and name that become one text."""
    LIST = "list"
    OBJECT = "object"
    YAML = "yaml"
    """Anything that has no better field, written as YAML."""
    NOTE = "note"
    """Type null: text without a value."""


class Option(NamedTuple):
    value: str
    """As submitted: JSON for choices of a schema, text for suggestions."""
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    kind: FieldKind
    path: Path
    label: str
    name: str
    """Of the input; says how to read it (see decoding)."""
    help: str = ""
    required: bool = False
    text: str = ""
    """Value as shown; empty for passwords' masks too."""
    checked: bool = False
    error: str = ""
    options: tuple[Option, ...] = ()
    placeholder: str = ""
    most: int | None = None
    """Longest text allowed."""
    step: str = ""
    """Of numbers: 1 or any."""
    autofocus: bool = False
    readonly: bool = False
    children: tuple[Field, ...] = ()
    """Of objects: their properties; of lists: their items; of repositories: host, owner, name."""

    @property
    def id(self) -> str:
        return "field-" + "-".join(str(part) for part in self.path).replace(" ", "_")

    @property
    def pointer(self) -> str:
        return pointer(self.path)


def pointer(path: Path) -> str:
    """A JSON pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def parse_pointer(text: str) -> Path:
    parts = text.split("/")[1:]
    return tuple(
        int(part) if part.isdigit() and len(part) < 7 else part.replace("~1", "/").replace("~0", "~") for part in parts
    )
