"""POST to a collection."""

from __future__ import annotations

from portway.apiserver import bodies, metadata, writing
from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.krm.errors import StatusError, bad_request
from portway.krm.identity import Manifest

_ATTEMPTS = 8


async def create(context: Context, request: Request, resource: Resource) -> Response:
    if resource.served.namespaced and not request.target.namespace:
        raise bad_request(f"an empty namespace may not be set during creation of {resource.served.plural}")
    manifest, source = await bodies.read_manifest(request, resource.served.gvk, custom=resource.served.custom)
    place(manifest, request.target.namespace if resource.served.namespaced else "")
    renderer = Renderer(request, resource, context.tenants)
    generated = not manifest["metadata"].get("name") and manifest["metadata"].get("generateName")
    for attempt in range(_ATTEMPTS if generated else 1):
        candidate = {**manifest, "metadata": {**manifest["metadata"]}}
        if generated:
            candidate["metadata"]["name"] = metadata.generate_name(generated)
        try:
            record = await writing.create(context, request, resource, candidate, source)
        except StatusError as error:
            if not generated or error.reason != "AlreadyExists" or attempt == _ATTEMPTS - 1:
                raise
        else:
            return Response(renderer.single(record), 201)
    raise AssertionError("every attempt returns or raises")


def place(manifest: Manifest, namespace: str) -> None:
    """Set the URL's namespace. Raises StatusError 400 when the body names another."""
    fields = manifest["metadata"]
    named = fields.get("namespace") or namespace
    if named != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
            if namespace
            else "namespace may not be set on a cluster-scoped object"
        )
    if namespace:
        fields["namespace"] = namespace
    else:
        fields.pop("namespace", None)
