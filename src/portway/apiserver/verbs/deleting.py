"""DELETE of one object or of a collection: preconditions, propagation, finalizers."""

from __future__ import annotations

import copy
from typing import Any

from portway.apiserver import bodies, clocks, metadata, objects, responses, writing
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.verbs import everywhere, getting, listing, selecting, updating
from portway.krm.errors import StatusError, bad_request, conflict, not_found
from portway.krm.identity import Manifest
from portway.store.contract import Conflict, Delete, Put, Record

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_POLICIES = ("Foreground", "Background", "Orphan")
_SUPPORTED = ", ".join(f'"{policy}"' for policy in (*_POLICIES, "nil"))


async def delete(context: Context, request: Request, resource: Resource) -> Response:
    options = await _options(request)
    renderer = Renderer(request, resource, context.tenants)
    live = await getting.live(context, request, resource)
    everywhere.require_stored(resource, live)
    record, gone = await remove(context, request, resource, live, options)
    gvk = resource.served.gvk
    if not gone or (gvk.kind == "Namespace" and not gvk.group):
        return Response(renderer.single(record))
    uid = objects.decode(record.value)["metadata"]["uid"]
    details = {"name": record.key.name, "group": gvk.group, "kind": resource.served.plural, "uid": uid}
    return responses.of(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {key: value for key, value in details.items() if value},
        }
    )


async def delete_collection(context: Context, request: Request, resource: Resource) -> Response:
    options = await _options(request)
    renderer = Renderer(request, resource, context.tenants, lists=True)
    found = await listing.select(context, request, resource, selecting.of(request, resource))
    removed = []
    for record in found.records:
        try:
            removed.append((await remove(context, request, resource, record, options))[0])
        except StatusError as error:
            if error.code != 404:
                raise
    return Response(renderer.several(removed, {"resourceVersion": str(listing.present(context, request, resource))}))


async def remove(
    context: Context, request: Request, resource: Resource, record: Record, options: Manifest
) -> tuple[Record, bool]:
    """Delete, or mark for deletion; True when the object is gone. Raises StatusError 404 and 409."""
    current: Record | None = record
    for _ in range(updating.ATTEMPTS):
        if current is None:
            raise not_found(resource.served.plural, record.key.name, resource.served.gvk.group)
        current = await context.conversions.one(resource, current)
        live = writing.live_of(resource, current)
        _check_preconditions(resource, live, options.get("preconditions") or {})
        await _admit(context, request, resource, live)
        marked = _marked(resource, live, options, clocks.stamp(context.now()))
        gone = writing.is_gone(marked)
        if not gone and objects.equal_but_times(live, marked):
            return current, False
        stored = await context.conversions.stored(resource, marked)
        stored = {**stored, "apiVersion": resource.storage_api_version}
        encode = objects.encoder(stored, current.key.cluster)
        if request.dry_run:
            return Record(current.key, current.revision, encode(current.revision)), gone
        change = Delete(current.key, encode, current.revision) if gone else Put(current.key, encode, current.revision)
        try:
            return await writing.commit(context, request, [change]), gone
        except Conflict:
            current = context.storage.get(record.key)
    raise metadata.modified(resource, record.key.name)


def _marked(resource: Resource, live: Manifest, options: Manifest, now: str) -> Manifest:
    """The object as deletion changes it: finalizers by policy, deletionTimestamp when new."""
    manifest = copy.deepcopy(live)
    fields = manifest["metadata"]
    finalizers = list(fields.get("finalizers") or ())
    policy = options.get("propagationPolicy") or _implied_policy(options)
    if policy:
        finalizers = [f for f in finalizers if f not in (FOREGROUND, ORPHAN)]
        if policy != "Background":
            finalizers.append(FOREGROUND if policy == "Foreground" else ORPHAN)
    fields["finalizers"] = finalizers
    if not fields.get("deletionTimestamp"):
        fields["deletionTimestamp"] = now
        fields["deletionGracePeriodSeconds"] = 0
        if fields.get("generation") is not None:
            fields["generation"] += 1
    if resource.key == "namespaces" and (manifest.get("spec") or {}).get("finalizers"):
        manifest.setdefault("status", {})["phase"] = "Terminating"
    return manifest


def _implied_policy(options: Manifest) -> str:
    orphan = options.get("orphanDependents")
    return "" if orphan is None else "Orphan" if orphan else "Background"


def _check_preconditions(resource: Resource, live: Manifest, preconditions: Manifest) -> None:
    fields = live["metadata"]
    plural, group, name = resource.served.plural, resource.served.gvk.group, fields["name"]
    uid, version = preconditions.get("uid"), preconditions.get("resourceVersion")
    if uid and uid != fields["uid"]:
        why = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({fields['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise conflict(plural, name, why, group)
    if version and version != fields["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record "
            f"({fields['resourceVersion']}). The object might have been modified"
        )
        raise conflict(plural, name, why, group)


async def _admit(context: Context, request: Request, resource: Resource, live: Manifest) -> None:
    fields = live["metadata"]
    asked = AdmissionRequest(
        Operation.DELETE,
        resource,
        "",
        request.here,
        request.user,
        fields["name"],
        fields.get("namespace", ""),
        None,
        live,
        request.dry_run,
        annotations=request.audit_annotations,
    )
    await context.validate(asked)
    request.warnings.extend(asked.warnings)


_TYPES: dict[str, type] = {
    "dryRun": list,
    "preconditions": dict,
    "propagationPolicy": str,
    "orphanDependents": bool,
    "gracePeriodSeconds": int,
}


def _check_types(options: Manifest) -> None:
    """Raises StatusError 400 for what is no DeleteOptions."""
    wrong = [name for name, kind in _TYPES.items() if name in options and not isinstance(options[name], kind)]
    wrong += ["dryRun"] if not wrong and any(not isinstance(item, str) for item in options.get("dryRun") or ()) else []
    if wrong:
        raise bad_request(f"DeleteOptions cannot be handled: {', '.join(wrong)} is of another type than expected")


async def _options(request: Request) -> Manifest:
    """DeleteOptions of the body, over those of the query. Raises StatusError 400 and 422 for what is none of them."""
    options: Manifest = {}
    if request.query.get("propagationPolicy"):
        options["propagationPolicy"] = request.query["propagationPolicy"]
    if request.query.get("orphanDependents"):
        options["orphanDependents"] = request.flag("orphanDependents")
    body: Any = (await bodies.read(request)).value
    if isinstance(body, dict):
        options.update({key: value for key, value in body.items() if value is not None})
        _check_types(options)
    if options.get("dryRun"):
        request.query["dryRun"] = options["dryRun"][0]
    policy = options.get("propagationPolicy")
    if policy and policy not in _POLICIES:
        message = f'Unsupported value: "{policy}": supported values: {_SUPPORTED}'
        raise request.refused("propagationPolicy", message, "FieldValueNotSupported")
    if policy and options.get("orphanDependents") is not None:
        message = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        raise request.refused("propagationPolicy", message, "FieldValueInvalid")
    _ = request.dry_run  # an unknown value is refused before anything else
    return options
