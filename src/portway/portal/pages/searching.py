"""The search page, and the answers of the command palette (JSON)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portway.apis import resources
from portway.index.entities import Entity
from portway.portal import icons, rendering
from portway.portal.visits import Visit, signed_in

_PAGES = (
    ("Home", "/", "home", "start mine recent"),
    ("Catalog", "/catalog", "category", "components apis systems services"),
    ("Create something new", "/create", "plus", "template golden path wizard scaffold"),
    ("Request a resource", "/request", "database", "postgres database claim bucket"),
    ("Runs", "/runs", "activity", "pipelines template runs history"),
    ("Documentation", "/docs", "book", "help guide docs"),
    ("Who am I", "/me", "user", "account token groups"),
)


@dataclass(frozen=True, slots=True)
class SearchContext:
    """Context of search.html."""

    text: str
    found: list[Entity]
    templates: list[Entity]
    types: list[tuple[str, str, str]]
    """(title, description, URL) of resource types."""


async def show(visit: Visit) -> Response:
    text = visit.param("q").strip()
    readable = await visit.readable()
    found = visit.catalog.search(text, readable, 60)
    context = SearchContext(
        text=text,
        found=[e for e in found if e.ref.kind != "template"],
        templates=[e for e in found if e.ref.kind == "template"],
        types=await _types(visit, text) if text else [],
    )
    return visit.page("search.html", context, title="Search", nav="search")


async def palette(visit: Visit) -> Response:
    """At most 14 entries ``{title, detail, url, icon, group}``, best first."""
    text = visit.param("q").strip()
    words = text.lower().split()
    readable = await visit.readable()
    entries = []
    for entity in visit.catalog.search(text, readable, 8):
        template = entity.ref.kind == "template"
        url = rendering.path("/create", *_place(entity)) if template else rendering.entity_url(entity)
        detail = "Start this template" if template else _detail(entity)
        entries.append(_entry(entity.label, detail, url, icons.of_kind(entity.kind), entity.kind))
    for title, description, url in await _types(visit, text) if text else []:
        entries.append(_entry(f"Request {title}", description, url, "database", "Action"))
    for title, url, icon, more in _PAGES:
        if all(word in f"{title} {more}".lower() for word in words):
            entries.append(_entry(title, "", url, icon, "Page"))
    return JSONResponse(entries[:14], headers={"Cache-Control": "no-store"})


async def _types(visit: Visit, text: str) -> list[tuple[str, str, str]]:
    words = text.lower().split()
    found = {}
    for manifest in visit.index.resource_types.all(await visit.readable(resources.RESOURCE_TYPES)):
        spec, name = manifest.get("spec") or {}, manifest["metadata"]["name"]
        title = spec.get("title") or spec.get("kind") or name
        if spec.get("requestable", True) and all(word in f"{name} {title}".lower() for word in words):
            found[name] = (title, spec.get("description") or "", rendering.path("/request", name))
    return sorted(found.values())


def _place(entity: Entity) -> tuple[str, str, str]:
    return entity.workspace, entity.ref.namespace, entity.ref.name


def _detail(entity: Entity) -> str:
    return " · ".join(part for part in (entity.type, entity.owner.short if entity.owner else "") if part)


def _entry(title: str, detail: str, url: str, icon: str, group: str) -> dict[str, str]:
    return {"title": title, "detail": detail, "url": url, "icon": icon, "group": group}


ROUTES = [Route("/search", signed_in(show)), Route("/palette", signed_in(palette))]
