"""Request a resource: cards of types, then a form from the claim's schema, its plan, and the claim."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portway.apis import resources
from portway.apis.claims import ClaimStatus
from portway.apis.wellknown import WORKSPACE
from portway.index.references import Ref
from portway.krm.errors import StatusError, not_found
from portway.krm.identity import Manifest
from portway.portal import rendering, resourcetypes
from portway.portal.forms import building, checking, decoding, schemas
from portway.portal.forms.fields import Data, Field, Option, Path, parse_pointer
from portway.portal.forms.pickers import CatalogChoices
from portway.portal.resourcetypes import ResourceType
from portway.portal.visits import Visit, signed_in

_NAME = {
    "type": "string",
    "title": "Name",
    "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    "description": "Lower-case letters, digits and hyphens.",
}
_CHANGED = "Your answers have changed since the plan was made. This is the plan for what you ask for now."
_MOST_WORKSPACES = 12
"""Of those that the list of resources looks into."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    name: str
    type: ResourceType
    workspace: str
    namespace: str
    url: str
    health: str
    definition: str
    created: str


@dataclass(frozen=True, slots=True)
class ResourcesContext:
    """Context of resources.html."""

    types: list[ResourceType]
    claims: list[ClaimRow]
    unreadable: int
    """Workspaces whose claims the user may not list."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Context of request.html and of the fragment request_body.html."""

    type: ResourceType
    url: str
    workspaces: list[Option]
    environments: list[Option]
    fields: tuple[Field, ...]
    error: str
    plan: ClaimStatus | None
    """What would be made, as the API answers a dry run; None before that was asked."""
    planned: str
    """What the plan is for, as it comes back with the button: other answers are planned anew first."""


async def listing(visit: Visit) -> Response:
    types = resourcetypes.everywhere(visit.index, await visit.readable(resources.RESOURCE_TYPES))
    claims, unreadable = await _claims(visit)
    context = ResourcesContext([t for t in types if t.spec.requestable], claims, unreadable)
    return visit.page("resources.html", context, title="Resources", nav="request")


async def start(visit: Visit) -> Response:
    desk = await _Desk.open(visit)
    workspace = desk.workspace(visit.param("workspace"))
    return desk.show(workspace, visit.param("environment"), {}, {})


async def step(visit: Visit) -> Response:
    desk = await _Desk.open(visit)
    form = await visit.request.form()
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    data = decoding.decode(pairs)
    workspace = desk.workspace(str(form.get("_workspace") or ""))
    environment = str(form.get("_environment") or "")
    if pointer := form.get("_add"):
        decoding.add_item(data, str(pointer), desk.schema)
    if pointer := form.get("_remove"):
        decoding.remove_item(data, str(pointer))
    move = str(form.get("_go") or "plan")
    if pointer or move == "refresh" or form.get("_add"):
        return desk.show(workspace, environment, data, {})
    data = decoding.prune(desk.schema, data)
    if errors := checking.check(desk.schema, data):
        return desk.show(workspace, environment, data, errors)
    planned = str(form.get("_planned") or "")
    if move == "create" and planned and planned != _planned(workspace, environment, data):
        return await desk.ask(workspace, environment, data, dry=True, note=_CHANGED)
    return await desk.ask(workspace, environment, data, dry=move != "create")


