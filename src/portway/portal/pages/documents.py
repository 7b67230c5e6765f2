"""Portway's own documentation at /docs, and what entity pages need to show a component's."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route

from portway.apis import wellknown
from portway.apis.resources import claim
from portway.index.entities import Entity
from portway.krm.errors import StatusError, not_found
from portway.portal import rendering
from portway.portal.dependencies import TreeRequest
from portway.portal.visits import Visit, signed_in
from portway.techdocs import sites
from portway.techdocs.sites import DocsSite, Entry, Hit, Page

_REPOSITORIES = claim("repositories", "Repository")
_SVG = "image/svg+xml"
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", _SVG})
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DocsContext:
    """Context of docs.html and, inside an entity's page, of docs_body.html."""

    site_title: str
    base: str
    """Address that the paths of pages are appended to."""
    nav: tuple[Entry, ...]
    current: str
    html: str
    text: str
    hits: list[Hit]


async def show(visit: Visit) -> Response:
    folder = visit.deps.settings.docs
    if folder is None or not folder.is_dir():
        raise not_found("docs", "docs")
    site = sites.from_folder(_files(folder), "Portway")
    path = visit.request.path_params.get("path") or site.first()
    if image := image_of(site, path):
        return image
    context = context_of(visit, site, path, "/docs")
    return visit.page("docs.html", context, title="Docs", nav="docs")


def context_of(visit: Visit, site: DocsSite, path: str, base: str) -> DocsContext:
    """Raises StatusError 404 for a page that is not there."""
    text = visit.param("q").strip()

    def address(target: str) -> str:
        return rendering.path(base, *target.split("/"))

    page = Page("", "", "") if text else site.page(path, address)
    if page is None:
        raise not_found("documentation page", path)
    return DocsContext(site.title, base, site.nav, path, page.html, text, site.search(text))


def image_of(site: DocsSite, path: str) -> Response | None:
    """A picture of the documentation. An SVG can hold scripts: it is sent so that nothing in it runs."""
    kind = mimetypes.guess_type(path)[0] or ""
    if kind not in _IMAGES or path not in site.files:
        return None
    headers = {"Cache-Control": "private, max-age=60"}
    if kind == _SVG:
        headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return Response(site.files[path], media_type=kind, headers=headers)


def has_docs(entity: Entity) -> bool:
    return bool(_notes(entity).get(wellknown.TECHDOCS_REF)) and bool(_repository(entity))


async def site_of(visit: Visit, entity: Entity) -> DocsSite | None:
    """A component's docs, from its repository, if the user may get that; None when there are none."""
    reference = _notes(entity).get(wellknown.TECHDOCS_REF, "")
    repository = _repository(entity)
    if not reference or not repository:
        return None
    try:
        await visit.client(entity.workspace).get(_REPOSITORIES, repository, "default")
    except StatusError as error:
        if error.code != 404:
            raise
        return None
    folder = reference.removeprefix("dir:").strip("./")
    files = await visit.deps.read_tree(TreeRequest(entity.workspace, repository, folder))
    return sites.read(files, entity.label) if files else None


def _repository(entity: Entity) -> str:
    return str(_notes(entity).get(wellknown.REPOSITORY) or "")


def _notes(entity: Entity) -> dict[str, str]:
    return (entity.manifest.get("metadata") or {}).get("annotations") or {}


def _files(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size <= _LARGEST and not path.name.startswith("."):
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


ROUTES = [Route("/docs", signed_in(show)), Route("/docs/{path:path}", signed_in(show))]
