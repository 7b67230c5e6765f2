"""GET of one object: bytes from the cache."""

from __future__ import annotations

from portway.apiserver import objects
from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.verbs import everywhere
from portway.krm.errors import not_found
from portway.store.contract import Record


async def live(context: Context, request: Request, resource: Resource) -> Record:
    """The object a request names, in the version served. Raises StatusError 404."""
    target = request.target
    record = context.storage.get(objects.key_of(resource, request.cluster, target.namespace, target.name))
    view = request.view
    record = record or everywhere.get(context, request, resource)
    if record is None or (view is not None and not view.shows(resource, objects.decode(record.value))):
        raise not_found(resource.served.plural, target.name, resource.served.gvk.group)
    return record if resource.conversion is None else await context.conversions.one(resource, record)


async def get(context: Context, request: Request, resource: Resource) -> Response:
    renderer = Renderer(request, resource, context.tenants)
    return Response(renderer.single(await live(context, request, resource)))
