"""What all writes share: prune, default, admit, validate, own, commit.

``create`` and ``replace`` are called by the verbs with an object that is already a candidate; both answer the bytes
that are now stored (or would be, on a dry run).
"""

from __future__ import annotations

import copy

from portway.apiserver import bodies, guarding, metachecks, metadata, objects, ownership, schemachecks
from portway.apiserver.admission.builtinchecks import checking as builtinchecks
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.admission.quota import QUOTAS
from portway.apiserver.context import Context
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.krm.errors import Cause, StatusError, already_exists, invalid, unavailable
from portway.krm.identity import Manifest
from portway.krm.schemas import defaulting, pruning
from portway.store.contract import Change, Conflict, Delete, Encode, Key, Put, Record, Unavailable, Uncertain

_QUOTA_ATTEMPTS = 50
_NO_GENERATION = frozenset(("", "rbac.authorization.k8s.io", "coordination.k8s.io", "events.k8s.io"))

_OMITTED_WHEN_EMPTY = ("data", "binaryData", "stringData")
"""Of ConfigMaps and Secrets, as Go's omitempty leaves them out."""


def clean(request: Request, resource: Resource, manifest: Manifest, source: bodies.Source) -> None:
    """Drop undeclared fields (or refuse them, as fieldValidation says) and fill defaults in."""
    if not resource.served.custom:
        bodies.check_types(resource.served.gvk, resource.served.schema, manifest)
    unknown = list(pruning.prune(resource.served.schema, manifest))
    unknown += [path for path in metadata.drop_unknown(manifest) if path not in unknown]
    if resource.served.custom:
        unknown.sort()
    bodies.be_strict(request, resource.served.gvk, unknown, source)
    defaulting.default(resource.served.schema, manifest)
    if not resource.served.custom:
        for field in _OMITTED_WHEN_EMPTY:
            if manifest.get(field) == {}:
                del manifest[field]


async def create(
    context: Context,
    request: Request,
    resource: Resource,
    manifest: Manifest,
    source: bodies.Source = None,
    *,
    applied: bool = False,
) -> Record:
    """``applied``: managedFields are already right. Raises StatusError, 409 when the name is taken."""
    if resource.terminating:
        raise StatusError(
            405,
            "MethodNotAllowed",
            "create not allowed while custom resource definition is terminating",
        )
    served = resource.served
    metadata.prepare_create(manifest, context.now())
    clean(request, resource, manifest, source)
    if resource.has_status and served.custom:
        manifest.pop("status", None)
    if served.custom or served.gvk.group not in _NO_GENERATION:
        manifest["metadata"]["generation"] = 1
    asked = _admission(request, resource, Operation.CREATE, manifest, None)
    await context.mutate(asked)
    guarding.check_write(request, resource, None, manifest)
    asked.warnings += _validate(asked, manifest, None)
    if not applied:
        manifest = ownership.updated(request, resource, None, manifest, subresource="", now=context.now)
        asked.object = manifest
    await context.validate(asked)
    request.warnings.extend(asked.warnings)
    key = objects.key_of(resource, request.cluster, manifest["metadata"].get("namespace", ""), asked.name)
    stored = asked.object or manifest
    put = Put(key, await _encoder(context, stored, resource, key), 0)
    for _ in range(_QUOTA_ATTEMPTS):
        if context.storage.get(key) is not None:
            raise already_exists(served.plural, key.name, served.gvk.group)
        async with context.quotas.charging(asked) as charges:
            if request.dry_run:
                shown = put.encode if resource.conversion is None else objects.encoder(stored, key.cluster)
                return Record(key, 0, _without_revision(shown(0)))
            try:
                written = await commit(context, request, [put, *asked.also, *charges])
            except Conflict as taken:
                if taken.key.resource != QUOTAS or taken.key == key:
                    raise already_exists(served.plural, taken.key.name, served.gvk.group) from None
            else:
                return await context.conversions.one(resource, written)
        await context.storage.fresh()
    raise unavailable(f"a quota that counts {served.plural} is written by others all the time")


async def replace(
    context: Context,
    request: Request,
    resource: Resource,
    live_record: Record,
    manifest: Manifest,
    *,
    live: Manifest | None = None,
    source: bodies.Source = None,
    applied: bool = False,
) -> Record:
    """Write ``manifest`` over the live object. Raises StatusError, store Conflict when the object changed meanwhile.

    ``live``: the record as ``live_of`` decodes it, when that was done already and the manifest shares nothing with it.
    """
    if live is None:
        live = live_of(resource, live_record)
    subresource = request.target.subresource
    fixed = tuple(metachecks.check_fixed(manifest, live))
    metadata.prepare_update(manifest, live)
    clean(request, resource, manifest, source)
    _keep_other_side(resource, subresource, manifest, live)
    asked = _admission(request, resource, Operation.UPDATE, manifest, live)
    await context.mutate(asked)
    guarding.check_write(request, resource, live, manifest)
    asked.warnings += _validate(asked, manifest, live, fixed)
    _bump_generation(resource, manifest, live)
    if not applied:
        manifest = ownership.updated(request, resource, live, manifest, subresource=subresource, now=context.now)
        asked.object = manifest
    await context.validate(asked)
    request.warnings.extend(asked.warnings)
    manifest = asked.object or manifest
    key = live_record.key
    if objects.equal_but_times(live, manifest):
        return live_record
    encode = await _encoder(context, manifest, resource, key)
    if request.dry_run:
        shown = encode if resource.conversion is None else objects.encoder(manifest, key.cluster)
        return Record(key, live_record.revision, shown(live_record.revision))
    if is_gone(manifest):
        written = await commit(context, request, [Delete(key, encode, live_record.revision)])
    else:
        written = await commit(context, request, [Put(key, encode, live_record.revision), *asked.also])
    return await context.conversions.one(resource, written)


