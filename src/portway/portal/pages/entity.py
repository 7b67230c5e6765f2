"""The page of one entity: overview, relations, deployments, activity, docs, API, source; one tab each in the URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from portway.apis import resources, wellknown
from portway.apis.catalog import Deployment, EntityStatus, Item
from portway.client.contract import Resource
from portway.index.catalogs import Readable, Relation
from portway.index.entities import Entity
from portway.index.references import Key, Ref
from portway.krm.errors import StatusError, not_found
from portway.portal import activity, cookies, rendering
from portway.portal.activity import Happening
from portway.portal.pages import documents
from portway.portal.pages.documents import DocsContext
from portway.portal.visits import Visit, signed_in

_RESOURCES: dict[str, Resource] = {r.kind.lower(): r for r in (*resources.ENTITIES, resources.TEMPLATES)}
_LEVELS = {"error": 0, "warning": 1}
_RECENTLY = 12
_GRAPH_NODES = 60

_RELATION_TITLES = {
    "ownedBy": "Owned by", "ownerOf": "Owns", "partOf": "Part of", "hasPart": "Has part",
    "providesApi": "Provides", "apiProvidedBy": "Provided by", "consumesApi": "Consumes",
    "apiConsumedBy": "Consumed by", "dependsOn": "Depends on", "dependencyOf": "Needed by",
    "parentOf": "Parent of", "childOf": "Child of", "memberOf": "Member of", "hasMember": "Members",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    title: str
    url: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Repository:
    name: str
    url: str
    """Page of its claim."""
    clone: str
    """What ``git clone`` takes; empty when it is not known."""


@dataclass(frozen=True, slots=True)
class EntityContext:
    """Context of entity.html and of its tabs."""

    entity: Entity
    url: str
    tab: str
    tabs: list[Tab]
    starred: bool
    owner: Entity | None
    system: Entity | None
    links: list[tuple[str, str, str]]
    """(title, safe address, icon)."""
    repository: Repository | None
    """On Portway's own git server."""
    annotations: dict[str, str]
    relations: dict[str, list[Relation]]
    """By title of the relation."""
    deployments: list[Deployment]
    items: list[Item]
    """Problems, errors first."""
    happenings: list[Happening]
    definition: str
    """Of an API: its text."""
    docs: DocsContext | None
    docs_missing: str
    """Why there are no docs to show; empty when there are, or when another tab is open."""
    workload_urls: dict[str, str] = field(default_factory=dict)
    """Page of the workload, by environment."""
    create_url: str = ""
    """Of a template: its wizard."""
    manifest: dict[str, Any] = field(default_factory=dict)


async def show(visit: Visit) -> Response:
    entity, readable = await _entity(visit)
    if entity.workspace != visit.part("workspace"):
        return RedirectResponse(rendering.entity_url(entity), 303)
    tab = visit.param("tab", "overview")
    context = await _context(visit, entity, readable, tab)
    response = visit.page("entity.html", context, title=entity.label, nav="catalog")
    _remember(visit, response, entity.key)
    return response


async def docs(visit: Visit) -> Response:
    """A page (or picture) of the entity's documentation by its path."""
    entity, readable = await _entity(visit)
    site = await documents.site_of(visit, entity)
    path = visit.part("path")
    if site and (image := documents.image_of(site, path)):
        return image
    context = await _context(visit, entity, readable, "docs", path)
    return visit.page("entity.html", context, title=entity.label, nav="catalog")


async def graph(visit: Visit) -> Response:
    """``{nodes, edges}`` of the entity and what it relates to directly."""
    entity, readable = await _entity(visit)
    nodes = {"centre": _node("centre", entity.ref, entity) | {"centre": True}}
    edges = []
    for relation in visit.catalog.relations(entity, readable)[:_GRAPH_NODES]:
        id_ = str(relation.ref)
        nodes.setdefault(id_, _node(id_, relation.ref, relation.target))
        edges.append({"source": "centre", "target": id_, "label": _RELATION_TITLES[relation.type].lower()})
    return JSONResponse({"nodes": list(nodes.values()), "edges": edges}, headers={"Cache-Control": "no-store"})


async def star(visit: Visit) -> Response:
    entity, _ = await _entity(visit)
    keys = cookies.keys(visit.request, cookies.STARRED)
    kept = [key for key in keys if key != entity.key]
    response = RedirectResponse(rendering.entity_url(entity), 303)
    cookies.set_keys(response, cookies.STARRED, kept if len(kept) < len(keys) else [entity.key, *kept])
    return response


async def _entity(visit: Visit) -> tuple[Entity, Readable]:
    """The entity as the API gives it to the user. Raises StatusError 403 or 404."""
    workspace, kind, namespace, name = (visit.part(p) for p in ("workspace", "kind", "namespace", "name"))
    resource = _RESOURCES.get(kind)
    if resource is None:
        raise not_found(kind, name)
    readable = await visit.readable()
    ref = Ref(kind, namespace, name)
    known = visit.catalog.get(Key(workspace, ref), readable)
    if known is None:  # a reference written in this workspace may mean an entity of another one
        meant = visit.catalog.resolve(ref, workspace, readable)
        if meant is None:
            raise not_found(resource.plural, name, resource.group)
        return meant, readable
    await visit.client(workspace).get(resource, known.ref.name, known.ref.namespace)
    return known, readable


