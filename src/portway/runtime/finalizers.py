"""Finalizers: what keeps an object until its external things are gone.

Both calls are guarded by the version that was read (StatusError 409 when it has changed; the runtime retries).
"""

from __future__ import annotations

from portway.client.contract import Client, Resource
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import objects


async def add(client: Client, resource: Resource, manifest: Manifest, finalizer: str) -> Manifest:
    """Before the first external effect. No request when it is there."""
    if objects.has_finalizer(manifest, finalizer):
        return manifest
    return await _set(client, resource, manifest, [*_finalizers(manifest), finalizer])


async def remove(client: Client, resource: Resource, manifest: Manifest, finalizer: str) -> None:
    """After absence was proved. That the object is gone is success."""
    if not objects.has_finalizer(manifest, finalizer):
        return
    try:
        await _set(client, resource, manifest, [f for f in _finalizers(manifest) if f != finalizer])
    except StatusError as error:
        if error.code != 404:
            raise


def _finalizers(manifest: Manifest) -> list[str]:
    return list(manifest["metadata"].get("finalizers") or ())


async def _set(client: Client, resource: Resource, manifest: Manifest, finalizers: list[str]) -> Manifest:
    patch = {"metadata": {"resourceVersion": objects.version_of(manifest), "finalizers": finalizers}}
    namespace = objects.namespace_of(manifest) or None
    return await client.patch(resource, objects.name_of(manifest), patch, namespace)
