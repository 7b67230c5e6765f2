"""Error pages that say what to do, and API errors as sentences for the place they belong to."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from portway.krm.errors import StatusError
from portway.portal import cookies
from portway.portal.visits import Site, fields

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Context of problem.html."""

    code: int
    title: str
    text: str
    """What happened, in the API's words where they help."""
    advice: str
    theme: str
    signed_in: bool
    missing: tuple[str, ...] = ()
    """Of a refusal: the rule that is missing, roles that have it, who could give it."""


_TITLES = {
    403: ("You may not see this", "Ask the team that owns it for access, or log in as someone else."),
    404: (
        "There is nothing here",
        "It may have been renamed or deleted, or it belongs to a workspace that you cannot read. Try the search.",
    ),
    405: ("That cannot be done here", "Go back and use the buttons of the page."),
    409: ("Somebody was faster", "The object has changed in the meantime. Reload the page and try again."),
    410: ("That is gone", "Reload the page."),
    413: ("That is too large", "Go back and send less at once."),
    429: ("Too many requests", "Wait a moment and reload the page."),
    503: ("The API is not ready", "It is starting or busy. Reload the page in a few seconds."),
}


async def of_http(request: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException) else 500
    return _page(request, code, "")


async def of_api(request: Request, error: Exception) -> Response:
    if not isinstance(error, StatusError):
        return _page(request, 500, "")
    missing = tuple(cause.message for cause in error.causes) if error.code == 403 else ()
    return _page(request, error.code, error.message, missing)


async def of_us(request: Request, error: Exception) -> Response:
    _log.error("portal page failed", exc_info=error, extra={"path": request.url.path})
    return _page(request, 500, "")


def _page(request: Request, code: int, text: str, missing: tuple[str, ...] = ()) -> Response:
    title, advice = _TITLES.get(
        code, ("Something went wrong on our side", "Try again. If it stays so, the server's log says why.")
    )
    site: Site = request.app.state.site
    problem = Problem(
        code=code,
        title=title,
        text=text,
        advice=advice,
        theme=cookies.theme(request),
        signed_in=bool(cookies.session(request)),
        missing=missing,
    )
    if request.headers.get("hx-request") == "true":
        html = site.templates.render("problem_fragment.html", fields(problem))
        return HTMLResponse(html, code, {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"})
    return HTMLResponse(site.templates.render("problem.html", fields(problem)), code, {"Cache-Control": "no-store"})
