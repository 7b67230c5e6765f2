"""The start page: what is mine, what runs, what happened, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from portway.apis.catalog import Deployment, EntityStatus
from portway.index.catalogs import Readable
from portway.index.entities import Entity
from portway.index.references import Key
from portway.portal import cookies, runs
from portway.portal.runs import Run
from portway.portal.visits import Visit, signed_in

_TROUBLE_FIRST = {"degraded": 0, "progressing": 1, "unknown": 2, "healthy": 3}


@dataclass(frozen=True, slots=True)
class HomeContext:
    """Context of home.html."""

    name: str
    """The user's name, as short as it can be addressed."""
    teams: list[str]
    services: list[tuple[Entity, list[Deployment]]]
    """Components that run somewhere: the user's own, else all; trouble first."""
    services_are_mine: bool
    mine: list[Entity]
    mine_total: int
    starred: list[Entity]
    recent: list[Entity]
    runs: list[Run]
    templates: list[Entity]
    entities: int
    """How many entities the user can see at all."""


async def show(visit: Visit) -> Response:
    readable = await visit.readable()
    owners = visit.catalog.memberships(visit.user.name, visit.user.groups, readable)
    mine = visit.catalog.owned(owners, readable)
    running = _running(mine)
    everything = visit.catalog.all(readable)
    context = HomeContext(
        name=visit.user.name.rpartition(":")[2].partition("@")[0],
        teams=[e.label for e in everything if e.ref.kind == "group" and e.ref in owners],
        services=[(e, _deployments(e)) for e in (running or _running(everything))[:8]],
        services_are_mine=bool(running),
        mine=[e for e in mine if e not in running][:8],
        mine_total=len(mine),
        starred=_known(visit, cookies.keys(visit.request, cookies.STARRED), readable)[:8],
        recent=_known(visit, cookies.keys(visit.request, cookies.RECENT), readable)[:6],
        runs=await runs.recent(visit, 6),
        templates=[e for e in everything if e.ref.kind == "template"][:4],
        entities=len(everything),
    )
    return visit.page("home.html", context, title="Home", nav="home")


def _running(found: Iterable[Entity]) -> list[Entity]:
    services = [e for e in found if e.ref.kind == "component" and e.health]
    return sorted(services, key=lambda e: (_TROUBLE_FIRST.get(e.health, 2), e.label.lower()))


def _deployments(entity: Entity) -> list[Deployment]:
    return EntityStatus.read(entity.manifest.get("status")).deployments


def _known(visit: Visit, keys: Iterable[Key], readable: Readable) -> list[Entity]:
    return [entity for key in keys if (entity := visit.catalog.get(key, readable))]


ROUTES = [Route("/", signed_in(show))]