async def _context(visit: Visit, entity: Entity, readable: Readable, tab: str, path: str = "") -> EntityContext:
    status = EntityStatus.read(entity.manifest.get("status"))
    relations = visit.catalog.relations(entity, readable)
    grouped: dict[str, list[Relation]] = {}
    for relation in relations:
        grouped.setdefault(_RELATION_TITLES[relation.type], []).append(relation)
    tabs = _tabs(entity, status, len(relations))
    tab = tab if tab in {t.name for t in tabs} else "overview"
    shown_docs, missing = await _docs(visit, entity, path) if tab == "docs" else (None, "")
    happenings = await activity.of_entity(visit, entity, status.deployments) if tab in ("overview", "activity") else []
    definition = (entity.manifest.get("spec") or {}).get("definition")
    return EntityContext(
        entity=entity,
        url=rendering.entity_url(entity),
        tab=tab,
        tabs=tabs,
        starred=entity.key in cookies.keys(visit.request, cookies.STARRED),
        owner=visit.catalog.resolve(entity.owner, entity.workspace, readable) if entity.owner else None,
        system=visit.catalog.resolve(entity.system, entity.workspace, readable) if entity.system else None,
        links=_links(entity),
        repository=_repository(entity),
        annotations={k: v for k, v in _notes(entity).items() if not k.startswith(("kcp.io/", "kubectl."))},
        relations=grouped,
        deployments=status.deployments,
        items=sorted(status.items, key=lambda item: _LEVELS.get(item.level, 2)) if tab == "overview" else [],
        happenings=happenings if tab == "activity" else happenings[:5],
        definition=definition if isinstance(definition, str) else "",
        docs=shown_docs,
        docs_missing=missing,
        workload_urls={
            d.environment: rendering.path("/workloads", entity.workspace, d.environment, d.workload)
            for d in status.deployments
            if d.workload
        },
        create_url=rendering.path("/create", entity.workspace, entity.ref.namespace, entity.ref.name)
        if entity.ref.kind == "template"
        else "",
        manifest=entity.manifest if tab == "source" else {},
    )


async def _docs(visit: Visit, entity: Entity, path: str) -> tuple[DocsContext | None, str]:
    try:
        site = await documents.site_of(visit, entity)
    except StatusError as error:
        if error.code == 401:
            raise
        return None, f"The repository cannot be read: {error.message}"
    if site is None:
        return None, "Its repository has no docs/ folder and no README.md."
    base = f"{rendering.entity_url(entity)}/docs"
    return documents.context_of(visit, site, path or site.first(), base), ""


def _tabs(entity: Entity, status: EntityStatus, relations: int) -> list[Tab]:
    url = rendering.entity_url(entity)
    tabs = [Tab("overview", "Overview", url), Tab("relations", "Relations", f"{url}?tab=relations", relations)]
    if entity.ref.kind == "component":
        tabs.append(Tab("deployments", "Deployments", f"{url}?tab=deployments", len(status.deployments)))
    if entity.ref.kind == "api":
        tabs.append(Tab("definition", "Definition", f"{url}?tab=definition"))
    if documents.has_docs(entity):
        tabs.append(Tab("docs", "Docs", f"{url}?tab=docs"))
    tabs += [Tab("activity", "Activity", f"{url}?tab=activity"), Tab("source", "YAML", f"{url}?tab=source")]
    return tabs


def _repository(entity: Entity) -> Repository | None:
    notes = _notes(entity)
    name = notes.get(wellknown.REPOSITORY)
    if not name:
        return None
    clone = rendering.safe_url(notes.get(wellknown.SOURCE_LOCATION, "").removeprefix("url:"))
    return Repository(name, rendering.path("/claims", entity.workspace, "default", "repositories", name), clone)


def _links(entity: Entity) -> list[tuple[str, str, str]]:
    notes, found = _notes(entity), []
    for link in (entity.manifest.get("about") or {}).get("links") or ():
        if isinstance(link, dict) and (url := rendering.safe_url(link.get("url"))):
            found.append((str(link.get("title") or url), url, str(link.get("icon") or "")))
    for name, title, icon in (
        (wellknown.SOURCE_LOCATION, "Source", "source"),
        ("backstage.io/view-url", "View source", "source"),
        ("backstage.io/edit-url", "Edit", "edit"),
    ):
        url = rendering.safe_url(str(notes.get(name, "")).removeprefix("url:"))
        if url and not url.endswith(".git"):  # that is for git, and shown as such
            found.append((title, url, icon))
    return found


def _notes(entity: Entity) -> dict[str, str]:
    return (entity.manifest.get("metadata") or {}).get("annotations") or {}


def _node(id_: str, ref: Ref, entity: Entity | None) -> dict[str, Any]:
    node: dict[str, Any] = {"id": id_, "label": entity.label if entity else ref.short, "kind": ref.kind}
    return node | ({"url": rendering.entity_url(entity)} if entity else {"missing": True})


def _remember(visit: Visit, response: Response, key: Key) -> None:
    recent = [k for k in cookies.keys(visit.request, cookies.RECENT) if k != key]
    cookies.set_keys(response, cookies.RECENT, [key, *recent][:_RECENTLY])


_PATH = "/catalog/{workspace}/{kind}/{namespace}/{name}"
ROUTES = [
    Route(_PATH, signed_in(show)),
    Route(_PATH + "/graph", signed_in(graph)),
    Route(_PATH + "/star", signed_in(star), methods=["POST"]),
    Route(_PATH + "/docs/{path:path}", signed_in(docs)),
]
