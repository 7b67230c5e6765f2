"""PATCH: four media types, retried on conflict unless the patch itself fixes the revision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from portway.apiserver import authorizing, bodies, metadata, objects, ownership, writing
from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import OPTIONS_GROUP, Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.verbs import creating, getting, updating
from portway.krm import decoding, patches
from portway.krm.decoding import Decoded
from portway.krm.errors import Cause, StatusError, bad_request, invalid, not_found, unsupported_media_type
from portway.krm.identity import Manifest
from portway.krm.schemas.findings import printed
from portway.store.contract import Conflict, Record

APPLY = "application/apply-patch+yaml"
JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

Patch = Callable[[Manifest], Any]


async def patch(context: Context, request: Request, resource: Resource) -> Response:
    media = bodies.media_type(request)
    if media == APPLY:
        return await _apply(context, request, resource)
    if "force" in request.query:
        raise request.refused("force", "Forbidden: may not be specified for non-apply patch", "FieldValueForbidden")
    change, source = await read_patch(request, media, resource)
    renderer = Renderer(request, resource, context.tenants)
    for _ in range(updating.ATTEMPTS):
        live = await getting.live(context, request, resource)
        before = writing.live_of(resource, live)
        manifest = bodies.typed(change(before), resource.served.gvk)
        _check_identity(request, resource, manifest, before)
        strict = request.field_validation == "Strict"
        given = bodies.PatchBody(source, _shown(media, source, manifest) if strict else "")
        try:
            record = await writing.replace(context, request, resource, live, manifest, source=given)
        except Conflict:
            continue
        return Response(renderer.single(record))
    raise metadata.modified(resource, request.target.name)


async def read_patch(request: Request, media: str, resource: Resource) -> tuple[Patch, Decoded]:
    """A function from the live object to the patched one, which it leaves as it is. Raises StatusError 400, 415."""
    supported = [JSON, MERGE, APPLY] if resource.served.custom else [JSON, MERGE, STRATEGIC, APPLY]
    if media not in supported:
        raise unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: " + ", ".join(supported)
        )
    decoded = _decode(await request.body())
    body, schema = decoded.value, resource.served.schema
    if media == JSON:
        return (lambda live: patches.json_patch(live, body)), decoded
    if not isinstance(body, dict):
        raise bad_request("the body of a merge patch must be an object")
    if media == MERGE:
        return (lambda live: patches.merge_patch(live, body)), decoded
    return (lambda live: patches.strategic_merge_patch(live, body, schema)), decoded


def _shown(media: str, source: Decoded, manifest: Manifest) -> str:
    return printed(source.value) if media == STRATEGIC else orjson.dumps(manifest).decode()


def _decode(body: bytes) -> Decoded:
    return decoding.decode_json(body) if body.lstrip()[:1] in (b"{", b"[") else decoding.decode_yaml(body)


def _check_identity(request: Request, resource: Resource, manifest: Manifest, live: Manifest) -> None:
    updating.check_name(request, manifest)
    creating.place(manifest, request.target.namespace if resource.served.namespaced else "")
    metadata.check_preconditions(resource, manifest, live)


async def _apply(context: Context, request: Request, resource: Resource) -> Response:
    if not request.query.get("fieldManager"):
        raise _manager_required()
    text = await request.body()
    decoded = decoding.decode_yaml(text)
    if decoded.duplicates and request.field_validation != "Ignore":
        bodies.tell_duplicates(request, decoding.yaml_duplicates(text))
        decoded = Decoded(decoded.value)
    _require_type(decoded.value)
    configuration = bodies.typed(decoded.value, resource.served.gvk)
    updating.check_name(request, configuration)
    creating.place(configuration, request.target.namespace if resource.served.namespaced else "")
    if configuration["metadata"].get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    renderer = Renderer(request, resource, context.tenants)
    for _ in range(updating.ATTEMPTS):
        try:
            code, record = await _apply_once(context, request, resource, configuration, decoded)
        except Conflict:
            continue
        except StatusError as error:
            if error.reason == "AlreadyExists":
                continue
            raise
        return Response(renderer.single(record), code)
    raise metadata.modified(resource, request.target.name)


def _require_type(configuration: Any) -> None:
    """An applied configuration is read without knowing the URL. Raises StatusError 400."""
    if not isinstance(configuration, dict):
        return  # told where the body is read as a manifest
    version, kind = configuration.get("apiVersion"), configuration.get("kind")
    if not version or not kind:
        raise bad_request(f"invalid object type: apiVersion {version or 'missing'}, kind {kind or 'missing'}")


async def _apply_once(
    context: Context, request: Request, resource: Resource, configuration: Manifest, source: Decoded
) -> tuple[int, Record]:
    target = request.target
    key = objects.key_of(resource, request.cluster, target.namespace, target.name)
    live_record = context.storage.get(key)
    if live_record is not None:
        live_record = await context.conversions.one(resource, live_record)
    subresource = target.subresource
    if live_record is None:
        if subresource:
            raise not_found(resource.served.plural, target.name, resource.served.gvk.group)
        if configuration["metadata"].get("uid"):
            uid = configuration["metadata"]["uid"]
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise StatusError(409, "Conflict", why, name=target.name, kind=resource.served.plural)
        if request.view is None:  # a view says itself what its user may create
            context.authorizer.require(request, authorizing.attributes_of(target, "create"))
        own_side = _own_side(resource, "", configuration)
        manifest = ownership.applied(request, resource, None, own_side, subresource="", now=context.now)
        return 201, await writing.create(context, request, resource, manifest, source, applied=True)
    live = writing.live_of(resource, live_record)
    metadata.check_preconditions(resource, configuration, live)
    own_side = _own_side(resource, subresource, configuration)
    manifest = ownership.applied(request, resource, live, own_side, subresource=subresource, now=context.now)
    return 200, await writing.replace(
        context, request, resource, live_record, manifest, live=live, source=source, applied=True
    )


def _own_side(resource: Resource, subresource: str, configuration: Manifest) -> Manifest:
    """Without what this endpoint does not write, so that an applier does not come to own it."""
    if subresource == "status":
        kept = {"apiVersion", "kind", "metadata", "status"}
        fields = configuration["metadata"]
        if resource.served.custom:
            configuration["metadata"] = {k: fields[k] for k in ("name", "namespace", "uid") if k in fields}
        return {key: value for key, value in configuration.items() if key in kept}
    if resource.has_status:
        configuration.pop("status", None)
    return configuration


def _manager_required() -> StatusError:
    message = "Required value: is required for apply patch"
    return invalid("PatchOptions", "", (Cause("FieldValueRequired", message, "fieldManager"),), OPTIONS_GROUP)
