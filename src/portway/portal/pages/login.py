"""Log-in by a one-time link or a pasted token, and log-out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from portway.portal import cookies
from portway.portal.visits import Site, fields


@dataclass(frozen=True, slots=True)
class LoginContext:
    """Context of login.html."""

    theme: str
    next: str
    """Path to go to afterwards."""
    error: str
    doors: tuple[tuple[str, str], ...] = ()
    """(name, path) of providers to log in with."""
    arrived: bool = False
    """The log-in is done and the page only forwards: the cookie is first sent with a navigation of our own."""


async def show(request: Request) -> Response:
    site: Site = request.app.state.site
    if site.deps.settings.separate_loopback and request.url.hostname == "127.0.0.1":
        return RedirectResponse(str(request.url.replace(hostname="localhost")), 303)
    one_time = request.query_params.get("token", "")
    target = own_path(request.query_params.get("next", ""))
    token = await site.deps.login(one_time) if one_time else None
    if token is not None:
        return await _entered(request, token, target, own=True)
    if await site.identify(request) is not None:
        return RedirectResponse(target, 303)
    if not one_time:
        return _page(request, target, "")
    message = "This log-in link was used before or is too old. Get a new one with `portway open`."
    return _page(request, target, message, 403)


async def paste(request: Request) -> Response:
    site: Site = request.app.state.site
    form = await request.form()
    given = str(form.get("token") or "").strip()
    target = own_path(str(form.get("next") or ""))
    if not given:
        return _page(request, target, "Paste a token first.", 422)
    redeemed = await site.deps.login(given)
    token = redeemed or given
    if await site.access.identify(token) is None:
        return _page(request, target, "The API does not know this token. It may have expired.", 403)
    return await _entered(request, token, target, own=redeemed is not None)


async def leave(request: Request) -> Response:
    site: Site = request.app.state.site
    if session := cookies.session(request):
        await site.deps.sessions.end(session)
    response = RedirectResponse("/login", 303)
    cookies.end_session(request, response)
    return response


async def _entered(request: Request, token: str, target: str, *, own: bool) -> Response:
    site: Site = request.app.state.site
    if before := cookies.session(request):
        await site.deps.sessions.end(before)
    session = await site.deps.sessions.open(token, own=own)
    context = LoginContext(cookies.theme(request), target, "", arrived=True)
    response = HTMLResponse(site.templates.render("login.html", fields(context)), headers={"Cache-Control": "no-store"})
    cookies.set_session(request, response, session, site.deps.settings.session_seconds)
    return response


def _page(request: Request, target: str, error: str, status: int = 200) -> Response:
    site: Site = request.app.state.site
    onward = "&" + urlencode({"next": target})
    doors = tuple((name, path + onward) for name, path in site.deps.doors)
    context = LoginContext(cookies.theme(request), target, error, doors)
    html = site.templates.render("login.html", fields(context))
    return HTMLResponse(html, status, {"Cache-Control": "no-store"})


def own_path(text: str) -> str:
    """A path on this server; anything else is the home page."""
    if text.startswith("/") and not text.startswith(("//", "/\\")) and not any(c in text for c in "\r\n\t"):
        return text
    return "/"


ROUTES = [
    Route("/login", show),
    Route("/login", paste, methods=["POST"]),
    Route("/logout", leave, methods=["POST"]),
]
