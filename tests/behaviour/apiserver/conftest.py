"""The whole API server in this process: the ASGI application over a store on disk, no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from portway.apiserver.app import ApiServer
from portway.apiserver.settings import Settings
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

DEADLINE_SECONDS = 30
WIDGETS = "/apis/example.org/v1/namespaces/default/widgets"


class Watch:
    """An open watch; ``next`` waits for one event."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._left = asyncio.Event()
        self._asked = False

    async def next(self) -> tuple[str, Any]:
        event = orjson.loads(await asyncio.wait_for(self._lines.get(), DEADLINE_SECONDS))
        return event["type"], event["object"]

    async def names(self, count: int) -> list[tuple[str, str]]:
        return [(kind, found["metadata"]["name"]) for kind, found in [await self.next() for _ in range(count)]]

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b""}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status.set_result(message["status"])
            return
        for line in message.get("body", b"").splitlines():
            self._lines.put_nowait(line)


class Api:
    """Requests as one user. ``at`` gives the same in another workspace."""

    def __init__(self, server: ApiServer, token: str, workspace: str = "") -> None:
        self.server = server
        self.token = token
        self.workspace = workspace

    def at(self, workspace: str) -> Api:
        return Api(self.server, self.token, workspace)

    def as_user(self, token: str) -> Api:
        return Api(self.server, token, self.workspace)

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """``options``: query parameters, and headers as a mapping called ``headers``."""
        headers = {"authorization": f"Bearer {self.token}", "user-agent": "test/1", **options.pop("headers", {})}
        content = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        prefix = f"/clusters/{self.workspace}" if self.workspace else ""
        transport = httpx.ASGITransport(app=self.server)
        async with httpx.AsyncClient(transport=transport, base_url="http://portway") as client:
            return await client.request(method, prefix + path, content=content, headers=headers, params=options)

    async def get(self, path: str, **options: Any) -> Any:
        return await self._ok("GET", path, None, options)

    async def post(self, path: str, body: Any, **options: Any) -> Any:
        return await self._ok("POST", path, body, options)

    async def put(self, path: str, body: Any, **options: Any) -> Any:
        return await self._ok("PUT", path, body, options)

    async def delete(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self._ok("DELETE", path, body, options)

    async def patch(self, path: str, body: Any, kind: str = "merge-patch+json", **options: Any) -> Any:
        return await self._ok("PATCH", path, body, {"headers": {"content-type": f"application/{kind}"}, **options})

    async def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str, str]:
        """(code, reason, message) of the Status."""
        answer = await self.call(method, path, body, **options)
        status = answer.json()
        assert status["kind"] == "Status", status
        return answer.status_code, status["reason"], status["message"]

    @asynccontextmanager
    async def watch(self, path: str, **options: str) -> AsyncIterator[Watch]:
        watch = Watch()
        accept = options.pop("accept", "application/json")
        prefix = f"/clusters/{self.workspace}" if self.workspace else ""
        scope = {
            "type": "http",
            "method": "GET",
            "path": prefix + path,
            "query_string": urlencode({"watch": "true", **options}).encode(),
            "headers": [(b"authorization", f"Bearer {self.token}".encode()), (b"accept", accept.encode())],
        }
        serving = asyncio.create_task(self.server(scope, watch.receive, watch.send))
        try:
            await asyncio.wait_for(watch.status, DEADLINE_SECONDS)
            yield watch
        finally:
            watch.leave()
            await serving

    async def _ok(self, method: str, path: str, body: Any, options: dict[str, Any]) -> Any:
        answer = await self.call(method, path, body, **options)
        assert answer.status_code < 300, answer.text
        return answer.json()


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def definition(properties: dict[str, Any], **version: Any) -> dict[str, Any]:
    """A CRD of Widgets whose spec has the properties."""
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": properties},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]}
    v1 = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.org"},
        "spec": {"group": "example.org", "scope": "Namespaced", "names": names, "versions": [v1]},
    }


def widget(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def names_of(listing: Any) -> list[str]:
    return [item["metadata"]["name"] for item in listing["items"]]


async def eventually(holds: Any, what: str) -> None:
    """Ask the coroutine function until it answers true."""
    for _ in range(DEADLINE_SECONDS * 100):
        if await holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"never came true: {what}")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    api_server = ApiServer(cache, Settings())
    await api_server.start()
    yield api_server
    await api_server.close()
    await cache.close()


@pytest.fixture
def api(server: ApiServer) -> Api:
    """As system:portway in root."""
    return Api(server, server.boot_token)


@pytest.fixture
def make() -> Any:
    """The builders of this module, for tests that cannot import it."""
    return _Builders


class _Builders:
    config = staticmethod(config)
    definition = staticmethod(definition)
    widget = staticmethod(widget)
    names_of = staticmethod(names_of)
    eventually = staticmethod(eventually)
    widgets = WIDGETS

    @staticmethod
    async def configs(api: Api, names: Iterable[str]) -> None:
        for name in names:
            await api.post("/api/v1/namespaces/default/configmaps", config(name))
