"""A server started on what another left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from portway.apiserver.app import ApiServer
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

CONFIGS = "/api/v1/namespaces/default/configmaps"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


@asynccontextmanager
async def _again(folder: Path) -> AsyncIterator[ApiServer]:
    """A server on what the one of the fixtures left in the folder."""
    cache = Cache(SqliteStore(folder / "store.db"))
    await cache.start()
    server = ApiServer(cache)
    await server.start()
    try:
        yield server
    finally:
        await server.close()
        await cache.close()


async def test_everything_is_found_again(api: Any, server: Any, make: Any, tmp_path: Path) -> None:
    await api.post("/apis/tenancy.kcp.io/v1alpha1/workspaces", {"metadata": {"name": "acme"}})
    acme = api.at("root:acme")
    await acme.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", make.definition({}))
    await acme.post(make.widgets, make.widget("a"))
    masters = await server.tokens.mint("root", ["system:masters"])
    robot = (await acme.post(f"{ACCOUNTS}/default/token", {}))["status"]["token"]
    before = await acme.get(make.widgets)
    revision = (await api.get(CONFIGS))["metadata"]["resourceVersion"]
    await server.close()
    await server.context.storage.cache.close()

    async with _again(tmp_path) as again:
        new = type(api)(again, masters)
        assert (await new.at("root:acme").get(make.widgets))["items"] == before["items"]
        assert (await type(api)(again, robot).at("root:acme").refused("GET", CONFIGS))[0] == 403
        assert (await type(api)(again, server.boot_token).refused("GET", CONFIGS))[0] == 401
        async with new.watch(CONFIGS, resourceVersion=revision) as watch:
            await new.post(CONFIGS, make.config("late"))
            assert await watch.names(1) == [("ADDED", "late")]


async def test_a_namespace_that_root_needs_is_made_again(api: Any, server: Any, make: Any, tmp_path: Path) -> None:
    await api.delete("/api/v1/namespaces/kube-node-lease")

    async def is_gone() -> bool:
        return bool((await api.call("GET", "/api/v1/namespaces/kube-node-lease")).status_code == 404)

    await make.eventually(is_gone, "the namespace is gone")
    await server.close()
    await server.context.storage.cache.close()

    async with _again(tmp_path) as again:
        new = type(api)(again, again.boot_token)
        assert (await new.get("/api/v1/namespaces/kube-node-lease"))["status"]["phase"] == "Active"
        assert make.names_of(await new.get("/api/v1/namespaces/kube-node-lease/serviceaccounts")) == ["default"]
