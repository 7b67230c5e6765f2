"""From the words of a command line to objects: ``postgres orders-db``, ``workload/orders``, a template's name."""

from __future__ import annotations

import asyncio

from portway.apis import resources
from portway.apis.platform import ResourceTypeSpec
from portway.cli.errors import CommandError
from portway.client import discovery
from portway.client.contract import ALL_WORKSPACES, Client, Resource
from portway.client.rest import RestClient
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

Placed = tuple[str, Manifest]
"""A workspace's path, and an object of it."""
_DEEPEST = 6
_MOST_WORKSPACES = 500
"""How far ``around`` walks for one who may not list all workspaces at once."""


async def resource_named(client: RestClient, word: str) -> Resource:
    """By plural, singular, kind, short name or ``plural.group``. Raises CommandError."""
    try:
        return discovery.choose(await discovery.resources(client), word).resource
    except discovery.UnknownResource as error:
        hint = "" if "did you mean" in str(error) else " `kubectl api-resources` lists what it serves"
        raise CommandError(f"{client.workspace}: {error}.{hint + '.' if hint else ''}") from error


def lineage(workspace: str) -> list[str]:
    """The workspace and its ancestors, nearest first."""
    parts = workspace.split(":")
    return [":".join(parts[:length]) for length in range(len(parts), 0, -1)]


async def across(client: Client, resource: Resource) -> list[Placed]:
    """Objects of the workspace and its ancestors, nearest first; places that may not be read are passed over."""
    found = await asyncio.gather(*(_listed(client, path, resource) for path in lineage(client.workspace)))
    return [pair for pairs in found for pair in pairs]


async def around(client: Client, resource: Resource) -> list[Placed]:
    """Objects of the workspace, its ancestors and all workspaces below it, in this order."""
    above, below = await asyncio.gather(across(client, resource), _below(client, resource))
    return above + below


async def _below(client: Client, resource: Resource) -> list[Placed]:
    under = f"{client.workspace}:"
    try:
        everything = (await client.at(ALL_WORKSPACES).list(resource)).items
    except StatusError as error:
        if error.code not in (401, 403, 404):
            raise
    else:
        placed = [((m["metadata"].get("annotations") or {}).get("kcp.io/path", ""), m) for m in everything]
        return sorted(((p, m) for p, m in placed if p.startswith(under)), key=lambda pair: pair[0])
    found = await asyncio.gather(*(_listed(client, path, resource) for path in await _workspaces_below(client)))
    return [pair for pairs in found for pair in pairs]


async def _workspaces_below(client: Client) -> list[str]:
    found: list[str] = []
    level = [client.workspace]
    for _ in range(_DEEPEST):
        lists = await asyncio.gather(*(_listed(client, path, resources.WORKSPACES) for path in level))
        level = [f"{path}:{m['metadata']['name']}" for pairs in lists for path, m in pairs]
        found += level
        if not level or len(found) > _MOST_WORKSPACES:
            break
    return found[:_MOST_WORKSPACES]


async def _listed(client: Client, path: str, resource: Resource) -> list[Placed]:
    try:
        return [(path, item) for item in (await client.at(path).list(resource)).items]
    except StatusError as error:
        if error.code in (403, 404):
            return []
        raise


async def template_named(client: Client, name: str) -> Placed:
    """(workspace, Template). Raises CommandError naming those there are."""
    found = await around(client, resources.TEMPLATES)
    return _pick(found, [pair for pair in found if pair[1]["metadata"]["name"] == name], name, "template", client)


async def type_named(client: Client, name: str) -> Placed:
    """(workspace, ResourceType). Raises CommandError naming those there are."""
    found = await around(client, resources.RESOURCE_TYPES)
    return _pick(found, [pair for pair in found if _is_called(pair[1], name.lower())], name, "resource type", client)


def _is_called(manifest: Manifest, name: str) -> bool:
    spec = ResourceTypeSpec.read(manifest["spec"])
    return name in (manifest["metadata"]["name"], spec.kind.lower(), spec.plural, *spec.short_names)


def _pick(found: list[Placed], called: list[Placed], name: str, what: str, client: Client) -> Placed:
    if not called:
        names = ", ".join(sorted({m["metadata"]["name"] for _, m in found}))
        known = f"There are: {names}." if names else f"{client.workspace} has none that you may read; see --workspace."
        raise CommandError(f"There is no {what} {name!r}. {known}")
    nearest, manifest = called[0]
    rivals = [path for path, _ in called if path != nearest]
    if nearest not in lineage(client.workspace) and rivals:
        places = ", ".join([nearest, *rivals])
        raise CommandError(f"Several workspaces have a {what} {name!r}: {places}. Choose one with --workspace.")
    return nearest, manifest
