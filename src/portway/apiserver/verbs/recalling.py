"""What an object was: GET ``…/<name>/history`` tells who changed which field when, POST ``…/<name>/undelete`` brings
a deleted one back. Both reach as far back as the store keeps its log.
"""

from __future__ import annotations

import dataclasses
import datetime

from portway.apiserver import authorizing, bodies, clocks, differences, objects, responses, writing
from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.storing import SEALED
from portway.krm.errors import StatusError, bad_request, not_found
from portway.krm.identity import Manifest
from portway.store.contract import Entry, EventType, Record

API_VERSION = "history.portway.dev/v1alpha1"
_DEFAULT_ENTRIES = 100
_MOST_ENTRIES = 1_000
_ACTIONS = {EventType.ADDED: "Created", EventType.MODIFIED: "Changed", EventType.DELETED: "Deleted"}
_KEPT_METADATA = ("name", "namespace", "labels", "annotations")


async def history(context: Context, request: Request, resource: Resource) -> Response:
    """The newest entries, oldest first; ``limit`` says how many at most."""
    entries = await _entries(context, request, resource)
    if not entries:
        raise not_found(resource.served.plural, request.target.name, resource.served.gvk.group)
    return responses.of(
        {
            "kind": "History",
            "apiVersion": API_VERSION,
            "metadata": {
                "name": request.target.name,
                **({"namespace": request.target.namespace} if request.target.namespace else {}),
                "resourceVersion": str(entries[-1].event.record.revision),
            },
            "items": [_item(entry, resource) for entry in entries],
        }
    )


async def undelete(context: Context, request: Request, resource: Resource) -> Response:
    """As the caller, who must be allowed to create such an object and to read it. Answers 201 with the new object.

    The body may name one of several deletions by ``resourceVersion``. Raises StatusError 404 when the log has none.
    """
    for verb in ("create", "get"):
        plain = dataclasses.replace(request.target, subresource="")
        context.authorizer.require(request, authorizing.attributes_of(plain, verb))
    chosen = await _wanted(request)
    deletions = [
        entry.event.record
        for entry in await _entries(context, request, resource)
        if entry.event.type is EventType.DELETED and chosen in ("", str(entry.event.record.revision))
    ]
    if not deletions:
        raise _no_deletion(request, resource)
    record = await writing.create(context, request, resource, _reborn(request, resource, deletions[-1]))
    return Response(Renderer(request, resource, context.tenants).single(record), 201)


async def _entries(context: Context, request: Request, resource: Resource) -> list[Entry]:
    target = request.target
    key = objects.key_of(resource, request.cluster, target.namespace, target.name)
    limit = request.number("limit") or _DEFAULT_ENTRIES
    return await context.storage.history(key, min(limit, _MOST_ENTRIES))


def _item(entry: Entry, resource: Resource) -> Manifest:
    event = entry.event
    now = objects.decode(event.record.value)
    was = objects.decode(event.previous) if event.previous is not None else None
    item: Manifest = {
        "resourceVersion": str(event.record.revision),
        "time": clocks.stamp(datetime.datetime.fromtimestamp(entry.written / 1000, datetime.UTC)),
        "action": _ACTIONS[event.type],
        "user": entry.user,
        "managers": [],
        "changes": [],
    }
    if event.type is EventType.MODIFIED and was is None:
        return {**item, "managers": differences.managers(None, now), "incomplete": True}
    if event.type is EventType.DELETED:
        return item
    found = differences.between(was, now, hide_values=resource.key in SEALED)
    item["managers"] = differences.managers(was, now)
    item["changes"] = [_change(difference) for difference in found]
    return item


def _change(difference: differences.Difference) -> Manifest:
    values = {"was": difference.was, "now": difference.now}
    return {"path": difference.path, **{name: value for name, value in values.items() if value is not None}}


async def _wanted(request: Request) -> str:
    body = (await bodies.read(request)).value
    if body is None:
        return ""
    if not isinstance(body, dict):
        raise bad_request("the body is expected to be an object with resourceVersion, or nothing")
    return str(body.get("resourceVersion") or "")


def _reborn(request: Request, resource: Resource, record: Record) -> Manifest:
    """The last state as a new object: without identity, status, finalizers and owners."""
    manifest = writing.live_of(resource, record)
    metadata = manifest["metadata"]
    if metadata.get("ownerReferences"):
        request.warnings.append("the owners of the object were left out: it stays when they are gone")
    manifest["metadata"] = {name: metadata[name] for name in _KEPT_METADATA if name in metadata}
    manifest.pop("status", None)
    if resource.key == "namespaces":
        manifest.pop("spec", None)
    return manifest


def _no_deletion(request: Request, resource: Resource) -> StatusError:
    error = not_found(resource.served.plural, request.target.name, resource.served.gvk.group)
    return StatusError(404, "NotFound", f"{error.message}: no deletion of it is within the retention of the log")
