"""Reads plain decoded values and notes every problem with its path, instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` leads to the value (or to its parent, when a key is missing)."""

    path: Path
    message: str
    expected: str = ""

    @property
    def field(self) -> str:
        """``containers.web.files[0].mode``; empty for the document itself."""
        return dotted(self.path)

    def __str__(self) -> str:
        text = f"{self.field}: {self.message}" if self.path else self.message
        return f"{text}; expected {self.expected}" if self.expected else text


def dotted(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _kind(value: Any) -> str:
    names: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"), (int, "an integer"), (float, "a number"), (str, "a string"), (Mapping, "a mapping"),
        (list, "a list"),
    )  # fmt: skip
    if value is None:
        return "empty (null)"
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__)


@dataclass(slots=True)
class Reader:
    """Every method returns a usable value even when it notes a problem, so that reading goes on."""

    problems: list[Problem] = field(default_factory=list)

    def note(self, path: Path, message: str, expected: str = "") -> None:
        self.problems.append(Problem(path, message, expected))

    def mapping(
        self, value: Any, path: Path, *, known: Collection[str] | None = None, required: Iterable[str] = ()
    ) -> Mapping[str, Any]:
        """A mapping with string keys. ``known`` None allows any key."""
        if not isinstance(value, Mapping):
            self.note(path, f"is {_kind(value)}", "a mapping")
            return {}
        for key in value:
            if not isinstance(key, str):
                self.note(path, f"has the key {key!r}, which is {_kind(key)}", "string keys")
            elif known is not None and key not in known:
                self.note((*path, key), "unknown field", "one of " + ", ".join(sorted(known)))
        for key in required:
            if key not in value:
                self.note(path, f"required field {key} is missing", f"the field {key}")
        return {k: v for k, v in value.items() if isinstance(k, str)}

    def named(self, value: Any, path: Path, pattern: Pattern) -> Mapping[str, Any]:
        """A mapping whose keys follow a pattern."""
        entries = self.mapping(value, path)
        for key in entries:
            if not pattern.allows(key):
                self.note((*path, key), f"the name {key!r} is not allowed", pattern.words)
        return entries

    def sequence(self, value: Any, path: Path) -> Sequence[Any]:
        if isinstance(value, list):
            return value
        self.note(path, f"is {_kind(value)}", "a list")
        return ()

    def text(self, value: Any, path: Path, *, pattern: Pattern | None = None, empty: bool = True) -> str:
        if not isinstance(value, str):
            hint = f"a string (write it in quotes: '{value}')" if isinstance(value, int | float) else "a string"
            self.note(path, f"is {_kind(value)}", hint)
            return ""
        text: str = value
        if pattern is not None and not pattern.allows(text):
            self.note(path, f"{text!r} is not allowed", pattern.words)
        elif not empty and not text:
            self.note(path, "is an empty string", "a string that is not empty")
        return text

    def texts(self, value: Any, path: Path) -> tuple[str, ...]:
        return tuple(self.text(item, (*path, i)) for i, item in enumerate(self.sequence(value, path)))

    def choice(self, value: Any, path: Path, allowed: Sequence[str]) -> str:
        for option in allowed:
            if value == option:
                return option
        self.note(path, f"is {value!r}" if isinstance(value, str) else f"is {_kind(value)}", " or ".join(allowed))
        return allowed[0]

    def port(self, value: Any, path: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            self.note(path, f"is {_kind(value)}", "an integer from 1 to 65535")
            return 0
        if not 1 <= value <= 65535:
            self.note(path, f"is {value}", "an integer from 1 to 65535")
        return value

    def flag(self, value: Any, path: Path) -> bool:
        if isinstance(value, bool):
            return value
        self.note(path, f"is {_kind(value)}", "true or false")
        return False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression with its length limits, and the words that explain it."""

    expression: re.Pattern[str]
    words: str
    shortest: int = 0
    longest: int = 1 << 20

    def allows(self, text: str) -> bool:
        return self.shortest <= len(text) <= self.longest and self.expression.fullmatch(text) is not None
