"""Installs Portway's own kinds in root, and brings them up to date when a newer Portway starts."""

from __future__ import annotations

from portway.apis import installing, resources
from portway.client.contract import Client
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest


async def install(system: Client) -> None:
    """Schemas first, then the export that offers them. Schemas are immutable: a changed kind is a new schema."""
    root = system.at("root")
    there = {item["metadata"]["name"] for item in (await root.list(resources.API_RESOURCE_SCHEMAS)).items}
    for schema in installing.api_resource_schemas():
        if schema["metadata"]["name"] not in there:
            await root.create(resources.API_RESOURCE_SCHEMAS, schema)
    await _offer(root, installing.api_export())


async def _offer(root: Client, export: Manifest) -> None:
    try:
        current = await root.get(resources.API_EXPORTS, installing.EXPORT)
    except StatusError as error:
        if error.code != 404:
            raise
        await root.create(resources.API_EXPORTS, export)
        return
    if (current.get("spec") or {}).get("latestResourceSchemas") != export["spec"]["latestResourceSchemas"]:
        await root.update(resources.API_EXPORTS, {**current, "spec": {**current["spec"], **export["spec"]}})
