"""Template and pipeline runs as lists show them."""

from __future__ import annotations

from dataclasses import dataclass

from portway.apis import resources
from portway.apis import wellknown as known
from portway.apis.platform import PipelineRunStatus, StepStatus
from portway.apis.portal import TemplateRunStatus
from portway.index import entities
from portway.krm.identity import Manifest
from portway.portal import rendering
from portway.portal.visits import Visit


@dataclass(frozen=True, slots=True)
class Run:
    """One row."""

    title: str
    kind: str
    """template or pipeline."""
    url: str
    phase: str
    message: str
    workspace: str
    by: str
    created: str
    started: str
    finished: str
    steps: list[StepStatus]


async def recent(visit: Visit, limit: int = 50) -> list[Run]:
    """The newest runs of both kinds that the user may list."""
    templates = visit.index.template_runs.all(await visit.readable(resources.TEMPLATE_RUNS))
    pipelines = visit.index.pipeline_runs.all(await visit.readable(resources.PIPELINE_RUNS))
    rows = [of_template(m, entities.workspace_of(m)) for m in templates[:limit]]
    rows += [of_pipeline(m, entities.workspace_of(m)) for m in pipelines[:limit]]
    return sorted(rows, key=lambda run: run.created, reverse=True)[:limit]


def of_template(manifest: Manifest, workspace: str) -> Run:
    status = TemplateRunStatus.read(manifest.get("status"))
    spec = manifest.get("spec") or {}
    template = (spec.get("template") or {}).get("name", "")
    parameters = spec.get("parameters") or {}
    name = parameters.get("name") or parameters.get("component_id") or parameters.get("componentName")
    title = f"{template}: {name}" if isinstance(name, str) else template
    return _run(manifest, workspace, "template", title, status)


def of_pipeline(manifest: Manifest, workspace: str) -> Run:
    status = PipelineRunStatus.read(manifest.get("status"))
    spec = manifest.get("spec") or {}
    title = f"{spec.get('repository', '')} @ {str(spec.get('revision', ''))[:7]}"
    return _run(manifest, workspace, "pipeline", title, status)


def _run(
    manifest: Manifest, workspace: str, kind: str, title: str, status: TemplateRunStatus | PipelineRunStatus
) -> Run:
    metadata = manifest["metadata"]
    return Run(
        title=title,
        kind=kind,
        url=rendering.path(f"/runs/{kind}s", workspace, metadata["namespace"], metadata["name"]),
        phase=str(status.phase),
        message=status.message,
        workspace=workspace,
        by=(metadata.get("annotations") or {}).get(known.REQUESTED_BY, ""),
        created=metadata.get("creationTimestamp") or "",
        started=status.started_at or "",
        finished=status.finished_at or "",
        steps=status.steps,
    )
