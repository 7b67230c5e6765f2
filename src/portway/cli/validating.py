"""Files to verdicts: each document of each file is judged alone, with line and field. Needs no server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from portway.cli import judging, kinds
from portway.cli.judging import Judgement
from portway.cli.kinds import Kinds
from portway.krm import decoding

LARGEST_BYTES = 5 * 1024 * 1024
_SUFFIXES = (".yaml", ".yml", ".json")
_PLACE = re.compile(r"^line \d+(?:, column \d+)?: ")
STDIN = "-"


class Outcome(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    """Nothing is known here about such documents."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``line`` counts from 1; 0 when the file could not be read at all."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one document."""

    file: str
    line: int
    what: str
    """``Score file orders``, ``Component orders`` …"""
    outcome: Outcome
    faults: tuple[Fault, ...] = ()
    remarks: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A file's documents, or why there are none."""

    file: str
    documents: tuple[decoding.Document, ...] = ()
    fault: str = ""
    is_named: bool = True
    """Given by name; False: found in a folder, where other files may lie too."""


def check(paths: Iterable[Path], stdin: TextIO) -> Iterator[Verdict]:
    """Verdicts in the order of the files; of a folder all YAML and JSON files below it that are for this check.

    CustomResourceDefinitions and ResourceTypes of any of the files are known for all of them.
    """
    read = [each for path in paths for each in _found(path, stdin)]
    values = [value for each in read for document in each.documents for _, value in _objects(document.value)]
    known = kinds.known(values)
    for each in read:
        if each.fault:
            yield Verdict(each.file, 1, "file", Outcome.INVALID, (Fault(0, "", each.fault),))
        for document in each.documents:
            yield from _verdicts(each, document, known)


def _found(path: Path, stdin: TextIO) -> Iterator[_Read]:
    if not path.is_dir():
        yield _read(path, stdin)
        return
    for file in sorted(path.rglob("*")):
        if file.suffix in _SUFFIXES and file.is_file() and not _is_passed_over(file, path):
            yield replace(_read(file, stdin), is_named=False)


def _is_passed_over(file: Path, below: Path) -> bool:
    """Hidden folders, and what a template renders: it is valid only after that."""
    folders = [parent for parent in file.parents if parent != below and parent.is_relative_to(below)]
    hidden = any(f.name == "node_modules" or (f.name.startswith(".") and f.name != ".portway") for f in folders)
    return hidden or any((folder.parent / "template.yaml").is_file() for folder in folders)


def _read(path: Path, stdin: TextIO) -> _Read:
    name = str(path)
    try:
        data = stdin.buffer.read(LARGEST_BYTES + 1) if name == STDIN else _bytes(path)
    except OSError as error:
        return _Read(name, fault=f"cannot be read: {error.strerror}")
    if len(data) > LARGEST_BYTES:
        return _Read(name, fault=f"is larger than {LARGEST_BYTES // 1024 // 1024} MB; split it")
    if b"\0" in data:
        return _Read(name, fault="is no text file; expected YAML or JSON in UTF-8")
    try:
        documents = decoding.documents(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _Read(name, fault=f"is not UTF-8 text (line {line}, byte {error.start})")
    return _Read(name, tuple(documents), "" if documents else "holds no document; expected YAML or JSON")


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _verdicts(read: _Read, document: decoding.Document, known: Kinds) -> Iterator[Verdict]:
    file = read.file
    if document.error is not None:
        fault = Fault(document.line, "", _PLACE.sub("", document.error))
        yield Verdict(file, document.line, "document", Outcome.INVALID, (fault,))
        return
    repeated = tuple(Fault(line, name, "is given twice; expected once") for name, line in document.duplicates)
    for place, value in _objects(document.value):
        found = judging.judge(value, known)
        if found.is_foreign and not read.is_named:
            continue
        verdict = _verdict(file, document, place, found)
        if repeated:
            verdict = replace(verdict, outcome=Outcome.INVALID, faults=(*repeated, *verdict.faults))
            repeated = ()
        yield verdict


def _verdict(file: str, document: decoding.Document, place: judging.Path, found: Judgement) -> Verdict:
    def faults(problems: list[judging.Problem]) -> tuple[Fault, ...]:
        placed = [((*place, *path), message) for path, message in problems]
        return tuple(Fault(document.locate(path), judging.dotted(path), message) for path, message in placed)

    outcome = Outcome.INVALID if found.problems else Outcome.VALID
    return Verdict(
        file,
        document.locate(place),
        found.what,
        outcome if found.is_known else Outcome.UNKNOWN,
        faults(found.problems),
        faults(found.remarks),
    )


def _objects(value: Any) -> Iterator[tuple[judging.Path, Any]]:
    """A ``v1 List`` is the objects in it."""
    is_list = isinstance(value, dict) and value.get("kind") == "List" and value.get("apiVersion") == "v1"
    items = value.get("items") if is_list else None
    if not isinstance(items, list):
        yield (), value
        return
    for index, item in enumerate(items):
        yield ("items", index), item
