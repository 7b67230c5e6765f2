"""GET of a collection: consistent pages of the cache's bytes."""

from __future__ import annotations

from dataclasses import dataclass

from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import OPTIONS_GROUP, Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.verbs import continuing, everywhere, selecting
from portway.apiserver.verbs.selecting import Selection
from portway.krm.errors import Cause, StatusError, bad_request, expired, invalid
from portway.krm.identity import Manifest
from portway.store.contract import Compacted, Future, Key, Record

_SCAN = 500


@dataclass(frozen=True, slots=True)
class Found:
    records: list[Record]
    revision: int
    remaining: int


def scope_of(request: Request, resource: Resource) -> tuple[str | None, str | None]:
    """(cluster or None for the wildcard, namespace or None for all)."""
    cluster = request.tenant.cluster if request.tenant is not None else None
    return cluster, request.target.namespace or None if resource.served.namespaced else None


async def list_(context: Context, request: Request, resource: Resource) -> Response:
    renderer = Renderer(request, resource, context.tenants, lists=True)
    selection = selecting.of(request, resource)
    limit = request.number("limit")
    if request.query.get("sendInitialEvents"):
        message = "Forbidden: sendInitialEvents is forbidden for list"
        raise request.refused("sendInitialEvents", message, "FieldValueForbidden")
    revision, after = _start(context, request, resource)
    try:
        found = await select(context, request, resource, selection, revision=revision, after=after, limit=limit)
    except Compacted:
        raise _too_old(request, after) from None
    except Future as error:
        raise too_large(error.asked, present(context, request, resource)) from None
    metadata: Manifest = {"resourceVersion": str(found.revision)}
    if found.remaining and found.records:
        metadata["continue"] = continuing.encode(found.revision, found.records[-1].key)
        if selection.is_everything:
            metadata["remainingItemCount"] = found.remaining
    else:
        found.records.extend(everywhere.matching(context, request, resource, selection))
    return Response(renderer.several(found.records, metadata))


async def select(
    context: Context,
    request: Request,
    resource: Resource,
    selection: Selection,
    *,
    revision: int | None = None,
    after: Key | None = None,
    limit: int = 0,
) -> Found:
    """Matching records at ``revision`` (None: now). ``remaining`` counts at least 1 when more may match."""
    cluster, namespace = scope_of(request, resource)
    if selection.is_everything:
        page = await context.storage.list(resource.key, cluster, namespace, revision=revision, after=after, limit=limit)
        return Found(await context.conversions.shown(resource, page.records), page.revision, page.remaining)
    if request.view is not None and cluster is None:
        clusters = request.view.clusters(resource)
        return await _among(
            context, request, resource, selection, clusters, revision=revision, after=after, limit=limit
        )
    if selection.name and cluster is not None and revision is None and (namespace or not resource.served.namespaced):
        return await _by_name(context, resource, Key(resource.key, cluster, namespace or "", selection.name), selection)
    return await _scan(context, resource, selection, (cluster, namespace), revision=revision, after=after, limit=limit)


async def _scan(
    context: Context,
    resource: Resource,
    selection: Selection,
    place: tuple[str | None, str | None],
    *,
    revision: int | None,
    after: Key | None,
    limit: int,
) -> Found:
    found: list[Record] = []
    while True:
        page = await context.storage.list(
            resource.key, *place, revision=revision, after=after, limit=_SCAN if limit else 0
        )
        revision = page.revision
        for index, record in enumerate(await context.conversions.shown(resource, page.records)):
            if selection.matches_value(record.value):
                found.append(record)
                if limit and len(found) == limit:
                    return Found(found, revision, len(page.records) - index - 1 + page.remaining)
        if not page.remaining or not page.records:
            return Found(found, revision, 0)
        after = page.records[-1].key


async def _among(
    context: Context,
    request: Request,
    resource: Resource,
    selection: Selection,
    clusters: list[str],
    *,
    revision: int | None,
    after: Key | None,
    limit: int,
) -> Found:
    """Of some workspaces in order: neither the time it takes nor a token to go on tells of any others."""
    _, namespace = scope_of(request, resource)
    if revision is None:
        revision = _present(context, clusters)
    found: list[Record] = []
    for cluster in clusters:
        if after is not None and cluster < after.cluster:
            continue
        begin = after if after is not None and cluster == after.cluster else None
        wanted = limit + 1 - len(found) if limit else 0  # one more, to know whether there is more
        part = await _scan(
            context, resource, selection, (cluster, namespace), revision=revision, after=begin, limit=wanted
        )
        found += part.records
        if limit and len(found) > limit:
            return Found(found[:limit], revision, 1)
    return Found(found, revision, 0)


def _present(context: Context, clusters: list[str]) -> int:
    return max(map(context.storage.revision_of, ["", *clusters]))


def present(context: Context, request: Request, resource: Resource) -> int:
    """A revision at which all that the request may see is as it is now. It tells nothing of anything else."""
    cluster, _ = scope_of(request, resource)
    if request.view is not None and cluster is None:
        return _present(context, request.view.clusters(resource))
    return context.storage.revision_of(cluster)


async def _by_name(context: Context, resource: Resource, key: Key, selection: Selection) -> Found:
    revision = context.storage.revision_of(key.cluster)
    record = context.storage.get(key)
    if record is not None:
        record = await context.conversions.one(resource, record)
    matching = record is not None and selection.matches_value(record.value)
    return Found([record] if record is not None and matching else [], revision, 0)


def _start(context: Context, request: Request, resource: Resource) -> tuple[int | None, Key | None]:
    """The revision to list at (None: now) and the key to go on after."""
    query = request.query
    token = query.get("continue", "")
    match = query.get("resourceVersionMatch", "")
    asked = query.get("resourceVersion", "")
    if token:
        if asked not in ("", "0") or match:
            raise bad_request("specifying resource version is not allowed when using continue")
        position = continuing.decode(token, resource.key)
        return (None if position.revision == continuing.LATEST else position.revision), position.after
    revision = revision_of(asked)
    _check_match(match, asked, revision)
    if match == "Exact":
        return revision, None
    if revision > context.storage.revision:
        raise too_large(revision, present(context, request, resource))
    return None, None


def _check_match(match: str, asked: str, revision: int) -> None:
    if not match:
        return
    message, reason = "", "FieldValueForbidden"
    if match not in ("Exact", "NotOlderThan"):
        message = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        reason = "FieldValueNotSupported"
    elif not asked:
        message = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
    elif match == "Exact" and revision == 0:
        message = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    if message:
        raise invalid("ListOptions", "", (Cause(reason, message, "resourceVersionMatch"),), OPTIONS_GROUP)


def revision_of(text: str) -> int:
    if not text:
        return 0
    if not text.isdigit():
        raise bad_request(f'resourceVersion: Invalid value: "{text}": it must be one that the server gave')
    return int(text)


def too_large(asked: int, current: int) -> StatusError:
    return StatusError(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {asked}, current: {current}",
        causes=(Cause("ResourceVersionTooLarge", "Too large resource version"),),
        retry_after=1,
    )


def _too_old(request: Request, after: Key | None) -> StatusError:
    if after is None:
        asked = request.query.get("resourceVersion", "")
        return expired(f"The resourceVersion for the provided list is too old: {asked}")
    return expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were "
        "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
        "list.",
        continuing.encode(continuing.LATEST, after),
    )
