"""The portal as an ASGI app. Bootstrap mounts it for every path that no other part of Portway answers."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from portway.krm.errors import StatusError
from portway.portal import pages, problems
from portway.portal.access import Access
from portway.portal.dependencies import Deps
from portway.portal.guarding import Guard
from portway.portal.rendering import STATIC, Templates
from portway.portal.visits import Site

_log = logging.getLogger(__name__)


class _Static(StaticFiles):
    """Files whose address carries a mark of their content may be kept for ever."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_app(deps: Deps) -> Starlette:
    app = Starlette(
        routes=[
            Route("/favicon.ico", _favicon),
            Mount("/static", _Static(directory=STATIC)),
            *pages.routes(),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={
            HTTPException: problems.of_http,
            StatusError: problems.of_api,
            500: problems.of_us,
        },
    )
    app.state.site = Site(deps, Access(deps), Templates())
    return app


async def _favicon(request: Request) -> Response:  # noqa: ARG001  the endpoint's signature
    return FileResponse(STATIC / "logo.svg", media_type="image/svg+xml")
