"""What is neither API, git nor page: logs of workloads, and log-in links for the command line."""

from __future__ import annotations

from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from portway.apis import resources
from portway.bootstrap.sessions import Sessions
from portway.bootstrap.signingon import SignOn
from portway.client.contract import Client
from portway.krm.errors import StatusError
from portway.portal.dependencies import LogRequest, LogSource

_MOST_LINES = 10_000


def create_app(system: Client, sessions: Sessions, logs: LogSource, address: str, sign_on: SignOn) -> Starlette:
    """``GET /logs/<workspace>/<namespace>/workloads/<name>`` and ``POST /session/links``, both with a bearer token."""

    async def workload_log(request: Request) -> Response:
        path = request.path_params
        client = system.with_token(_bearer(request)).at(path["workspace"])
        try:
            await client.get(resources.WORKLOADS, path["name"], path["namespace"])
        except StatusError as error:
            return PlainTextResponse(error.message + "\n", status_code=error.code)
        tail = request.query_params.get("tail", "100")
        count = min(int(tail), _MOST_LINES) if tail.isdigit() else 100
        follow = request.query_params.get("follow") == "1"
        container = request.query_params.get("container", "")
        lines = logs(LogRequest(path["workspace"], path["namespace"], path["name"], container, count, follow))
        return StreamingResponse((line + "\n" async for line in lines), media_type="text/plain; charset=utf-8")

    async def link(request: Request) -> Response:
        try:
            once = await sessions.issue_link(_bearer(request))
        except StatusError as error:
            return PlainTextResponse(error.message + "\n", status_code=error.code)
        following = request.query_params.get("next", "/")
        query = f"?token={once}" + (f"&next={quote(following, safe='/')}" if following != "/" else "")
        return JSONResponse({"url": f"{address}/login{query}"})

    return Starlette(
        routes=[
            Route("/logs/{workspace}/{namespace}/workloads/{name}", workload_log),
            Route("/session/links", link, methods=["POST"]),
            *sign_on.routes,
        ]
    )


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else "none"
