"""The catalog table: filters with counts, search, sorting and paging, all kept in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from portway.index.catalogs import FACETS, SORTS, Answer, Query
from portway.index.entities import Entity
from portway.portal import cookies
from portway.portal.visits import Visit, signed_in

_TITLES = {"kind": "Kind", "type": "Type", "owner": "Owner", "lifecycle": "Lifecycle", "system": "System", "tag": "Tag"}
_COLUMNS = (
    ("name", "Name"),
    ("type", "Type"),
    ("owner", "Owner"),
    ("system", "System"),
    ("lifecycle", "Lifecycle"),
    ("health", "Health"),
)
_SHOWN = 8
"""Values of a facet that are shown without unfolding."""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    name: str
    title: str
    choices: list[Choice]
    """Chosen ones first, then by count."""
    shown: int
    """How many to show before the rest is unfolded."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: str
    url: str
    """Where a click on the heading leads."""
    order: str
    """ascending, descending or none, as in aria-sort."""


@dataclass(frozen=True, slots=True)
class CatalogContext:
    """Context of catalog.html and of the fragment catalog_results.html."""

    text: str
    """What is searched for."""
    scope: str
    """Empty (all), mine or starred."""
    sort: str
    rows: list[Entity]
    total: int
    first: int
    """Number of the first row shown, from 1."""
    last: int
    facets: list[Facet]
    columns: list[Column]
    chosen: list[tuple[str, str, str]]
    """(title, value, URL without it) of active filters."""
    scopes: list[tuple[str, str, bool]]
    """(title, URL, current)."""
    previous_url: str
    next_url: str
    clear_url: str
    everything: int
    """Entities there are without any filter."""


async def show(visit: Visit) -> Response:
    context = await _context(visit)
    if visit.from_htmx:
        return visit.fragment("catalog_results.html", context)
    return visit.page("catalog.html", context, title="Catalog", nav="catalog")


async def _context(visit: Visit) -> CatalogContext:
    params = visit.request.query_params
    readable = await visit.readable()
    filters = {name: frozenset(v for v in params.getlist(name) if v) for name in FACETS}
    text, sort, scope = visit.param("q").strip(), visit.param("sort"), visit.param("scope")
    size = visit.deps.settings.page_size
    offset = max(_number(visit.param("offset")), 0)
    only = None
    if scope == "mine":
        owners = visit.catalog.memberships(visit.user.name, visit.user.groups, readable)
        only = frozenset(e.key for e in visit.catalog.owned(owners, readable))
    elif scope == "starred":
        only = frozenset(cookies.keys(visit.request, cookies.STARRED))
    answer = visit.catalog.query(Query(text, filters, only, sort, offset, size), readable)
    state = _State(text, sort, scope, filters)
    return CatalogContext(
        text=text,
        scope=scope,
        sort=sort,
        rows=answer.entities,
        total=answer.total,
        first=offset + 1 if answer.entities else 0,
        last=offset + len(answer.entities),
        facets=[_facet(name, answer, filters[name]) for name in FACETS],
        columns=[_column(name, title, state) for name, title in _COLUMNS],
        chosen=[(_TITLES[n], v, state.without(n, v)) for n, values in filters.items() for v in sorted(values)],
        scopes=[(title, state.url(scope=value), scope == value) for value, title in _SCOPES],
        previous_url=state.url(offset=max(offset - size, 0)) if offset else "",
        next_url=state.url(offset=offset + size) if offset + size < answer.total else "",
        clear_url="/catalog",
        everything=len(visit.catalog),
    )


_SCOPES = (("", "All"), ("mine", "Mine"), ("starred", "Starred"))


@dataclass(frozen=True, slots=True)
class _State:
    text: str
    sort: str
    scope: str
    filters: Mapping[str, frozenset[str]]

    def url(self, **changes: object) -> str:
        values = {"q": self.text, "sort": self.sort, "scope": self.scope, **changes}
        pairs = [(name, str(value)) for name, value in values.items() if value]
        pairs += [(name, value) for name, chosen in self.filters.items() for value in sorted(chosen)]
        return "/catalog?" + urlencode(pairs) if pairs else "/catalog"

    def without(self, name: str, value: str) -> str:
        left = {**self.filters, name: self.filters[name] - {value}}
        return _State(self.text, self.sort, self.scope, left).url()


def _facet(name: str, answer: Answer, chosen: frozenset[str]) -> Facet:
    choices = [Choice(value, count, value in chosen) for value, count in answer.facets[name]]
    choices.sort(key=lambda c: not c.chosen)
    return Facet(name, _TITLES[name], choices, max(_SHOWN, len(chosen)))


def _column(name: str, title: str, state: _State) -> Column:
    order = {name: "ascending", f"-{name}": "descending"}.get(state.sort, "none")
    target = f"-{name}" if state.sort == name else name
    return Column(name, title, state.url(sort=target) if name in SORTS else "", order)


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 9 else 0


ROUTES = [Route("/catalog", signed_in(show))]
