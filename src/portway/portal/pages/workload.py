"""The page of a workload: health, containers with the reason of a crash, logs, resources, releases, how to open it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from portway.apis import resources, wellknown
from portway.apis.platform import ReleaseSpec, WorkloadStatus
from portway.index.entities import Entity
from portway.index.references import Ref
from portway.krm.errors import StatusError, not_found
from portway.krm.identity import Manifest
from portway.portal import activity, rendering, resourcetypes, streaming
from portway.portal.activity import Happening
from portway.portal.dependencies import LogRequest
from portway.portal.streaming import Event
from portway.portal.visits import Visit, signed_in


@dataclass(frozen=True, slots=True)
class Release:
    name: str
    revision: str
    by: str
    created: str
    current: bool


@dataclass(frozen=True, slots=True)
class WorkloadContext:
    """Context of workload.html and of the fragment workload_live.html."""

    name: str
    workspace: str
    namespace: str
    url: str
    status: WorkloadStatus
    component: Entity | None
    repository: str
    revision: str
    paused: bool
    containers: list[str]
    """Names, as the Score file has them."""
    container: str
    """Whose log is shown."""
    claims: dict[str, str]
    """Page of a claim by its ``<kind>/<name>``."""
    releases: list[Release]
    happenings: list[Happening]


async def show(visit: Visit) -> Response:
    manifest = await _get(visit)
    context = await _whole(visit, manifest)
    return visit.page("workload.html", context, title=context.name, nav="catalog")


async def events(visit: Visit) -> Response:
    manifest = await _get(visit)
    whole = await _whole(visit, manifest)
    workspace, namespace, name = _place(visit)

    def render(live: Manifest) -> dict[str, str]:
        fresh = _context(visit, live, whole.component, whole.releases, whole.happenings)
        return {"update": visit.render("workload_live.html", fresh)}

    return streaming.EventStream(
        streaming.changes(
            visit, workspace, resources.WORKLOADS, namespace, name, render=render, finished=lambda _: False
        )
    )


async def logs(visit: Visit) -> Response:
    """Lines of one container by server-sent events."""
    manifest = await _get(visit)
    container = visit.part("container")
    if container not in _containers(manifest):
        raise not_found("containers", container)
    workspace, namespace, name = _place(visit)
    return streaming.EventStream(_lines(visit, LogRequest(workspace, namespace, name, container)))


async def _lines(visit: Visit, request: LogRequest) -> AsyncIterator[Event]:
    async for line in visit.deps.logs(request):
        yield Event("line", line)
    yield Event("end", "")


async def _get(visit: Visit) -> Manifest:
    workspace, namespace, name = _place(visit)
    return await visit.client(workspace).get(resources.WORKLOADS, name, namespace)


async def _whole(visit: Visit, manifest: Manifest) -> WorkloadContext:
    workspace, namespace, name = _place(visit)
    notes = manifest["metadata"].get("annotations") or {}
    component = str(notes.get(wellknown.COMPONENT) or name)
    entity = visit.catalog.resolve(Ref("component", "default", component), workspace, await visit.readable())
    happenings = await activity.of_object(visit, workspace, namespace, "Workload", name)
    return _context(visit, manifest, entity, await _releases(visit, manifest), happenings)


def _context(
    visit: Visit, manifest: Manifest, component: Entity | None, releases: list[Release], happenings: list[Happening]
) -> WorkloadContext:
    workspace, namespace, name = _place(visit)
    spec, status = manifest.get("spec") or {}, WorkloadStatus.read(manifest.get("status"))
    source = spec.get("source") or {}
    containers = _containers(manifest)
    wanted = visit.param("container")
    return WorkloadContext(
        name=name,
        workspace=workspace,
        namespace=namespace,
        url=rendering.path("/workloads", workspace, namespace, name),
        status=status,
        component=component,
        repository=str(source.get("repository") or ""),
        revision=str(source.get("revision") or ""),
        paused=bool(spec.get("paused")),
        containers=containers,
        container=wanted if wanted in containers else next(iter(containers), ""),
        claims={r.claim: _claim_url(visit, r.claim) for r in status.resources if r.claim},
        releases=releases,
        happenings=happenings,
    )


async def _releases(visit: Visit, manifest: Manifest) -> list[Release]:
    """Newest first; none when the user may not list them."""
    workspace, namespace, name = _place(visit)
    try:
        listing = await visit.client(workspace).list(resources.RELEASES, namespace)
    except StatusError as error:
        if error.code not in (403, 404):
            raise
        return []
    current = (manifest.get("status") or {}).get("release")
    found = []
    for item in listing.items:
        spec = ReleaseSpec.read(item.get("spec"))
        if spec.workload == name:
            metadata = item["metadata"]
            revision = spec.source.revision if spec.source else ""
            at, own = metadata.get("creationTimestamp") or "", metadata["name"]
            found.append(Release(own, revision, spec.requested_by, at, own == current))
    return sorted(found, key=lambda r: r.created, reverse=True)[:20]


def _containers(manifest: Manifest) -> list[str]:
    declared = ((manifest.get("spec") or {}).get("score") or {}).get("containers") or {}
    reported = (manifest.get("status") or {}).get("containers") or []
    return list(dict.fromkeys([*declared, *(c.get("name", "") for c in reported)]))


def _claim_url(visit: Visit, claim: str) -> str:
    workspace, namespace, _ = _place(visit)
    kind, _, name = claim.partition("/")
    type_ = resourcetypes.of_kind(visit.index, workspace, kind)
    return rendering.path("/claims", workspace, namespace, type_.claims.plural, name) if type_ else ""


def _place(visit: Visit) -> tuple[str, str, str]:
    return visit.part("workspace"), visit.part("namespace"), visit.part("name")


_PATH = "/workloads/{workspace}/{namespace}/{name}"
ROUTES = [
    Route(_PATH, signed_in(show)),
    Route(_PATH + "/events", signed_in(events)),
    Route(_PATH + "/logs/{container}", signed_in(logs)),
]