def live_of(resource: Resource, record: Record) -> Manifest:
    """The stored object in the served version, with today's defaults."""
    manifest = objects.decode(record.value)
    manifest["apiVersion"] = resource.served.gvk.api_version
    if resource.has_defaults and record.revision < resource.changed_at:
        defaulting.default(resource.served.schema, manifest)
    return manifest


async def commit(context: Context, request: Request, changes: list[Change]) -> Record:
    """The record of the first change. Raises store Conflict, StatusError 503."""
    try:
        return (await context.storage.commit(changes, request.user.name))[0]
    except Uncertain as error:
        raise unavailable(f"the store did not say whether it took the write: {error}") from None
    except Unavailable as error:
        raise unavailable(f"the store refused the write, nothing was changed: {error}") from None


def is_gone(manifest: Manifest) -> bool:
    """Marked for deletion with nothing left to wait for."""
    fields = manifest["metadata"]
    waits = fields.get("finalizers") or (
        manifest.get("kind") == "Namespace" and (manifest.get("spec") or {}).get("finalizers")
    )
    return bool(fields.get("deletionTimestamp")) and not waits


async def _encoder(context: Context, manifest: Manifest, resource: Resource, key: Key) -> Encode:
    if resource.conversion is not None:
        manifest = await context.conversions.stored(resource, manifest)
    stored = {**manifest, "apiVersion": resource.storage_api_version}
    return objects.encoder(stored, key.cluster)


def _without_revision(value: bytes) -> bytes:
    return value.replace(b'"resourceVersion":"0",', b"", 1)


def _admission(
    request: Request, resource: Resource, operation: Operation, manifest: Manifest, old: Manifest | None
) -> AdmissionRequest:
    return AdmissionRequest(
        operation=operation,
        resource=resource,
        subresource=request.target.subresource,
        tenant=request.here,
        user=request.user,
        name=manifest["metadata"].get("name", ""),
        namespace=manifest["metadata"].get("namespace", ""),
        object=manifest,
        old=old,
        dry_run=request.dry_run,
        annotations=request.audit_annotations,
    )


def _validate(
    asked: AdmissionRequest, manifest: Manifest, live: Manifest | None, fixed: tuple[Cause, ...] = ()
) -> list[str]:
    """Warnings. Raises StatusError 422 with all that is wrong, of the metadata first.

    What the rules of a kind say of a field is said instead of what its schema says of it.
    """
    resource = asked.resource
    found, warnings = schemachecks.check(resource, manifest, live)
    if not resource.served.custom and not any(cause.reason == "FieldValueTypeInvalid" for cause in found):
        own = builtinchecks.check(asked, manifest)
        told = {cause.field.lower() for cause in own}
        found = (*own, *(cause for cause in found if cause.field.lower() not in told))
    causes = (*fixed, *metachecks.check(resource, manifest, live), *found)
    if causes:
        gvk = resource.served.gvk
        raise invalid(gvk.kind, manifest["metadata"].get("name", ""), causes, gvk.group)
    if resource.served.custom:
        warnings += metachecks.warnings_of_finalizers(manifest, live)
    return warnings


def _keep_other_side(resource: Resource, subresource: str, manifest: Manifest, live: Manifest) -> None:
    """The main endpoint leaves status alone; /status leaves all else alone."""
    if subresource == "status":
        status, fields = manifest.get("status"), manifest["metadata"]
        for key in [key for key in manifest if key not in ("metadata", "status")]:
            del manifest[key]
        manifest.update({key: copy.deepcopy(value) for key, value in live.items() if key != "status"})
        if resource.served.custom:
            if "managedFields" in fields:
                manifest["metadata"]["managedFields"] = fields["managedFields"]
        else:
            manifest["metadata"] = fields
        if status is None:
            manifest.pop("status", None)
        else:
            manifest["status"] = status
    elif resource.has_status:
        if "status" in live:
            manifest["status"] = copy.deepcopy(live["status"])
        else:
            manifest.pop("status", None)


def _bump_generation(resource: Resource, manifest: Manifest, live: Manifest) -> None:
    old = live["metadata"].get("generation")
    if old is None:
        return
    ignored = ("metadata", "status") if resource.has_status or not resource.served.custom else ("metadata",)
    before = {key: value for key, value in live.items() if key not in ignored}
    after = {key: value for key, value in manifest.items() if key not in ignored}
    if before != after:
        manifest["metadata"]["generation"] = old + 1
