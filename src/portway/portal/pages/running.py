"""Runs: the list, and the live page of a template run or a pipeline run."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portway.apis import resources
from portway.apis.platform import FINISHED
from portway.apis.portal import RunOutput, TemplateRunStatus
from portway.client.contract import Resource
from portway.index.references import Ref
from portway.krm.errors import StatusError, not_found
from portway.krm.identity import Manifest
from portway.portal import rendering, runs, streaming
from portway.portal.runs import Run
from portway.portal.visits import Visit, signed_in
from portway.techdocs import markdown

_KINDS = {"templates": resources.TEMPLATE_RUNS, "pipelines": resources.PIPELINE_RUNS}


@dataclass(frozen=True, slots=True)
class RunsContext:
    """Context of runs.html."""

    runs: list[Run]


@dataclass(frozen=True, slots=True)
class Made:
    """A link to what a run made."""

    title: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class RunContext:
    """Context of run.html and of the fragment run_live.html."""

    run: Run
    url: str
    finished: bool
    may_cancel: bool
    cancelled: bool
    """Asked for, perhaps not yet done."""
    done: int
    """Steps that are over."""
    made: list[Made]
    texts: list[tuple[str, str]]
    """(title, safe HTML) that the template says at the end."""
    again_url: str
    """The wizard with the same values; empty for pipelines."""
    parameters: dict[str, object]
    problem: str


async def listing(visit: Visit) -> Response:
    return visit.page("runs.html", RunsContext(await runs.recent(visit, 60)), title="Runs", nav="runs")


async def show(visit: Visit) -> Response:
    manifest = await _get(visit)
    context = _context(visit, manifest)
    return visit.page("run.html", context, title=context.run.title, nav="runs")


async def events(visit: Visit) -> Response:
    await _get(visit)

    def render(manifest: Manifest) -> dict[str, str]:
        return {"update": visit.render("run_live.html", _context(visit, manifest))}

    def over(manifest: Manifest) -> bool:
        return (manifest.get("status") or {}).get("phase") in FINISHED

    workspace, namespace, name = _place(visit)
    return streaming.EventStream(
        streaming.changes(visit, workspace, _resource(visit), namespace, name, render=render, finished=over)
    )


async def cancel(visit: Visit) -> Response:
    workspace, namespace, name = _place(visit)
    try:
        await visit.client(workspace).patch(_resource(visit), name, {"spec": {"cancelled": True}}, namespace)
    except StatusError as error:
        context = _context(visit, await _get(visit), problem=error.message)
        return visit.page("run.html", context, status=error.code, title=context.run.title, nav="runs")
    return RedirectResponse(_url(visit), 303)


async def again(visit: Visit) -> Response:
    """A new run with the same spec."""
    workspace, namespace, name = _place(visit)
    old = await _get(visit)
    spec = {key: value for key, value in old["spec"].items() if key != "cancelled"}
    fresh = f"{name.rpartition('-')[0] or name}-{secrets.token_hex(3)}"
    manifest = {"metadata": {"name": fresh, "namespace": namespace}, "spec": spec}
    try:
        await visit.client(workspace).create(_resource(visit), manifest, namespace)
    except StatusError as error:
        context = _context(visit, old, problem=error.message)
        return visit.page("run.html", context, status=error.code, title=context.run.title, nav="runs")
    return RedirectResponse(rendering.path(f"/runs/{visit.part('kind')}", workspace, namespace, fresh), 303)


def _context(visit: Visit, manifest: Manifest, problem: str = "") -> RunContext:
    workspace, namespace, _ = _place(visit)
    is_template = visit.part("kind") == "templates"
    run = runs.of_template(manifest, workspace) if is_template else runs.of_pipeline(manifest, workspace)
    finished = run.phase in FINISHED
    output = TemplateRunStatus.read(manifest.get("status")).output if is_template else None
    spec = manifest.get("spec") or {}
    return RunContext(
        run=run,
        url=_url(visit),
        finished=finished,
        may_cancel=not finished and not spec.get("cancelled"),
        cancelled=bool(spec.get("cancelled")),
        done=sum(step.phase in FINISHED for step in run.steps),
        made=_made(workspace, namespace, output, manifest),
        texts=[(text.title, markdown.render(text.content)) for text in output.text] if output else [],
        again_url=_wizard(spec) if is_template else "",
        parameters=spec.get("parameters") or {},
        problem=problem,
    )


def _made(workspace: str, namespace: str, output: RunOutput | None, manifest: Manifest) -> list[Made]:
    found = []
    for link in output.links if output else []:
        ref = Ref.parse(link.entity_ref, "component", namespace) if link.entity_ref else None
        url = rendering.path("/catalog", workspace, ref.kind, ref.namespace, ref.name) if ref else link.url
        if rendering.safe_url(url):
            found.append(Made(link.title or url, rendering.safe_url(url), link.icon or ("catalog" if ref else "web")))
    workload = (manifest.get("status") or {}).get("workload")
    if isinstance(workload, str) and "/" in workload:
        place, _, name = workload.partition("/")
        found.append(
            Made(f"Workload {name} in {place}", rendering.path("/workloads", workspace, place, name), "rocket")
        )
    return found


def _wizard(spec: Manifest) -> str:
    template = spec.get("template") or {}
    if not template.get("workspace"):
        return ""
    url = rendering.path("/create", template["workspace"], template.get("namespace") or "default", template.get("name"))
    return f"{url}?{urlencode({'formData': orjson.dumps(spec.get('parameters') or {}).decode()})}"


async def _get(visit: Visit) -> Manifest:
    workspace, namespace, name = _place(visit)
    return await visit.client(workspace).get(_resource(visit), name, namespace)


def _resource(visit: Visit) -> Resource:
    kind = visit.part("kind")
    if kind not in _KINDS:
        raise not_found("runs", visit.part("name"))
    return _KINDS[kind]


def _place(visit: Visit) -> tuple[str, str, str]:
    return visit.part("workspace"), visit.part("namespace"), visit.part("name")


def _url(visit: Visit) -> str:
    return rendering.path(f"/runs/{visit.part('kind')}", *_place(visit))


_PATH = "/runs/{kind}/{workspace}/{namespace}/{name}"
ROUTES = [
    Route("/runs", signed_in(listing)),
    Route(_PATH, signed_in(show)),
    Route(_PATH + "/events", signed_in(events)),
    Route(_PATH + "/cancel", signed_in(cancel), methods=["POST"]),
    Route(_PATH + "/again", signed_in(again), methods=["POST"]),
]
