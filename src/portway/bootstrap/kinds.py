"""Installs Portway's own kinds in root, and brings them up to date when a newer Portway starts."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

from portway import apis
from portway.apis import groups, resources
from portway.client.contract import Client
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

MADE_FROM = "portway.dev/made-from"
"""On the export: digest of what its schemas were made from, so that a start with the same need not make them again."""


async def install(system: Client) -> None:
    """Schemas first, then the export that offers them. Schemas are immutable: a changed kind is a new schema."""
    root, sources = system.at("root"), digest()
    there = {item["metadata"]["name"] for item in (await root.list(resources.API_RESOURCE_SCHEMAS)).items}
    current = await _export(root)
    if current is not None and _made_from(current) == sources and set(_offered(current)) <= there:
        return
    from portway.apis import installing  # all types, of which a start that finds everything needs none

    schemas = installing.api_resource_schemas()
    for schema in schemas:
        if schema["metadata"]["name"] not in there:
            await root.create(resources.API_RESOURCE_SCHEMAS, schema)
    await _offer(root, current, _noted(installing.api_export(schemas), sources))


def digest() -> str:
    """Identifies the code that makes the schemas."""
    found = hashlib.sha256(metadata.version("pydantic").encode())
    for folder in apis.__path__:
        for file in sorted(Path(folder).glob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


async def _export(root: Client) -> Manifest | None:
    try:
        return await root.get(resources.API_EXPORTS, groups.EXPORT)
    except StatusError as error:
        if error.code != 404:
            raise
        return None


def _made_from(export: Manifest) -> str:
    return str((export["metadata"].get("annotations") or {}).get(MADE_FROM, ""))


def _offered(export: Manifest) -> list[str]:
    return list((export.get("spec") or {}).get("latestResourceSchemas") or ())


async def _offer(root: Client, current: Manifest | None, wanted: Manifest) -> None:
    if current is None:
        await root.create(resources.API_EXPORTS, wanted)
    else:
        spec = {**(current.get("spec") or {}), **wanted["spec"]}
        await root.update(resources.API_EXPORTS, _noted({**current, "spec": spec}, _made_from(wanted)))


def _noted(export: Manifest, sources: str) -> Manifest:
    fields = export["metadata"]
    return {**export, "metadata": {**fields, "annotations": {**(fields.get("annotations") or {}), MADE_FROM: sources}}}
