"""Writing status: only what differs, through the status subresource, guarded by the version that was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portway.client.contract import Client, Resource
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import objects
from portway.runtime.contract import Request

_ATTEMPTS = 5


async def write(client: Client, resource: Resource, manifest: Manifest, status: Manifest) -> Manifest:
    """Make ``status`` the object's status; no request when it already is.

    ``manifest`` is what was read. Raises StatusError 409 when it has changed since (the runtime retries), 404 when
    it is gone. ``client`` is in the object's workspace.
    """
    patch = merge_difference(manifest.get("status") or {}, status)
    if not patch:
        return manifest
    body = {"metadata": {"resourceVersion": objects.version_of(manifest)}, "status": patch}
    name, namespace = objects.name_of(manifest), objects.namespace_of(manifest) or None
    return await client.patch(resource, name, body, namespace, subresource="status")


async def change(
    client: Client, resource: Resource, request: Request, make: Callable[[Manifest], Manifest]
) -> Manifest | None:
    """Read, make a status from the object, write; again when someone was faster. None when it is gone."""
    attempt = 0
    while True:
        attempt += 1
        try:
            manifest = await client.get(resource, request.name, request.namespace or None)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        try:
            return await write(client, resource, manifest, make(manifest))
        except StatusError as error:
            if error.code not in (404, 409) or attempt == _ATTEMPTS:
                raise


def merge_difference(before: Manifest, after: Manifest) -> Manifest:
    """The merge patch that leads from one to the other; empty when they are equal."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := merge_difference(old, value):
                patch[key] = inner
        elif value != old or (value is not None and key not in before):
            patch[key] = value
    return patch
