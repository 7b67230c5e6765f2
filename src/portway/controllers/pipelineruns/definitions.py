"""Reads ``.portway/pipeline.yaml`` and the Score file of a commit; problems name file, line and field."""

from __future__ import annotations

from typing import Any

import pydantic

from portway.apis.platform import PipelineSpec
from portway.drivers.services import Repositories
from portway.krm import decoding
from portway.orchestrator import score

PATH = ".portway/pipeline.yaml"


class Unusable(Exception):
    """A file of the commit is missing or wrong; the message is for the developer."""


async def pipeline(repositories: Repositories, workspace: str, repository: str, revision: str) -> PipelineSpec:
    value, document = await _document(repositories, workspace, repository, revision, PATH)
    body = value.get("spec", value) if isinstance(value, dict) else value
    try:
        return PipelineSpec.read(body)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        path = ("spec", *first["loc"]) if isinstance(value, dict) and "spec" in value else first["loc"]
        where = ".".join(map(str, path))
        raise Unusable(f"{PATH} line {document.locate(path)}: {where}: {first['msg']}") from error


async def score_file(
    repositories: Repositories, workspace: str, repository: str, revision: str, path: str
) -> dict[str, Any]:
    """A valid Score file, as written."""
    value, document = await _document(repositories, workspace, repository, revision, path)
    parsed = score.parse(value)
    if parsed.workload is None:
        problems = "; ".join(f"line {document.locate(p.path)}: {p}" for p in parsed.problems)
        raise Unusable(f"{path}: {problems}")
    return dict(value)


async def _document(
    repositories: Repositories, workspace: str, repository: str, revision: str, path: str
) -> tuple[Any, decoding.Document]:
    content = await repositories.read(workspace, repository, revision, path)
    if content is None:
        raise Unusable(f"there is no {path} in {repository} at {revision[:12]}; add one")
    found = decoding.documents(content.decode("utf-8", "replace"))
    if not found:
        raise Unusable(f"{path} is empty")
    if found[0].error:
        raise Unusable(f"{path} line {found[0].line}: {found[0].error}")
    return found[0].value, found[0]
