"""What is wrong with one decoded document: a Score file, a catalog entity, a template or a manifest."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pydantic

from portway.apis import platform
from portway.catalog import checking
from portway.cli.kinds import Kinds
from portway.krm.errors import Cause
from portway.krm.schemas import defaulting, pruning, validating
from portway.orchestrator.score import parsing as score
from portway.runtime.contract import Terminal
from portway.scaffolder import actions, parameters, templates

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

_FIELD_PARTS = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_VALUE_PREFIX = re.compile(r"^Invalid value: .*?: (?=\S+ in body )", re.S)
_EXPECTED = (
    "is neither a Score file, a catalog entity, a template nor a manifest: expected at least apiVersion and kind"
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """``is_known`` False: nothing is known here about such documents."""

    what: str
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    """What may be right where it is used."""
    is_known: bool = True
    is_foreign: bool = False
    """It is no document of any kind that is checked here."""


def judge(value: Any, kinds: Kinds) -> Judgement:
    if not isinstance(value, dict):
        return Judgement("document", [((), _EXPECTED)], is_foreign=True)
    version, kind = value.get("apiVersion"), value.get("kind")
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    title = name if isinstance(name, str) else ""
    if _is_score(value):
        return Judgement(f"Score file {title}".rstrip(), _of_score(value, ()))
    if not version and not kind:
        return Judgement(f"document {title}".rstrip(), [((), _EXPECTED)], is_foreign=True)
    what = f"{kind or 'document'} {title}".rstrip()
    if not isinstance(version, str) or not isinstance(kind, str) or not version or not kind:
        return Judgement(what, [(p.path, p.message) for p in checking.check(value)])
    if "backstage.io/" in version:
        return _judge_entity(value, what, kind)
    if kind == "Pipeline" and version.startswith(f"{platform.GROUP}/"):
        return Judgement(what, list(_of_pipeline(value.get("spec"))))
    return _judge_manifest(value, what, kinds)


def _is_score(value: dict[str, Any]) -> bool:
    version = value.get("apiVersion")
    return (isinstance(version, str) and version.startswith("score.dev")) or ("containers" in value and not version)


def _of_score(value: Any, place: Path) -> list[Problem]:
    return [((*place, *p.path), _said(str(p), p.message)) for p in score.parse(value).problems]


def _said(text: str, message: str) -> str:
    return text.partition(": ")[2] or message


def _judge_entity(value: dict[str, Any], what: str, kind: str) -> Judgement:
    problems: list[Problem] = [(p.path, p.message) for p in checking.check(value)]
    if kind.lower() != "template":
        return Judgement(what, problems)
    parsed = templates.parse(value)
    named = {path for path, _ in problems}
    problems += [(p.path, p.message) for p in parsed.problems if p.path not in named]
    if parsed.template is None:
        return Judgement(what, problems)
    return Judgement(what, problems + _of_pages(parsed.template), _remarks(parsed.template))


def _of_pages(template: templates.Template) -> list[Problem]:
    """Pages that are no JSON Schemas."""
    found = parameters.check(template, {})
    return [(problem.path, problem.message) for problem in found if problem.path[:1] == ("spec",)]


def _remarks(template: templates.Template) -> list[Problem]:
    return [(p.path, p.message) for p in templates.unknown_actions(template, list(actions.built_in()))]


def _of_pipeline(spec: Any) -> Iterator[Problem]:
    """A file of a repository, ``.portway/pipeline.yaml``: no object of the API."""
    try:
        platform.PipelineSpec.read(spec)
    except pydantic.ValidationError as error:
        for found in error.errors():
            yield ("spec", *found["loc"]), found["msg"]


def _judge_manifest(value: dict[str, Any], what: str, kinds: Kinds) -> Judgement:
    version, kind = value["apiVersion"], value["kind"]
    schema = kinds.schemas.get((version, kind))
    if schema is None:
        meant = kinds.suggestion(version, kind)
        hint = f"; did you mean {meant}?" if meant else ""
        problem: Problem = (("kind",), f"{kind} of {version} is not known here{hint}")
        group = version.rpartition("/")[0]
        return Judgement(what, [problem], is_known=bool(meant) or group in kinds.complete)
    problems = list(_of_schema(schema, value))
    if not problems:
        problems = list(_of_kind(value, version, kind))
    return Judgement(what, problems)


def _of_schema(schema: Any, value: dict[str, Any]) -> Iterator[Problem]:
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        yield ("metadata", "name"), "is required"
        if not isinstance(metadata, dict):
            return
    settled = copy.deepcopy(value)
    defaulting.default(schema, settled)  # nulls that Go clients write are dropped, as the server does
    yield from _problems(validating.validate(schema, settled))
    for unknown in pruning.prune(schema, settled):
        yield path_of(unknown), "is no field of this kind"


def _of_kind(value: dict[str, Any], version: str, kind: str) -> Iterator[Problem]:
    """Rules that a schema cannot say, as controllers and the API server apply them."""
    spec = value.get("spec")
    if kind == "CustomResourceDefinition":
        from portway.apiserver.crdchecks import checking

        yield from _problems(checking.check(value))
    elif kind == "Workload" and isinstance(spec, dict):
        yield from _of_score(spec.get("score"), ("spec", "score"))
    elif kind == "Template" and version.startswith("portal.portway.dev/"):
        parsed = templates.parse_spec(spec)
        yield from ((p.path, p.message) for p in parsed.problems)
        yield from _of_pages(parsed.template) if parsed.template else ()
    elif kind == "ResourceType":
        from portway.controllers.resourcetypes import publishing

        try:
            publishing.checked(value)
        except Terminal as refused:
            where, colon, message = refused.message.partition(": ")
            yield (path_of(where), message) if colon and where.startswith("spec") else (("spec",), refused.message)


def _problems(causes: Iterable[Cause]) -> Iterator[Problem]:
    for cause in causes:
        message = _VALUE_PREFIX.sub("", cause.message).replace(f"{cause.field} in body ", "")
        yield path_of(cause.field), "is required" if message == "Required value" else message


def path_of(text: str) -> Path:
    """``spec.ports[0].annotations[a.b/c]`` as a path."""
    parts: list[str | int] = []
    for bracketed, plain in _FIELD_PARTS.findall(text):
        inside = bracketed.strip('"')
        parts.append(int(inside) if inside.isdigit() else inside or plain)
    return tuple(parts)


def dotted(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int) or "." in part or "/" in part:
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
