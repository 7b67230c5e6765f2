"""Loads a folder of manifests and catalog descriptors through the API.

The folder ``workspaces/`` is the tree of workspaces below root; files in a workspace's folder are applied to it in
the order of their names. Applying again changes nothing that is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

from portway.apis import resources
from portway.bootstrap.errors import StartError
from portway.catalog import objects, reading
from portway.client.contract import Client
from portway.krm import decoding, errors
from portway.krm.identity import Manifest, Resource
from portway.runtime import conditions

MANAGER = "portway-load"
_READY_SECONDS = 60.0
_AWAITED = ("ResourceType", "Environment", "ResourceDefinition")

_RESOURCES: dict[tuple[str, str], Resource] = {
    (resource.group, resource.kind): resource for resource in vars(resources).values() if isinstance(resource, Resource)
}


def workspaces(folder: Path) -> Iterator[tuple[str, Path]]:
    """(path, folder) of each workspace, parents first."""

    def below(path: str, place: Path) -> Iterator[tuple[str, Path]]:
        for child in sorted(p for p in place.iterdir() if p.is_dir()):
            yield f"{path}:{child.name}", child
            yield from below(f"{path}:{child.name}", child)

    yield from below("root", folder)


async def ensure_workspace(client: Client, path: str) -> None:
    """Make a workspace and wait until it is ready; its parent exists."""
    parent, _, name = path.rpartition(":")
    here = client.at(parent)
    manifest = {"apiVersion": "tenancy.kcp.io/v1alpha1", "kind": "Workspace", "metadata": {"name": name}, "spec": {}}
    try:
        await here.create(resources.WORKSPACES, manifest)
    except errors.StatusError as error:
        if error.reason != "AlreadyExists":
            raise
    await until(here, resources.WORKSPACES, name, None, lambda w: (w.get("status") or {}).get("phase") == "Ready")


async def apply_folder(client: Client, folder: Path) -> int:
    """Apply all files of one workspace's folder; the number of objects. Raises StartError naming the file."""
    count = 0
    awaited: list[Manifest] = []
    for file, manifest in _manifests(folder):
        await apply(client, manifest, file)
        count += 1
        if manifest["kind"] in _AWAITED:
            awaited.append(manifest)
    for manifest in awaited:
        await wait_ready(client, manifest)
    return count


def _manifests(folder: Path) -> list[tuple[Path, Manifest]]:
    return [(file, manifest) for file in sorted(folder.glob("*.yaml")) for manifest in read(file)]


def read(file: Path) -> list[Manifest]:
    """The manifests of a file; Backstage descriptors become catalog objects. Raises StartError with file and line."""
    found: list[Manifest] = []
    text = file.read_text()
    for document in decoding.documents(text):
        if document.error is not None or not isinstance(document.value, dict):
            raise StartError(f"{file}, line {document.line}: {document.error or 'expected an object'}")
        if "backstage.io" not in str(document.value.get("apiVersion")):
            found.append(document.value)
    for descriptor in reading.read(text):
        if descriptor.value is None or "backstage.io" not in str(descriptor.value.get("apiVersion")):
            continue
        if descriptor.faults:
            raise StartError(f"{file}, {descriptor.faults[0]}")
        found.append(objects.to_object(descriptor.value))
    return found


async def apply(client: Client, manifest: Manifest, source: Path | str = "") -> Manifest:
    """Server-side apply of one manifest of a kind that Portway knows."""
    group = manifest["apiVersion"].rpartition("/")[0]
    resource = _RESOURCES.get((group, manifest["kind"]))
    if resource is None:
        raise StartError(f"{source}: no resource {manifest['kind']} of {manifest['apiVersion']} is known")
    if resource.namespaced:
        manifest["metadata"].setdefault("namespace", "default")
    try:
        return await client.apply(resource, manifest, manager=MANAGER)
    except errors.StatusError as error:
        raise StartError(f"{source}: {manifest['kind']} {manifest['metadata']['name']}: {error.message}") from error


async def wait_ready(client: Client, manifest: Manifest) -> Manifest:
    """Wait for the condition Ready. Raises StartError with its message when it stays away."""
    group = manifest["apiVersion"].rpartition("/")[0]
    resource = _RESOURCES[(group, manifest["kind"])]
    namespace = manifest["metadata"].get("namespace") if resource.namespaced else None
    return await until_ready(client, resource, manifest["metadata"]["name"], namespace)


async def until_ready(client: Client, resource: Resource, name: str, namespace: str | None) -> Manifest:
    """The object once its condition Ready is true. Raises StartError with the condition's message."""
    return await until(client, resource, name, namespace, conditions.is_true)


async def until(
    client: Client, resource: Resource, name: str, namespace: str | None, satisfied: Callable[[Manifest], bool]
) -> Manifest:
    """The object once it is ``satisfied``; raises StartError when that takes too long."""
    current: Manifest = {}
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                current = await client.get(resource, name, namespace)
                if satisfied(current):
                    return current
                await asyncio.sleep(0.03)
    except TimeoutError:
        ready = conditions.get(current, "Ready") or {}
        why = ready.get("message") or "it did not become ready in time"
        raise StartError(f"{resource.kind} {name} in {client.workspace}: {why}") from None
