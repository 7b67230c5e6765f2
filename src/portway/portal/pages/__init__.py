"""One module per page: route function, frozen context, one template. ``routes`` lists them all."""

from __future__ import annotations

from starlette.routing import Route

from portway.portal.pages import catalog, home, login, searching, themes


def routes() -> list[Route]:
    return [
        *home.ROUTES,
        *login.ROUTES,
        *themes.ROUTES,
        *catalog.ROUTES,
        *searching.ROUTES,
    ]
