"""PUT of an object or its status."""

from __future__ import annotations

import copy

from portway.apiserver import bodies, metadata, writing
from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.verbs import creating, getting
from portway.krm.errors import Cause, bad_request, invalid
from portway.krm.identity import Manifest
from portway.store.contract import Conflict

ATTEMPTS = 12
"""An unconditional write loses a race this often before it gives up with 409."""


async def update(context: Context, request: Request, resource: Resource) -> Response:
    gvk = resource.served.gvk
    manifest, source = await bodies.read_manifest(request, gvk, custom=resource.served.custom)
    check_name(request, manifest)
    creating.place(manifest, request.target.namespace if resource.served.namespaced else "")
    conditional = bool(manifest["metadata"].get("resourceVersion"))
    await getting.live(context, request, resource)  # what is not there is not found, whatever else may be wrong
    if resource.served.custom and not conditional:
        writing.clean(request, resource, manifest, source)  # fields nobody knows are told first
        message = "Invalid value: 0: must be specified for an update"
        cause = Cause("FieldValueInvalid", message, "metadata.resourceVersion")
        raise invalid(resource.served.plural, request.target.name, (cause,), gvk.group)
    renderer = Renderer(request, resource, context.tenants)
    for _ in range(1 if conditional else ATTEMPTS):
        found = await getting.live(context, request, resource)
        live = writing.live_of(resource, found)
        metadata.check_preconditions(resource, manifest, live)
        try:
            candidate = manifest if conditional else copy.deepcopy(manifest)
            record = await writing.replace(context, request, resource, found, candidate, live=live, source=source)
        except Conflict:
            continue
        return Response(renderer.single(record))
    raise metadata.modified(resource, request.target.name)


def check_name(request: Request, manifest: Manifest) -> None:
    name = manifest["metadata"].get("name") or request.target.name
    if name != request.target.name:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({request.target.name})")
    manifest["metadata"]["name"] = name
