"""Portway's own kinds: installed once, brought up to date when the code that makes them changes."""

from __future__ import annotations

from portway.apis import groups, installing, resources
from portway.bootstrap import kinds
from portway.client.memory import MemoryClient
from portway.krm.identity import Manifest

NAMES = [schema["metadata"]["name"] for schema in installing.api_resource_schemas()]


async def _export(client: MemoryClient) -> Manifest:
    return await client.get(resources.API_EXPORTS, groups.EXPORT)


async def _schemas(client: MemoryClient) -> list[str]:
    return sorted(item["metadata"]["name"] for item in (await client.list(resources.API_RESOURCE_SCHEMAS)).items)


async def test_an_empty_root_gets_the_schemas_and_an_export_that_says_what_made_them() -> None:
    client = MemoryClient()
    await kinds.install(client)
    export = await _export(client)
    assert await _schemas(client) == sorted(NAMES)
    assert export["spec"] == {"latestResourceSchemas": NAMES}
    assert export["metadata"]["annotations"][kinds.MADE_FROM] == kinds.digest()


async def test_a_second_start_writes_nothing() -> None:
    client = MemoryClient()
    await kinds.install(client)
    before = await client.list(resources.API_EXPORTS)
    await kinds.install(client)
    assert await client.list(resources.API_EXPORTS) == before


async def test_a_schema_that_is_gone_is_made_again() -> None:
    client = MemoryClient()
    await kinds.install(client)
    await client.delete(resources.API_RESOURCE_SCHEMAS, NAMES[0])
    await kinds.install(client)
    assert await _schemas(client) == sorted(NAMES)


async def test_an_export_of_other_code_offers_the_schemas_of_this_one_and_keeps_what_else_it_has() -> None:
    client = MemoryClient()
    await kinds.install(client)
    export = await _export(client)
    export["metadata"]["annotations"] |= {kinds.MADE_FROM: "older", "team": "platform"}
    export["spec"] = {"latestResourceSchemas": NAMES[1:], "permissionClaims": []}
    await client.update(resources.API_EXPORTS, export)
    await kinds.install(client)
    brought = await _export(client)
    assert brought["spec"] == {"latestResourceSchemas": NAMES, "permissionClaims": []}
    annotations = brought["metadata"]["annotations"]
    assert (annotations[kinds.MADE_FROM], annotations["team"]) == (kinds.digest(), "platform")
