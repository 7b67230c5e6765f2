"""The client contract as Kubernetes REST calls over any transport.

Deadlines: every call but watch. A watch ends by itself after some minutes (the server is asked to end it) and the
caller begins again from the last resource version.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson

from portway.client import paths
from portway.client.contract import Listing, PatchType, Resource, WatchEvent
from portway.client.transport import Call, Stream, Transport
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.telemetry import traces

_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_PAGE = 1000
_WATCH_SECONDS = (300, 600)
_LATE_SECONDS = 30.0
"""A server that has not ended a watch so long after it was to be ended is gone."""
FIELD_MANAGER = "portway"


class RestClient:
    """Implements ``client.contract.Client``; views made by ``at`` and ``with_token`` share the transport."""

    def __init__(
        self, transport: Transport, workspace: str = "root", token: str = "", *, deadline_seconds: float = 30.0
    ) -> None:
        self._transport = transport
        self._workspace = workspace
        self._token = token
        self._deadline = deadline_seconds

    @property
    def workspace(self) -> str:
        return self._workspace

    def at(self, workspace: str) -> RestClient:
        return RestClient(self._transport, workspace, self._token, deadline_seconds=self._deadline)

    def with_token(self, token: str) -> RestClient:
        return RestClient(self._transport, self._workspace, token, deadline_seconds=self._deadline)

    async def close(self) -> None:
        """Of this client and all its views."""
        await self._transport.close()

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest:
        return await self._call("GET", paths.single(self._workspace, resource, name, namespace))

    async def list(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Listing:
        path = paths.collection(self._workspace, resource, namespace)
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(_PAGE)}
        items: list[Manifest] = []
        following = ""
        while True:
            try:
                page = await self._call("GET", path, {**query, "continue": following})
            except StatusError as error:
                if error.code != 410 or not following:
                    raise
                items, following = [], ""
                continue
            items += [_typed(item, resource) for item in page.get("items") or ()]
            following = page["metadata"].get("continue") or ""
            if not following:
                return Listing(items, page["metadata"].get("resourceVersion", ""))

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        since: str = "",
        labels: str = "",
        fields: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        seconds = random.randint(*_WATCH_SECONDS)  # noqa: S311  spreads reconnects
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(seconds),
            "labelSelector": labels,
            "fieldSelector": fields,
        }
        call = self._made("GET", paths.collection(self._workspace, resource, namespace), query)
        call = replace(call, silence_seconds=seconds + _LATE_SECONDS)
        async with self._transport.stream(call) as stream:
            if stream.status != 200:
                raise _failure(stream.status, b"".join([chunk async for chunk in stream.chunks]))
            async with contextlib.aclosing(_lines(stream)) as lines:
                async for line in lines:
                    yield _event(orjson.loads(line))

    async def create(
        self, resource: Resource, manifest: Manifest, namespace: str | None = None, *, dry_run: bool = False
    ) -> Manifest:
        manifest = _typed(manifest, resource)
        namespace = namespace or manifest.get("metadata", {}).get("namespace")
        path = paths.collection(self._workspace, resource, namespace)
        return await self._call("POST", path, {"fieldManager": FIELD_MANAGER, **_dry(dry_run)}, manifest)

    async def update(
        self, resource: Resource, manifest: Manifest, *, subresource: str = "", dry_run: bool = False
    ) -> Manifest:
        path = self._own_path(resource, manifest, subresource)
        query = {"fieldManager": FIELD_MANAGER, **_dry(dry_run)}
        return await self._call("PUT", path, query, _typed(manifest, resource))

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Manifest | Sequence[dict[str, Any]],
        namespace: str | None = None,
        *,
        type: PatchType = PatchType.MERGE,  # noqa: A002  the API's own word
        subresource: str = "",
    ) -> Manifest:
        path = paths.single(self._workspace, resource, name, namespace, subresource)
        return await self._call("PATCH", path, {"fieldManager": FIELD_MANAGER}, patch, content=type.value)

    async def apply(
        self,
        resource: Resource,
        manifest: Manifest,
        *,
        manager: str,
        force: bool = True,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        path = self._own_path(resource, manifest, subresource)
        query = {"fieldManager": manager, "force": str(force).lower(), **_dry(dry_run)}
        return await self._call("PATCH", path, query, _typed(manifest, resource), content=_APPLY)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        uid: str = "",
    ) -> None:
        options: Manifest = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        await self._call("DELETE", paths.single(self._workspace, resource, name, namespace), body=options)

    async def post(self, path: str, body: Manifest) -> Manifest:
        return await self._call("POST", paths.below(self._workspace, path), body=body)

    async def read(self, path: str, *, accept: str = _JSON) -> Manifest:
        """GET of a path below the workspace that is no resource (discovery, version)."""
        return await self._call("GET", paths.below(self._workspace, path), accept=accept)

    def _own_path(self, resource: Resource, manifest: Manifest, subresource: str) -> str:
        metadata = manifest.get("metadata") or {}
        name, namespace = metadata.get("name", ""), metadata.get("namespace")
        return paths.single(self._workspace, resource, name, namespace, subresource)

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        content: str = _JSON,
        accept: str = _JSON,
    ) -> Manifest:
        call = self._made(method, path, query or {}, body, content=content, accept=accept)
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._transport.send(call)
        except TimeoutError:
            text = f"{method} {path} was not answered within {self._deadline:g} seconds"
            raise StatusError(504, "Timeout", text) from None
        if answer.status >= 400:
            raise _failure(answer.status, answer.body)
        found: Manifest = orjson.loads(answer.body) if answer.body else {}
        return found

    def _made(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any = None,
        *,
        content: str = _JSON,
        accept: str = _JSON,
    ) -> Call:
        headers = {"accept": accept, "user-agent": "portway"}
        if trace := traces.current():
            headers["audit-id"] = trace
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["content-type"] = content
        encoded = urlencode({key: value for key, value in query.items() if value})
        payload = b"" if body is None else orjson.dumps(body)
        return Call(method, path, encoded, headers, payload)


def _typed(manifest: Manifest, resource: Resource) -> Manifest:
    """List items come without type and callers may leave it out."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **manifest}


def _dry(dry_run: bool) -> Mapping[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _event(line: Manifest) -> WatchEvent:
    if line["type"] == "ERROR":
        raise StatusError.from_status(line["object"])
    return WatchEvent(line["type"], line["object"])


async def _lines(stream: Stream) -> AsyncGenerator[bytes, None]:
    rest = b""
    async for chunk in stream.chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line


def _failure(code: int, body: bytes) -> StatusError:
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return StatusError.from_status(status, code)
    text = body[:500].decode(errors="replace").strip() or "no explanation given"
    return StatusError(code, "Unknown", f"the server answered {code}: {text}")
