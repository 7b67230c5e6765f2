"""One request by a logged-in user: who it is, what they may read, and how pages are rendered for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portway.apis import resources
from portway.client.contract import Client, Resource
from portway.index.catalogs import Catalog, Readable
from portway.index.following import Index
from portway.krm.errors import StatusError
from portway.portal import cookies
from portway.portal.access import Access
from portway.portal.dependencies import Deps, User
from portway.portal.rendering import Templates


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests share."""

    deps: Deps
    access: Access
    templates: Templates

    async def identify(self, request: Request) -> tuple[str, User] | None:
        """API token and user of the session that the request's cookie names; None when there is none, or it is over."""
        session = cookies.session(request)
        token = await self.deps.sessions.token(session) if session else None
        user = await self.access.identify(token) if token else None
        return (token, user) if token and user else None


class Context(Protocol):
    """A frozen dataclass whose fields the template reads."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    site: Site
    user: User
    token: str

    @property
    def deps(self) -> Deps:
        return self.site.deps

    @property
    def index(self) -> Index:
        return self.site.deps.index

    @property
    def catalog(self) -> Catalog:
        return self.site.deps.index.catalog

    @property
    def from_htmx(self) -> bool:
        """Whether a fragment is wanted instead of a page."""
        return self.request.headers.get("hx-request") == "true"

    def client(self, workspace: str) -> Client:
        """The API as the user, in a workspace."""
        return self.deps.client.with_token(self.token).at(workspace)

    async def readable(self, resource: Resource = resources.COMPONENTS) -> Readable:
        return await self.site.access.readable(self.token, self.user, resource)

    async def may(self, resource: Resource, verb: str) -> Readable:
        """A test for workspace paths: may the user do that there?"""
        return await self.site.access.allowed(self.token, self.user, resource, verb)

    def part(self, name: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[name])

    def param(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return self.request.query_params.get(name, default)

    def page(self, template: str, context: Context, *, status: int = 200, title: str = "", nav: str = "") -> Response:
        """A whole page."""
        shell = Shell(
            title=title,
            nav=nav,
            user=self.user.name,
            groups=self.user.groups,
            theme=cookies.theme(self.request),
            path=self.request.url.path,
            has_docs=self.deps.settings.docs is not None,
        )
        return self._html(template, {"shell": shell, **fields(context)}, status)

    def fragment(self, template: str, context: Context) -> Response:
        """A part of a page, for htmx: always 200, as errors in it are for the reader and not for htmx."""
        return self._html(template, fields(context), 200)

    def render(self, template: str, context: Context) -> str:
        return self.site.templates.render(template, fields(context))

    def _html(self, template: str, values: Mapping[str, Any], status: int) -> Response:
        response = HTMLResponse(self.site.templates.render(template, values), status)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "HX-Request"
        return response


@dataclass(frozen=True, slots=True)
class Shell:
    """What the frame around every page shows."""

    title: str
    nav: str
    """Which entry of the navigation is current."""
    user: str
    groups: tuple[str, ...]
    theme: str
    """auto, light or dark."""
    path: str
    has_docs: bool


Page = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def fields(context: Context) -> dict[str, Any]:
    """The context's fields, shallow (dataclasses.asdict would copy manifests)."""
    return {field.name: getattr(context, field.name) for field in dataclasses.fields(context)}


def signed_in(page: Page) -> Endpoint:
    """An endpoint for those with a session; others are sent to the log-in page and come back after it."""

    async def endpoint(request: Request) -> Response:
        site: Site = request.app.state.site
        known = await site.identify(request)
        if known is None:
            return _to_login(request)
        token, user = known
        try:
            return await page(Visit(request, site, user, token))
        except StatusError as error:
            if error.code == 401:
                site.access.forget(token)
                return _to_login(request)
            raise

    return endpoint


def _to_login(request: Request) -> Response:
    target = request.url.path
    if request.method != "GET":
        target = "/"
    elif request.url.query:
        target += "?" + request.url.query
    location = "/login" if target == "/" else f"/login?next={quote(target, safe='/')}"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": location})
    return RedirectResponse(location, 303)
