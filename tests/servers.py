"""The real API server in this process, for tests that are about what talks to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from portway.apis.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, WORKSPACES
from portway.apiserver.app import ApiServer
from portway.client.contract import Client, Resource
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.krm.errors import StatusError
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore


@contextlib.asynccontextmanager
async def api_server(folder: Path) -> AsyncIterator[ApiServer]:
    cache = Cache(SqliteStore(folder / "store.db"))
    await cache.start()
    app = ApiServer(cache)
    await app.start()
    try:
        yield app
    finally:
        await app.close()
        await cache.close()


def boot_client(app: ApiServer) -> RestClient:
    """Of the control plane, in root."""
    return RestClient(InProcessTransport(app), "root", app.boot_token)


async def make_workspace(boot: Client, workspace: str, namespaces: Sequence[str], kinds: Sequence[Resource]) -> None:
    """Below an existing one, with custom resources of any content."""
    parent, _, name = workspace.rpartition(":")
    spec = {"type": {"name": "universal", "path": "root"}}
    await boot.at(parent).create(WORKSPACES, {"metadata": {"name": name}, "spec": spec})
    for namespace in namespaces:
        await boot.at(workspace).create(NAMESPACES, {"metadata": {"name": namespace}})
    for kind in kinds:
        await define(boot.at(workspace), kind)


async def define(client: Client, resource: Resource) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": resource.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {
        "group": resource.group,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "names": {"plural": resource.plural, "kind": resource.kind},
        "versions": [{**version, "subresources": {"status": {}}}],
    }
    name = f"{resource.plural}.{resource.group}"
    await client.create(CUSTOM_RESOURCE_DEFINITIONS, {"metadata": {"name": name}, "spec": spec})
    async with asyncio.timeout(20):
        while not await _is_served(client, resource):  # noqa: ASYNC110  it is polled for, as kubectl does
            await asyncio.sleep(0.01)


async def _is_served(client: Client, resource: Resource) -> bool:
    try:
        await client.list(resource)
    except StatusError:
        return False
    return True
