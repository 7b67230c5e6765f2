"""The in-memory API behind the Kubernetes REST paths, as an ASGI application: the far end of the REST client."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from portway.client.contract import PatchType, Resource
from portway.client.memory import MemoryClient
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

Message = MutableMapping[str, Any]
_PATH = re.compile(
    r"^/clusters/(?P<workspace>[^/]+)/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/.))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?$"
)


class Front:
    def __init__(self, client: MemoryClient, resources: dict[str, Resource]) -> None:
        self._client = client
        self._resources = resources
        self.watching = 0

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        query = dict(parse_qsl(scope["query_string"].decode()))
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        try:
            client = self._client
            if token := headers.get("authorization", "").removeprefix("Bearer "):
                client = client.with_token(token)
            if query.get("watch"):
                await self._watch(client, scope["path"], query, receive, send)
                return
            answer = await self._answer(client, scope, query, headers, orjson.loads(body or b"null"))
            code = 200
        except StatusError as error:
            answer, code = error.to_status(), error.code
        await _start(send, code)
        await send({"type": "http.response.body", "body": orjson.dumps(answer)})

    def _target(self, client: MemoryClient, path: str) -> tuple[MemoryClient, Resource, re.Match[str]]:
        found = _PATH.match(path)
        if found is None or found["plural"] not in self._resources:
            raise StatusError(404, "NotFound", f"the server could not find the requested resource {path}")
        return client.at(found["workspace"]), self._resources[found["plural"]], found

    async def _answer(
        self, client: MemoryClient, scope: Message, query: dict[str, str], headers: dict[str, str], body: Any
    ) -> Manifest:
        method, path = scope["method"], scope["path"]
        if path.endswith("reviews"):
            return await client.post(path, body)
        at, resource, found = self._target(client, path)
        name, namespace, sub = found["name"] or "", found["namespace"], found["sub"] or ""
        dry = query.get("dryRun") == "All"
        if method == "GET" and name:
            return await at.get(resource, name, namespace)
        if method == "GET":
            selectors = {"labels": query.get("labelSelector", ""), "fields": query.get("fieldSelector", "")}
            return _page(await at.list(resource, namespace, **selectors), query)
        if method == "POST":
            return await at.create(resource, body, namespace, dry_run=dry)
        if method == "PUT":
            return await at.update(resource, body, subresource=sub, dry_run=dry)
        if method == "DELETE":
            options = {"uid": (body.get("preconditions") or {}).get("uid", "")}
            await at.delete(resource, name, namespace, propagation=body["propagationPolicy"], **options)
            return {"kind": "Status", "status": "Success"}
        if headers["content-type"] == "application/apply-patch+yaml":
            return await at.apply(resource, body, manager=query["fieldManager"], subresource=sub, dry_run=dry)
        kind = PatchType(headers["content-type"])
        return await at.patch(resource, name, body, namespace, type=kind, subresource=sub)

    async def _watch(
        self,
        client: MemoryClient,
        path: str,
        query: dict[str, str],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        at, resource, found = self._target(client, path)

        async def events() -> None:
            try:
                selectors = {"labels": query.get("labelSelector", ""), "fields": query.get("fieldSelector", "")}
                since = query.get("resourceVersion", "")
                async for event in at.watch(resource, found["namespace"], since=since, **selectors):
                    await _line(send, event.type, event.object)
            except StatusError as error:
                await _line(send, "ERROR", error.to_status())

        await _start(send, 200)
        self.watching += 1
        sending, leaving = asyncio.ensure_future(events()), asyncio.ensure_future(receive())
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.watching -= 1
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _page(listing: Any, query: dict[str, str]) -> Manifest:
    """In pages of two, items without their type, as a server sends them."""
    start = int(query.get("continue") or 0)
    items = [{k: v for k, v in i.items() if k not in ("apiVersion", "kind")} for i in listing.items]
    more = str(start + 2) if start + 2 < len(items) else ""
    metadata = {"resourceVersion": listing.resource_version, "continue": more}
    return {"kind": "List", "metadata": metadata, "items": items[start : start + 2]}


async def _start(send: Callable[[Message], Awaitable[None]], code: int) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": code, "headers": headers})


async def _line(send: Callable[[Message], Awaitable[None]], type_: str, manifest: Manifest) -> None:
    line = orjson.dumps({"type": type_, "object": manifest}) + b"\n"
    half = len(line) // 2
    await send({"type": "http.response.body", "body": line[:half], "more_body": True})
    await send({"type": "http.response.body", "body": line[half:], "more_body": True})


@pytest.fixture
def front_of() -> Callable[[MemoryClient, Sequence[Resource]], Front]:
    return lambda client, resources: Front(client, {resource.plural: resource for resource in resources})
