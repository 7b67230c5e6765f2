"""Keep the read model up to date: list, then watch, for ever; each resource on its own.

Bootstrap runs ``Index.run(client.at(ALL_WORKSPACES))`` with the control plane's identity.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from sys import intern
from typing import Protocol

from portway.apis import resources, wellknown
from portway.client.contract import Client, Resource
from portway.index import entities
from portway.index.catalogs import Catalog
from portway.index.mirrors import Mirror, Names, Place
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

_log = logging.getLogger(__name__)

_FOLLOWED_ENTITIES = (*resources.ENTITIES, resources.TEMPLATES)
_BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


class _Target(Protocol):
    def put(self, manifest: Manifest) -> None: ...

    def remove(self, manifest: Manifest) -> None: ...


class Index:
    """The catalog and the mirrors. ``ready`` is set when every resource has been listed once."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.workspaces = Names()
        self.environments = Mirror()
        self.resource_types = Mirror()
        self.workloads = Mirror()
        self.template_runs = Mirror()
        self.pipeline_runs = Mirror()
        self.ready = asyncio.Event()

    async def run(self, client: Client) -> None:
        """Until cancelled. ``client`` is bound to ALL_WORKSPACES."""
        targets: list[tuple[Resource, _Target]] = [(resource, self.catalog) for resource in _FOLLOWED_ENTITIES]
        targets += [
            (resources.WORKSPACES, self.workspaces),
            (resources.ENVIRONMENTS, self.environments),
            (resources.RESOURCE_TYPES, self.resource_types),
            (resources.WORKLOADS, self.workloads),
            (resources.TEMPLATE_RUNS, self.template_runs),
            (resources.PIPELINE_RUNS, self.pipeline_runs),
        ]
        pending = {resource for resource, _ in targets}

        def listed(resource: Resource) -> None:
            pending.discard(resource)
            if not pending:
                self.ready.set()

        async with asyncio.TaskGroup() as group:
            for resource, target in targets:
                group.create_task(_follow(client, resource, target, listed), name=f"index {resource.plural}")


async def _follow(client: Client, resource: Resource, target: _Target, listed: Callable[[Resource], None]) -> None:
    known: set[Place] = set()
    failures = 0
    while True:
        try:
            revision = await _relist(client, resource, target, known)
            listed(resource)
            failures = 0
            await _watch(client, resource, target, known, revision)
        except StatusError as error:
            if error.code != 410:  # too old a revision is an ordinary reason to list again
                _log.warning("index cannot follow", extra={"resource": resource.plural, "error": str(error)})
                if error.code == 404:
                    listed(resource)  # not served (yet): the portal works without it
                await asyncio.sleep(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])
                failures += 1


async def _relist(client: Client, resource: Resource, target: _Target, known: set[Place]) -> str:
    listing = await client.list(resource)
    fresh = {_place(m): _whole(m, resource) for m in listing.items}
    for place in known - fresh.keys():
        target.remove(_named(place, resource))
        known.discard(place)
    for place, manifest in fresh.items():
        target.put(manifest)
        known.add(place)
    return listing.resource_version


async def _watch(
    client: Client,
    resource: Resource,
    target: _Target,
    known: set[Place],
    revision: str,
) -> None:
    while True:
        async for event in client.watch(resource, since=revision):
            revision = str(event.object["metadata"].get("resourceVersion") or revision)
            if event.type == "BOOKMARK":
                continue
            manifest = _whole(event.object, resource)
            if event.type == "DELETED":
                target.remove(manifest)
                known.discard(_place(manifest))
            else:
                target.put(manifest)
                known.add(_place(manifest))
        await asyncio.sleep(_BACK_OFF_SECONDS[0])  # the server ends watches now and then


def _place(manifest: Manifest) -> Place:
    metadata = manifest["metadata"]
    return intern(entities.workspace_of(manifest)), metadata.get("namespace") or "", metadata["name"]


def _named(place: Place, resource: Resource) -> Manifest:
    """As much of an object as tells which one it is."""
    workspace, namespace, name = place
    metadata = {"name": name, "namespace": namespace, "annotations": {wellknown.WORKSPACE_PATH: workspace}}
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}


def _whole(manifest: Manifest, resource: Resource) -> Manifest:
    """List items may come without kind and without managedFields worth keeping."""
    manifest["metadata"].pop("managedFields", None)
    return {**manifest, "kind": resource.kind, "apiVersion": resource.api_version}
