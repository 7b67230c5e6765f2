"""The read model follows what is created, removed, and removed while nobody looked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from portway.apis import resources
from portway.client.contract import ALL_WORKSPACES
from portway.client.memory import MemoryClient
from portway.index.following import Index


@contextlib.asynccontextmanager
async def _running(client: MemoryClient) -> AsyncIterator[Index]:
    index = Index()
    task = asyncio.create_task(index.run(client.at(ALL_WORKSPACES)))
    try:
        await index.ready.wait()
        yield index
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110  the index has no event for "it is so"
            await asyncio.sleep(0.005)


async def test_workspaces_are_known_by_name_and_components_as_they_are() -> None:
    client = MemoryClient()
    await client.create(resources.WORKSPACES, {"metadata": {"name": "acme"}})
    await client.create(resources.COMPONENTS, {"metadata": {"name": "old", "namespace": "default"}})
    async with _running(client) as index:
        await client.create(resources.COMPONENTS, {"metadata": {"name": "new", "namespace": "default"}})
        await client.delete(resources.COMPONENTS, "old", "default")
        await _until(lambda: [entity.name for entity in index.catalog.all(lambda _: True)] == ["new"])
        assert list(index.workspaces.all()) == [("root", "acme")]
        await client.delete(resources.WORKSPACES, "acme")
        await _until(lambda: list(index.workspaces.all()) == [])


async def test_what_went_while_a_watch_was_too_old_is_gone_after_the_next_list() -> None:
    client = MemoryClient()
    for name in ("gone", "kept"):
        await client.create(resources.WORKSPACES, {"metadata": {"name": name}})
        await client.create(resources.COMPONENTS, {"metadata": {"name": name, "namespace": "default"}})
    async with _running(client) as index:
        await client.delete(resources.COMPONENTS, "gone", "default")
        await client.delete(resources.WORKSPACES, "gone")
        client.compact()
        await _until(lambda: list(index.workspaces.all()) == [("root", "kept")])
        await _until(lambda: [entity.name for entity in index.catalog.all(lambda _: True)] == ["kept"])
