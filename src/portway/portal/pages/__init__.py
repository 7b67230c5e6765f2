"""One module per page: route function, frozen context, one template. ``routes`` lists them all."""

from __future__ import annotations

from starlette.routing import Route

from portway.portal.pages import (
    account,
    catalog,
    claiming,
    creating,
    documents,
    entity,
    home,
    login,
    requesting,
    running,
    searching,
    themes,
    workload,
)


def routes() -> list[Route]:
    return [
        *home.ROUTES,
        *login.ROUTES,
        *themes.ROUTES,
        *catalog.ROUTES,
        *entity.ROUTES,
        *account.ROUTES,
        *requesting.ROUTES,
        *claiming.ROUTES,
        *workload.ROUTES,
        *creating.ROUTES,
        *documents.ROUTES,
        *running.ROUTES,
        *searching.ROUTES,
    ]
