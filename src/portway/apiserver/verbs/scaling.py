"""The scale subresource: an autoscaling/v1 Scale made from, and written back to, paths of the object."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from portway.apiserver import bodies, metadata, responses, writing
from portway.apiserver.context import Context
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.verbs import getting, patching, updating
from portway.krm.builtins import definitions
from portway.krm.builtins.catalogue import SCALE, definition_name
from portway.krm.errors import Cause, invalid
from portway.krm.identity import Manifest
from portway.store.contract import Conflict

_SCHEMA = definitions.inlined(definition_name(SCALE))


async def get(context: Context, request: Request, resource: Resource) -> Response:
    live = writing.live_of(resource, await getting.live(context, request, resource))
    return responses.of(scale_of(resource, live))


async def update(context: Context, request: Request, resource: Resource) -> Response:
    wanted, _ = await bodies.read_manifest(request, SCALE, custom=False)
    updating.check_name(request, wanted)
    return await _write(context, request, resource, lambda _scale: wanted)


async def patch(context: Context, request: Request, resource: Resource) -> Response:
    media = bodies.media_type(request)
    if media == patching.STRATEGIC:
        media = patching.MERGE  # a Scale has no lists to merge by key
    change, _ = await patching.read_patch(request, media, resource)
    return await _write(context, request, resource, change)


async def _write(context: Context, request: Request, resource: Resource, change: Callable[[Manifest], Any]) -> Response:
    for _ in range(updating.ATTEMPTS):
        record = await getting.live(context, request, resource)
        live = writing.live_of(resource, record)
        scale = bodies.typed(change(scale_of(resource, live)), SCALE)
        bodies.check_types(SCALE, _SCHEMA, scale)
        metadata.check_preconditions(resource, scale, live)
        manifest = copy.deepcopy(live)
        _set(manifest, resource.served.scale["specReplicasPath"], _replicas(request, scale))
        try:
            stored = await writing.replace(context, request, resource, record, manifest)
        except Conflict:
            continue
        return responses.of(scale_of(resource, writing.live_of(resource, stored)))
    raise metadata.modified(resource, request.target.name)


def _replicas(request: Request, scale: Manifest) -> int:
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        cause = Cause("FieldValueInvalid", message, "spec.replicas")
        raise invalid("Scale", request.target.name, (cause,), "autoscaling")
    return replicas


def scale_of(resource: Resource, manifest: Manifest) -> Manifest:
    paths, fields = resource.served.scale, manifest["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Manifest = {"replicas": _get(manifest, paths.get("statusReplicasPath", "")) or 0}
    selector = _get(manifest, paths.get("labelSelectorPath", ""))
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: fields[key] for key in kept if key in fields},
        "spec": {"replicas": _get(manifest, paths["specReplicasPath"]) or 0},
        "status": status,
    }


def _get(manifest: Manifest, path: str) -> Any:
    value: Any = manifest
    for part in path.split(".")[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value if path else None


def _set(manifest: Manifest, path: str, value: Any) -> None:
    *parents, last = path.split(".")[1:]
    for part in parents:
        manifest = manifest.setdefault(part, {})
    manifest[last] = value
