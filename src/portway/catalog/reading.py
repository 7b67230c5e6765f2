"""Reading descriptor files: many documents in one file, each judged alone.

One bad document never hurts another: every document gets its own verdict with line and field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portway.catalog import checking
from portway.krm import decoding


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem with its place in the file: ``line`` counts from 1."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}"
        if self.message.startswith(place):  # the YAML parser says the place itself
            return self.message
        return f"{place}: {self.field} {self.message}" if self.field else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One document of a file; ``value`` is None when it is not YAML."""

    index: int
    line: int
    value: dict[str, Any] | None
    faults: tuple[Fault, ...]

    @property
    def is_valid(self) -> bool:
        return not self.faults

    @property
    def title(self) -> str:
        """``Component orders`` as far as it can be told."""
        if self.value is None:
            return f"document {self.index + 1}"
        metadata = self.value.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return f"{self.value.get('kind') or 'document'} {name or self.index + 1}"


def read(text: str) -> list[Descriptor]:
    """All documents of a descriptor file; empty documents are passed over."""
    return [_judge(document) for document in decoding.documents(text)]


def _judge(document: decoding.Document) -> Descriptor:
    if document.error is not None:
        return Descriptor(document.index, document.line, None, (Fault(document.line, "", document.error),))
    value = document.value if isinstance(document.value, dict) else None
    problems = checking.check(document.value)
    faults = tuple(Fault(document.locate(p.path), p.field, p.message) for p in problems)
    return Descriptor(document.index, document.line, value, faults)
