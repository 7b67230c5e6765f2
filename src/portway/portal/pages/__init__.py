"""One module per page: route function, frozen context, one template. ``routes`` lists them all."""

from __future__ import annotations

from starlette.routing import Route

from portway.portal.pages import catalog, creating, documents, entity, home, login, running, searching, themes


def routes() -> list[Route]:
    return [
        *home.ROUTES,
        *login.ROUTES,
        *themes.ROUTES,
        *catalog.ROUTES,
        *entity.ROUTES,
        *creating.ROUTES,
        *documents.ROUTES,
        *running.ROUTES,
        *searching.ROUTES,
    ]
