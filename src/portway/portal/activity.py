"""What happened to something: events of the API and runs, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from portway.apis import resources, wellknown
from portway.apis.catalog import Deployment
from portway.client.contract import Client
from portway.index.entities import Entity
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.portal import runs
from portway.portal.visits import Visit

_MOST = 60


@dataclass(frozen=True, slots=True)
class Happening:
    at: str
    """RFC 3339."""
    warning: bool
    title: str
    text: str
    url: str = ""


async def of_entity(visit: Visit, entity: Entity, deployments: Sequence[Deployment]) -> list[Happening]:
    client = visit.client(entity.workspace)
    found = await _events(client, entity.ref.namespace, {(entity.kind, entity.ref.name)})
    for deployment in deployments:
        about = {("Workload", deployment.workload or entity.ref.name)}
        about |= {(kind, name) for kind, _, name in (text.partition("/") for text in deployment.resources)}
        found += await _events(client, deployment.environment, about)
    found += await _runs(visit, entity)
    return sorted(found, key=lambda h: h.at, reverse=True)[:_MOST]


async def of_object(visit: Visit, workspace: str, namespace: str, kind: str, name: str) -> list[Happening]:
    found = await _events(visit.client(workspace), namespace, {(kind, name)})
    return sorted(found, key=lambda h: h.at, reverse=True)[:_MOST]


async def _events(client: Client, namespace: str, about: set[tuple[str, str]]) -> list[Happening]:
    """Nothing when the user may not list events there: the page is about something else."""
    try:
        listing = await client.list(resources.EVENTS, namespace)
    except StatusError as error:
        if error.code not in (403, 404):
            raise
        return []
    return [_happening(event) for event in listing.items if _subject(event) in about]


def _subject(event: Manifest) -> tuple[str, str]:
    subject: dict[str, Any] = event.get("involvedObject") or event.get("regarding") or {}
    return str(subject.get("kind", "")), str(subject.get("name", ""))


def _happening(event: Manifest) -> Happening:
    kind, name = _subject(event)
    at = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
    count = event.get("count") or 1
    times = f" ({count} times)" if isinstance(count, int) and count > 1 else ""
    return Happening(
        at=str(at),
        warning=event.get("type") == "Warning",
        title=f"{event.get('reason', '')} · {kind} {name}",
        text=f"{event.get('message') or event.get('note') or ''}{times}",
    )


async def _runs(visit: Visit, entity: Entity) -> list[Happening]:
    notes = (entity.manifest.get("metadata") or {}).get("annotations") or {}
    repository = notes.get(wellknown.REPOSITORY) or entity.ref.name
    pipelines = await visit.readable(resources.PIPELINE_RUNS)
    templates = await visit.readable(resources.TEMPLATE_RUNS)
    found: list[runs.Run] = []
    if pipelines(entity.workspace):
        own = (m for m in visit.index.pipeline_runs.within(entity.workspace))
        found += [runs.of_pipeline(m, entity.workspace) for m in own if m["spec"].get("repository") == repository]
    if templates(entity.workspace):
        own = (m for m in visit.index.template_runs.within(entity.workspace))
        found += [runs.of_template(m, entity.workspace) for m in own if _made(m, entity, notes)]
    return list(_as_happenings(found))


def _made(run: Manifest, entity: Entity, notes: dict[str, str]) -> bool:
    parameters = (run.get("spec") or {}).get("parameters") or {}
    return run["metadata"]["name"] == notes.get(wellknown.TEMPLATE_RUN) or parameters.get("name") == entity.ref.name


def _as_happenings(found: Iterable[runs.Run]) -> Iterable[Happening]:
    for run in found:
        word = "Template" if run.kind == "template" else "Pipeline"
        yield Happening(
            run.created, run.phase == "Failed", f"{word} {run.phase.lower()} · {run.title}", run.message, run.url
        )
