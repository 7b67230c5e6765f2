"""The cookies the portal sets: session (HttpOnly), theme, starred and recently seen entities."""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from portway.index.references import Key, Ref

SESSION = "portway_session"
_OF_HOST = "__Host-"
"""Browsers take such a cookie from this very host over TLS only, so that no neighbour below its domain plants one."""
THEME = "portway_theme"
STARRED = "portway_starred"
RECENT = "portway_recent"
THEMES = ("auto", "light", "dark")
_YEAR = 365 * 86400
_MOST_BYTES = 3500
"""Browsers keep 4096 bytes a cookie."""


def session(request: Request) -> str:
    return request.cookies.get(_session_name(request), "")


def _session_name(request: Request) -> str:
    return _OF_HOST + SESSION if _is_secure(request) else SESSION


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def theme(request: Request) -> str:
    value = request.cookies.get(THEME, "auto")
    return value if value in THEMES else "auto"


def keys(request: Request, name: str) -> list[Key]:
    """The entities in a list cookie; what cannot be read is left out."""
    found = []
    for text in unquote(request.cookies.get(name, "")).split("|"):
        workspace, _, ref = text.partition("~")
        if workspace and (parsed := Ref.parse(ref, "component")):
            found.append(Key(workspace, parsed))
    return found


def set_session(request: Request, response: Response, session: str, seconds: int) -> None:
    response.set_cookie(
        _session_name(request),
        session,
        max_age=seconds,
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )


def end_session(request: Request, response: Response) -> None:
    response.delete_cookie(_session_name(request), httponly=True, samesite="strict", secure=_is_secure(request))


def set_theme(response: Response, value: str) -> None:
    response.set_cookie(THEME, value, max_age=_YEAR, httponly=True, samesite="lax")


def set_keys(response: Response, name: str, listed: list[Key]) -> None:
    """Keeps as many from the front as fit."""
    parts: list[str] = []
    for key in listed:
        part = quote(f"{key.workspace}~{key.ref}", safe=":~/")
        if sum(map(len, parts)) + len(parts) * 3 + len(part) > _MOST_BYTES:
            break
        parts.append(part)
    response.set_cookie(name, "%7C".join(parts), max_age=_YEAR, httponly=True, samesite="strict")
