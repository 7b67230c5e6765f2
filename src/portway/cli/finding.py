"""From the words of a command line to objects: ``postgres orders-db``, ``workload/orders``, a template's name."""

from __future__ import annotations

import asyncio

from portway.apis import resources
from portway.apis.platform import ResourceTypeSpec
from portway.cli.errors import CommandError
from portway.client import discovery
from portway.client.contract import Client, Resource
from portway.client.rest import RestClient
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest


async def resource_named(client: RestClient, word: str) -> Resource:
    """By plural, singular, kind, short name or ``plural.group``. Raises CommandError."""
    try:
        return discovery.choose(await discovery.resources(client), word).resource
    except discovery.UnknownResource as error:
        raise CommandError(f"{client.workspace}: {error}.") from error


def lineage(workspace: str) -> list[str]:
    """The workspace and its ancestors, nearest first."""
    parts = workspace.split(":")
    return [":".join(parts[:length]) for length in range(len(parts), 0, -1)]


async def across(client: Client, resource: Resource) -> list[tuple[str, Manifest]]:
    """Objects of the workspace and its ancestors, nearest first; places that may not be read are passed over."""

    async def listed(path: str) -> list[tuple[str, Manifest]]:
        try:
            return [(path, item) for item in (await client.at(path).list(resource)).items]
        except StatusError as error:
            if error.code in (403, 404):
                return []
            raise

    found = await asyncio.gather(*(listed(path) for path in lineage(client.workspace)))
    return [pair for pairs in found for pair in pairs]


async def template_named(client: Client, name: str) -> tuple[str, Manifest]:
    """(workspace, Template). Raises CommandError naming those there are."""
    return _pick(await across(client, resources.TEMPLATES), name, "template")


async def type_named(client: Client, name: str) -> tuple[str, Manifest]:
    """(workspace, ResourceType). Raises CommandError naming those there are."""
    found = await across(client, resources.RESOURCE_TYPES)
    for path, manifest in found:
        spec = ResourceTypeSpec.read(manifest["spec"])
        if name.lower() in (manifest["metadata"]["name"], spec.kind.lower(), spec.plural, *spec.short_names):
            return path, manifest
    return _pick(found, name, "resource type")


def _pick(found: list[tuple[str, Manifest]], name: str, what: str) -> tuple[str, Manifest]:
    for path, manifest in found:
        if manifest["metadata"]["name"] == name:
            return path, manifest
    names = ", ".join(sorted({m["metadata"]["name"] for _, m in found})) or "none"
    raise CommandError(f"There is no {what} {name!r}. Known: {names}.")
