"""The real API server behind a real port, and a namespace for each test, made and removed as the e2e framework does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from tests.conformance.specs.goclient import GoClient, Manifest, random_name, until

from portway.apiserver.app import ApiServer
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[Cache]:
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    yield cache
    await cache.close()


@pytest.fixture
async def server(cache: Cache) -> AsyncIterator[ApiServer]:
    app = ApiServer(cache)
    await app.start()
    yield app
    await app.close()


@pytest.fixture
async def go(server: ApiServer) -> AsyncIterator[GoClient]:
    """As a member of system:masters, in root."""
    async with _listening(server) as address:
        token = await server.tokens.mint("kubernetes-admin", ["system:masters"])
        async with httpx.AsyncClient(base_url=address, timeout=30, limits=httpx.Limits(max_connections=300)) as http:
            yield GoClient(http, token)


@contextlib.asynccontextmanager
async def _listening(app: ApiServer) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        front = uvicorn.Server(config)
        task = asyncio.create_task(front.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        front.should_exit = True
        await task


@pytest.fixture
async def namespace(go: GoClient) -> AsyncIterator[str]:
    """What framework.CreateTestingNS does before a spec, and what follows one."""
    name = random_name("e2e-specs-")
    labels = {
        "e2e-framework": "e2e-specs",
        "e2e-run": str(uuid.uuid4()),
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
    }
    manifest: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    created = await go.typed("POST", "/api/v1/namespaces", manifest)
    assert created["status"]["phase"] == "Active"
    place = f"/api/v1/namespaces/{name}"
    await _appears(go, f"{place}/serviceaccounts", "default")
    await _appears(go, f"{place}/configmaps", "kube-root-ca.crt")
    yield name
    await go.delete(place)

    async def is_gone() -> bool:
        return await go.is_gone(place)

    await until(is_gone, f"namespace {name} is gone")


async def _appears(go: GoClient, path: str, name: str) -> None:
    """As watchtools.UntilWithSync waits: list from the cache, then watch."""
    chosen = {"fieldSelector": f"metadata.name={name}"}
    found = await go.get(path, limit="500", resourceVersion="0", **chosen)
    if found["items"]:
        return
    revision = found["metadata"]["resourceVersion"]
    options = {"allowWatchBookmarks": "true", "timeoutSeconds": "300", "resourceVersion": revision, **chosen}
    async with go.watch(path, **options) as watch:
        await watch.next("ADDED")
