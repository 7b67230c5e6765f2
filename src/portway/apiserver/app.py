"""The API server as a raw ASGI application: one place for routing, identity, access and errors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from portway.apiserver import (
    authn,
    authorizing,
    composing,
    deadlines,
    dispatching,
    homes,
    negotiating,
    nonresources,
    refusing,
    responses,
    routing,
    websockets,
)
from portway.apiserver.admission.contract import Admission
from portway.apiserver.auditing import Auditor
from portway.apiserver.context import Context
from portway.apiserver.documents import discovery
from portway.apiserver.housekeeping.running import Housekeeping
from portway.apiserver.metrics import Metrics
from portway.apiserver.rbac import Attributes
from portway.apiserver.requests import Disconnected, Receive, Request, Scope, Send
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response, Stream
from portway.apiserver.settings import Settings
from portway.apiserver.storing import Sealer
from portway.apiserver.tokens import OneTimeTokens, Tokens
from portway.apiserver.virtual import entering as virtual_entry
from portway.apiserver.virtual import policies
from portway.kit import identifiers
from portway.krm.errors import StatusError, internal, unauthorized, unavailable
from portway.store.caching import Cache
from portway.store.contract import Unavailable

log = logging.getLogger(__name__)
FORBIDDEN = 403


class ApiServer:
    """``start`` before the first request, ``close`` at the end. ``cache`` is the caller's to start and close."""

    def __init__(
        self,
        cache: Cache,
        settings: Settings | None = None,
        *,
        sealer: Sealer | None = None,
        plan_admissions: list[Admission] | None = None,
        auditor: Auditor | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.metrics = Metrics()
        self._auditor = auditor
        self._parts = composing.compose(cache, self.settings, sealer)
        self.context: Context = self._parts.context
        self.context.plan_admissions.extend(plan_admissions or ())
        self.tokens: Tokens = self._parts.tokens
        self.one_time: OneTimeTokens = self._parts.one_time
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def boot_token(self) -> str:
        """Makes its bearer system:portway in system:masters. Known to this process only, never written."""
        return self.context.authenticator.boot_token

    @property
    def housekeeping(self) -> Housekeeping:
        """The API's own controllers; they run from ``start`` to ``close``."""
        return self._parts.housekeeping

    @property
    def plan_admissions(self) -> list[Admission]:
        """Steps after all built-in admission; bootstrap appends to it."""
        return self.context.plan_admissions

    async def start(self) -> None:
        """Load the indexes, make root when the store is empty, and follow changes from then on."""
        self._tasks = await composing.start(self._parts)

    async def keep_house(self) -> None:
        """The housekeeping, until cancelled, for a server whose settings leave it out of ``start``."""
        await composing.keep_house(self._parts)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._parts.rego.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            answered = await self._respond(websockets.as_http(scope), receive)
            if answered is not None:
                try:
                    await websockets.send(scope, answered[1], answered[0].warnings, receive, send)
                finally:
                    self._ended(*answered)
            return
        if scope["type"] != "http":
            raise NotImplementedError(f"the API server answers http and websocket, not {scope['type']}")
        answered = await self._respond(scope, receive)
        if answered is not None:
            await self._send(*answered, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> tuple[Request, Response | Stream] | None:
        """None when the client is gone."""
        target = routing.parse(scope["path"])
        request = Request.of(scope, receive, target, self.settings.body_limit)
        request.audit_id = request.header(b"audit-id") or identifiers.random_uuid()
        verb = authorizing.verb_of(request)
        began = time.monotonic()
        try:
            answer = await self._answer_in_time(request, verb)
        except Disconnected:
            return None
        except StatusError as error:
            if error.code == FORBIDDEN:
                await refusing.even_out(began)
            answer = _refusal(request, error)
        except Unavailable as error:
            answer = responses.failure(unavailable(f"the store is not available: {error}"))
        except Exception:
            request.panicked = True
            log.exception("request failed", extra={"path": scope["path"], "audit_id": request.audit_id})
            answer = responses.failure(internal(f"an internal error occurred, see the log for {request.audit_id}"))
        code = answer.code if isinstance(answer, Response) else 200
        self.metrics.count(verb, target.resource, code)
        self._answered(request, verb, answer)
        return request, answer

    async def _answer_in_time(self, request: Request, verb: str) -> Response | Stream:
        """A write that is late is not taken back: as with kube-apiserver, 504 says nothing of its fate."""
        if verb == "watch" or (verb == "get" and "timeout" not in request.query):  # a get reads memory
            return await self._answer(request, verb)
        limit = asyncio.timeout(deadlines.seconds_of(request))
        try:
            async with limit:
                return await self._answer(request, verb)
        except TimeoutError:
            if limit.expired():
                raise deadlines.exceeded() from None
            raise

    async def _answer(self, request: Request, verb: str) -> Response | Stream:
        context, target = self.context, request.target
        if target.path in nonresources.PUBLIC:
            return nonresources.answer(context, self.metrics, request)
        if not _may_be_stale(request):
            await context.storage.fresh()
        request.user = await context.authenticator.authenticate(request)
        self._begin_audit(request, verb)
        if request.user.is_anonymous:
            raise unauthorized()
        if target.cluster != routing.WILDCARD:
            request.tenant = context.tenants.resolve(target.cluster)
        asked = authorizing.attributes_of(target, verb, request.query.get("fieldSelector", ""))
        if target.service:
            return await self._serve_view(request, asked, verb)
        acting = authn.impersonated(request)
        if acting is not None:
            request.user = context.authorizer.require_impersonation(request, acting)
        if homes.is_asked(target, verb):
            return await homes.get(context, request)
        context.authorizer.require(request, asked)
        if request.tenant is None and target.cluster != routing.WILDCARD:
            raise authorizing.denied(request.user, asked, f'no access to workspace "{target.cluster}"')
        request.authorized = True
        return await self._serve(request, verb)

    async def _serve_view(self, request: Request, asked: Attributes, verb: str) -> Response | Stream:
        """Below ``/services/``: the view decides what may be seen and as whom."""
        request.view = await virtual_entry.open_view(self.context, request, asked)
        request.authorized = True
        return await self._serve(request, verb)

    async def _serve(self, request: Request, verb: str) -> Response | Stream:
        target = request.target
        if not target.is_resource:
            return nonresources.answer(self.context, self.metrics, request)
        resource = self._resource(request)
        if resource is None:
            raise discovery.missing()
        if target.namespace and not resource.served.namespaced and resource.key != "namespaces":
            raise discovery.missing()
        policies.require(self.context, request, resource, verb)
        if resource.served.deprecation:
            request.warnings.append(resource.served.deprecation)
        serve: Callable[..., Awaitable[Response | Stream]] = dispatching.verb_for(request, resource, verb)
        answer = await serve(self.context, request, resource)
        return answer if request.view is None else request.view.ended_by_changes(answer, resource)

    def _resource(self, request: Request) -> Resource | None:
        target, tenant = request.target, request.tenant
        if request.view is not None:
            return request.view.find(tenant, target.group, target.version, target.resource)
        cluster = tenant.cluster if tenant else None
        return self.context.registry.find(cluster, target.group, target.version, target.resource)

    async def _send(self, request: Request, answer: Response | Stream, receive: Receive, send: Send) -> None:
        extra = [(b"audit-id", request.audit_id.encode("latin-1", "replace"))]
        extra += responses.warning_headers(request.warnings)
        if isinstance(answer, Response):
            if request.target.is_resource and negotiating.wants_yaml(request.header(b"accept")):
                answer = responses.as_yaml(answer)
            await responses.send_response(answer, extra, send, head=request.method == "HEAD")
            return
        self.metrics.watches += 1
        try:
            await responses.send_stream(answer, extra, receive, send)
        finally:
            self.metrics.watches -= 1
            self._ended(request, answer)

    def _begin_audit(self, request: Request, verb: str) -> None:
        if self._auditor is not None:
            request.audited = True
            request.audit = self._auditor.begin(request, verb)

    def _answered(self, request: Request, verb: str, answer: Response | Stream) -> None:
        if self._auditor is None:
            return
        if not request.audited:  # public, or of somebody unknown
            self._begin_audit(request, verb)
        if request.audit is None:
            return
        if isinstance(answer, Stream):
            self._auditor.started(request, request.audit)
        else:
            self._auditor.complete(request, request.audit, answer)

    def _ended(self, request: Request, answer: Response | Stream) -> None:
        if self._auditor is not None and request.audit is not None and isinstance(answer, Stream):
            self._auditor.complete(request, request.audit, answer)


def _may_be_stale(request: Request) -> bool:
    """The client says that any state will do."""
    return request.method == "GET" and request.query.get("resourceVersion") == "0"


def _refusal(request: Request, error: StatusError) -> Response:
    """A Status; as text for aggregated discovery, of whose failures kubectl prints nothing but text bodies."""
    response = responses.failure(error)
    if not request.target.is_resource and "APIGroupDiscoveryList" in request.header(b"accept"):
        response.content, response.content_type = error.message.encode(), responses.TEXT
    return response
