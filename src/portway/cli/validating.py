"""``portway validate``: a verdict for each document of each file, with line and field. Needs no server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portway.apis import installing
from portway.catalog import checking
from portway.cli.errors import CommandError
from portway.krm import decoding
from portway.krm.builtins import catalogue
from portway.krm.errors import StatusError
from portway.krm.schemas import pruning, validating
from portway.orchestrator.score import parsing as score

# templates: when the scaffolder lands

_LARGEST = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """``line`` counts from 1."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one document."""

    file: str
    line: int
    what: str
    """``Score workload orders``, ``Component orders`` …"""
    faults: tuple[Fault, ...]

    @property
    def is_valid(self) -> bool:
        return not self.faults


def check_file(path: Path) -> list[Verdict]:
    """Verdicts of a file's documents. Raises CommandError when the file cannot be read."""
    try:
        if path.stat().st_size > _LARGEST:
            raise CommandError(f"{path} is larger than {_LARGEST // 1024 // 1024} MB; split it.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text (byte {error.start}).") from None
    try:
        documents = decoding.documents(text)
    except StatusError as error:
        return [Verdict(str(path), 1, "file", (Fault(1, "", error.message),))]
    if not documents:
        return [Verdict(str(path), 1, "file", (Fault(1, "", "holds no document"),))]
    return [_judge(str(path), document) for document in documents]


def _judge(file: str, document: decoding.Document) -> Verdict:
    if document.error is not None:
        return Verdict(file, document.line, "document", (Fault(document.line, "", document.error),))
    value = document.value
    if not isinstance(value, dict):
        fault = Fault(document.line, "", "expected an object with apiVersion and kind")
        return Verdict(file, document.line, "document", (fault,))
    what, problems = _check(value)
    faults = tuple(Fault(document.locate(path), _dotted(path), message) for path, message in problems)
    return Verdict(file, document.line, what, faults)


Problem = tuple[tuple[str | int, ...], str]


def _check(value: dict[str, Any]) -> tuple[str, list[Problem]]:
    version = str(value.get("apiVersion") or "")
    metadata = value.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
    kind = str(value.get("kind") or "")
    if version.startswith("score.dev") or ("containers" in value and not kind):
        return f"Score workload {name}", [
            (p.path, str(p).partition(": ")[2] or p.message) for p in score.parse(value).problems
        ]
    if "backstage.io" in version or not version or not kind:
        problems: list[Problem] = [(p.path, p.message) for p in checking.check(value)]
        if kind.lower() == "template" and not problems:
            pass
        return f"{kind or 'document'} {name}".strip(), problems
    return f"{kind} {name}".strip(), list(_check_manifest(value, version, kind))


def _check_manifest(value: dict[str, Any], version: str, kind: str) -> Iterator[Problem]:
    schema = _schemas().get((version, kind))
    if schema is None:
        if version.startswith("resources.portway.dev/"):
            return  # a claim's schema belongs to the server: `portway request --dry-run` asks it
        yield ("kind",), f"{kind} of {version} is not known here; `kubectl apply --dry-run=server` asks the server"
        return
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        yield ("metadata", "name"), "is required"
    for cause in validating.validate(schema, value):
        yield _path(cause.field), cause.message
    for unknown in pruning.prune(schema, value):
        yield _path(unknown), "unknown field"


def _schemas() -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind in catalogue.KINDS:
        found[(kind.gvk.api_version, kind.gvk.kind)] = dict(kind.schema)
    for own in installing.api_resource_schemas():
        spec = own["spec"]
        for version in spec["versions"]:
            schema = dict(version["schema"])
            schema["properties"] = {**_ENVELOPE, **schema["properties"]}
            found[(f"{spec['group']}/{version['name']}", spec["names"]["kind"])] = schema
    return found


_ENVELOPE: dict[str, Any] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


def _path(field: str) -> tuple[str | int, ...]:
    parts: list[str | int] = []
    for part in field.replace("[", ".[").split("."):
        if part.startswith("[") and part.endswith("]") and part[1:-1].isdigit():
            parts.append(int(part[1:-1]))
        elif part:
            parts.append(part.strip('[]"'))
    return tuple(parts)


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