@dataclass(frozen=True, slots=True)
class _Desk:
    visit: Visit
    type: ResourceType
    offered: list[str]
    """Workspaces where the user may create claims of the type."""
    choices: CatalogChoices

    @classmethod
    async def open(cls, visit: Visit) -> _Desk:
        name = visit.part("type")
        readable = await visit.readable()
        types = resourcetypes.everywhere(visit.index, await visit.readable(resources.RESOURCE_TYPES))
        type_ = next((t for t in types if t.name == name), None)
        if type_ is None:
            raise not_found("resourcetypes", name, resources.RESOURCE_TYPES.group)
        may = await visit.may(type_.claims, "create")
        mine = visit.catalog.memberships(visit.user.name, visit.user.groups, readable)
        own = _team_workspaces(visit, mine)
        below = [p for p in visit.index.environments.workspaces() | own if _within(p, type_.workspace) and may(p)]
        return cls(
            visit, type_, sorted(below, key=lambda p: (p not in own, p)), CatalogChoices(visit.catalog, readable, mine)
        )

    @property
    def schema(self) -> schemas.Schema:
        parameters = self.type.parameters
        return {
            **parameters,
            "required": ["name", *parameters["required"]],
            "properties": {"name": _NAME, **parameters["properties"]},
        }

    def workspace(self, wanted: str) -> str:
        return wanted if wanted in self.offered else next(iter(self.offered), "")

    def show(
        self,
        workspace: str,
        environment: str,
        data: Data,
        errors: dict[Path, str],
        *,
        problem: str = "",
        plan: ClaimStatus | None = None,
    ) -> Response:
        fields = building.build(self.schema, data, building.Build(self.choices, errors))
        known = {field.path for field in fields}
        loose = " ".join(text for path, text in errors.items() if path[:1] not in known)
        namespaces = _environments(self.visit, workspace)
        environment = environment if environment in namespaces else next(iter(namespaces), "default")
        context = RequestContext(
            type=self.type,
            url=rendering.path("/request", self.type.name),
            workspaces=[Option(path, path, path == workspace) for path in self.offered],
            environments=[Option(name, label, name == environment) for name, label in namespaces.items()],
            fields=fields,
            error=problem or loose,
            plan=plan,
            planned=_planned(workspace, environment, data) if plan else "",
        )
        status = 422 if errors or problem else 200
        if self.visit.from_htmx:
            return self.visit.fragment("request_body.html", context)
        return self.visit.page("request.html", context, status=status, title=self.type.title, nav="request")

    async def ask(self, workspace: str, environment: str, data: Data, *, dry: bool, note: str = "") -> Response:
        """The plan (dry), or the claim itself."""
        if not workspace:
            return self.show(
                workspace, environment, data, {}, problem="There is no workspace where you may request this."
            )
        name = str(data["name"])
        spec = {key: value for key, value in data.items() if key != "name"}
        manifest: Manifest = {"metadata": {"name": name, "namespace": environment}, "spec": spec}
        client = self.visit.client(workspace)
        try:
            answer = await client.create(self.type.claims, manifest, environment, dry_run=dry)
        except StatusError as error:
            if error.code == 401:
                raise
            return self._refused(workspace, environment, data, error)
        if dry:
            plan = ClaimStatus.read(answer.get("status"))
            return self.show(workspace, environment, data, {}, plan=plan, problem=note)
        target = rendering.path("/claims", workspace, environment, self.type.claims.plural, name)
        if self.visit.from_htmx:
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)

    def _refused(self, workspace: str, environment: str, data: Data, error: StatusError) -> Response:
        """Causes stand at their fields; the rest above the form."""
        errors: dict[Path, str] = {}
        for cause in error.causes:
            field = cause.field.removeprefix("spec.").removeprefix("metadata.")
            path = parse_pointer("/" + field.replace("[", ".").replace("]", "").replace(".", "/"))
            errors[path] = cause.message
        if error.reason == "AlreadyExists":
            errors[("name",)] = f"There is a {self.type.spec.kind} of this name in {environment} already."
        return self.show(workspace, environment, data, errors, problem="" if errors else error.message)


def _planned(workspace: str, environment: str, data: Data) -> str:
    text = json.dumps([workspace, environment, data], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def _claims(visit: Visit) -> tuple[list[ClaimRow], int]:
    """Claims in the user's team workspaces (else in any that can be read), as the user."""
    readable = await visit.readable()
    mine = visit.catalog.memberships(visit.user.name, visit.user.groups, readable)
    places = sorted(_team_workspaces(visit, mine)) or sorted(filter(readable, visit.index.environments.workspaces()))
    rows: list[ClaimRow] = []
    refused: set[str] = set()

    async def look(place: str, type_: ResourceType) -> None:
        try:
            listing = await visit.client(place).list(type_.claims)
        except StatusError as error:
            if error.code == 403:
                refused.add(place)
            elif error.code != 404:
                raise
            return
        rows.extend(_row(place, type_, manifest) for manifest in listing.items)

    async with asyncio.TaskGroup() as group:
        for place in places[:_MOST_WORKSPACES]:
            for type_ in resourcetypes.visible(visit.index, place):
                group.create_task(look(place, type_))
    return sorted(rows, key=lambda row: (row.workspace, row.namespace, row.name)), len(refused)


def _row(workspace: str, type_: ResourceType, manifest: Manifest) -> ClaimRow:
    metadata, status = manifest["metadata"], ClaimStatus.read(manifest.get("status"))
    place = (workspace, metadata["namespace"], type_.claims.plural, metadata["name"])
    return ClaimRow(
        name=metadata["name"],
        type=type_,
        workspace=workspace,
        namespace=metadata["namespace"],
        url=rendering.path("/claims", *place),
        health=str(status.health),
        definition=status.definition.rpartition("/")[2],
        created=metadata.get("creationTimestamp") or "",
    )


def _team_workspaces(visit: Visit, mine: frozenset[Ref]) -> set[str]:
    found = set()
    for entity in visit.catalog.all(lambda _: True, "group"):
        if entity.ref in mine:
            notes = (entity.manifest.get("metadata") or {}).get("annotations") or {}
            found.add(str(notes.get(WORKSPACE) or ""))
    return found - {""}


def _environments(visit: Visit, workspace: str) -> dict[str, str]:
    """Namespace -> label; ``default`` last, for what belongs to no environment."""
    found = {}
    environments = visit.index.environments.within(workspace)
    for manifest in sorted(environments, key=lambda m: (m.get("spec") or {}).get("type") == "production"):
        name, spec = manifest["metadata"]["name"], manifest.get("spec") or {}
        kind = spec.get("type") or ""
        found[name] = spec.get("title") or (f"{name} ({kind})" if kind and kind != name else name)
    return {**found, "default": "none (namespace default)"}


def _within(path: str, ancestor: str) -> bool:
    return path == ancestor or path.startswith(f"{ancestor}:")


ROUTES = [
    Route("/request", signed_in(listing)),
    Route("/request/{type}", signed_in(start), methods=["GET"]),
    Route("/request/{type}", signed_in(step), methods=["POST"]),
]
