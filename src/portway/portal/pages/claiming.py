"""The page of a claim: live status, why this definition, what was planned, how to connect."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portway.apis import resources, wellknown
from portway.apis.claims import ClaimStatus
from portway.krm.errors import StatusError, not_found
from portway.krm.identity import Manifest
from portway.portal import activity, connecting, rendering, resourcetypes, streaming
from portway.portal.activity import Happening
from portway.portal.connecting import Setting
from portway.portal.resourcetypes import ResourceType
from portway.portal.visits import Visit, signed_in


@dataclass(frozen=True, slots=True)
class ClaimContext:
    """Context of claim.html and of the fragments claim_live.html and claim_secret.html."""

    type: ResourceType
    name: str
    workspace: str
    namespace: str
    url: str
    status: ClaimStatus
    parameters: Manifest
    by: str
    created: str
    workload_url: str
    """Page of the workload that asked for it, if one did."""
    workload: str
    deleting: bool
    settings: list[Setting]
    """Public outputs, and secret ones masked."""
    commands: list[tuple[str, str]]
    """(what it does, command)."""
    revealed: list[Setting]
    """Empty until the user asks for them and may read the Secret."""
    happenings: list[Happening]
    problem: str


async def show(visit: Visit) -> Response:
    manifest, type_ = await _get(visit)
    context = await _with_events(visit, manifest, type_)
    return visit.page("claim.html", context, title=context.name, nav="request")


async def events(visit: Visit) -> Response:
    _, type_ = await _get(visit)
    workspace, namespace, name = _place(visit)

    def render(live: Manifest) -> dict[str, str]:
        context = _context(visit, live, type_)
        return {
            "update": visit.render("claim_live.html", context),
            "connect": visit.render("claim_secret.html", context),
        }

    return streaming.EventStream(
        streaming.changes(visit, workspace, type_.claims, namespace, name, render=render, finished=lambda _: False)
    )


async def reveal(visit: Visit) -> Response:
    """The binding Secret's values: read now, as the user, and kept nowhere."""
    manifest, type_ = await _get(visit)
    workspace, namespace, _ = _place(visit)
    binding = ClaimStatus.read(manifest.get("status")).binding
    problem, values = "", []
    if binding is None or not binding.name:
        problem = "There are no credentials yet."
    else:
        try:
            secret = await visit.client(workspace).get(resources.SECRETS, binding.name, namespace)
            values = [Setting(key, _decoded(value), True) for key, value in sorted((secret.get("data") or {}).items())]
        except StatusError as error:
            if error.code == 401:
                raise
            problem = error.message
    context = _context(visit, manifest, type_, revealed=values, problem=problem)
    status = 200 if values else 403
    if visit.from_htmx:
        return visit.fragment("claim_secret.html", context)
    return visit.page("claim.html", context, status=status, title=context.name, nav="request")


async def delete(visit: Visit) -> Response:
    manifest, type_ = await _get(visit)
    workspace, namespace, name = _place(visit)
    try:
        uid = manifest["metadata"].get("uid") or ""
        await visit.client(workspace).delete(type_.claims, name, namespace, uid=uid)
    except StatusError as error:
        if error.code == 401:
            raise
        context = _context(visit, manifest, type_, problem=error.message)
        return visit.page("claim.html", context, status=error.code, title=context.name, nav="request")
    return RedirectResponse("/request", 303)


async def _get(visit: Visit) -> tuple[Manifest, ResourceType]:
    workspace, namespace, name = _place(visit)
    plural = visit.part("plural")
    type_ = resourcetypes.of_plural(visit.index, workspace, plural)
    if type_ is None:
        raise not_found(plural, name)
    return await visit.client(workspace).get(type_.claims, name, namespace), type_


async def _with_events(visit: Visit, manifest: Manifest, type_: ResourceType) -> ClaimContext:
    workspace, namespace, name = _place(visit)
    happenings = await activity.of_object(visit, workspace, namespace, type_.spec.kind, name)
    return _context(visit, manifest, type_, happenings=happenings)


def _context(
    visit: Visit,
    manifest: Manifest,
    type_: ResourceType,
    *,
    happenings: list[Happening] | None = None,
    revealed: list[Setting] | None = None,
    problem: str = "",
) -> ClaimContext:
    workspace, namespace, name = _place(visit)
    metadata, status = manifest["metadata"], ClaimStatus.read(manifest.get("status"))
    notes, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    workload = str(labels.get(wellknown.WORKLOAD_LABEL) or "")
    return ClaimContext(
        type=type_,
        name=name,
        workspace=workspace,
        namespace=namespace,
        url=rendering.path("/claims", workspace, namespace, type_.claims.plural, name),
        status=status,
        parameters=manifest.get("spec") or {},
        by=str(status.requested_by or notes.get(wellknown.REQUESTED_BY) or ""),
        created=metadata.get("creationTimestamp") or "",
        workload_url=rendering.path("/workloads", workspace, namespace, workload) if workload else "",
        workload=workload,
        deleting=bool(metadata.get("deletionTimestamp")),
        settings=connecting.settings(type_, status),
        commands=connecting.commands(type_, status, namespace),
        revealed=revealed or [],
        happenings=happenings or [],
        problem=problem,
    )


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return f"{value} (base64)"


def _place(visit: Visit) -> tuple[str, str, str]:
    return visit.part("workspace"), visit.part("namespace"), visit.part("name")


_PATH = "/claims/{workspace}/{namespace}/{plural}/{name}"
ROUTES = [
    Route(_PATH, signed_in(show)),
    Route(_PATH + "/events", signed_in(events)),
    Route(_PATH + "/reveal", signed_in(reveal), methods=["POST"]),
    Route(_PATH + "/delete", signed_in(delete), methods=["POST"]),
]
