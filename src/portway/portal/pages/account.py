"""Who am I: name, groups, teams and the workspaces one can read."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from portway.apis import resources
from portway.index.entities import Entity
from portway.portal.access import known_workspaces
from portway.portal.visits import Visit, signed_in


@dataclass(frozen=True, slots=True)
class AccountContext:
    """Context of account.html."""

    name: str
    groups: tuple[str, ...]
    entities: list[Entity]
    """The User and Group entities that stand for the user, groups above included."""
    workspaces: list[tuple[str, bool]]
    """(path, may create template runs)."""


async def show(visit: Visit) -> Response:
    readable = await visit.readable()
    may_create = await visit.may(resources.TEMPLATE_RUNS, "create")
    mine = visit.catalog.memberships(visit.user.name, visit.user.groups, readable)
    context = AccountContext(
        name=visit.user.name,
        groups=visit.user.groups,
        entities=[e for e in visit.catalog.all(readable) if e.ref in mine],
        workspaces=[(path, may_create(path)) for path in sorted(known_workspaces(visit.index)) if readable(path)],
    )
    return visit.page("account.html", context, title="Who am I")


ROUTES = [Route("/me", signed_in(show))]
