"""The theme switch: auto, light, dark, kept in a cookie so that the first byte is right already."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portway.portal import cookies
from portway.portal.pages import login


async def choose(request: Request) -> Response:
    form = await request.form()
    value = str(form.get("theme") or "auto")
    response = RedirectResponse(login.own_path(str(form.get("next") or "")), 303)
    cookies.set_theme(response, value if value in cookies.THEMES else "auto")
    return response


ROUTES = [Route("/theme", choose, methods=["POST"])]
