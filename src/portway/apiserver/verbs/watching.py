"""WATCH: events as JSON lines. An event's bytes are the stored bytes; nothing is encoded again per watcher."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

import orjson

from portway.apiserver import objects
from portway.apiserver.context import Context
from portway.apiserver.rendering import Renderer
from portway.apiserver.requests import OPTIONS_GROUP, Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Stream
from portway.apiserver.verbs import listing, selecting
from portway.apiserver.verbs.selecting import Selection
from portway.krm.errors import Cause, StatusError, expired, invalid
from portway.store.clocks import SECOND
from portway.store.contract import Compacted, Event, EventType, Record
from portway.store.watching import Subscription

_INITIAL_END = {"k8s.io/initial-events-end": "true"}


@dataclass(slots=True)
class _Watch:
    context: Context
    request: Request
    resource: Resource
    renderer: Renderer
    selection: Selection
    bookmarks: bool
    initial: bool
    revision: int
    """0: start with the current state."""
    shown: int = 0
    """The newest revision that the client has been given."""

    def line(self, type_: str, body: bytes) -> bytes:
        return b'{"type":"%s","object":%s}\n' % (type_.encode(), body)

    def told(self, event: Event | int) -> bytes | None:
        if isinstance(event, int):
            bookmark = self.renderer.bookmark(max(event, self.shown))
            return self.line("BOOKMARK", bookmark) if self.bookmarks else None
        line = self.event(event)
        if line is not None:
            self.shown = event.record.revision
        return line

    def event(self, event: Event) -> bytes | None:
        """None when the selector hides it. Leaving the selector is a deletion, entering it an addition."""
        if self.selection.is_everything:
            return self.line(event.type, self.renderer.single(event.record))
        matches = self.selection.matches(objects.shared(event.record.value))
        if event.type is EventType.ADDED:
            type_ = EventType.ADDED if matches else None
        else:
            before = event.previous is not None and self.selection.matches(objects.shared(event.previous))
            type_ = _transition(event.type, before, matches)
        if type_ is None:
            return None
        record = event.record
        if type_ is EventType.DELETED and event.type is not EventType.DELETED and event.previous is not None:
            record = _as_left(event, event.previous)
        return self.line(type_, self.renderer.single(record))


def _transition(type_: EventType, before: bool, now: bool) -> EventType | None:
    if type_ is EventType.DELETED:
        return EventType.DELETED if before or now else None
    if now:
        return EventType.MODIFIED if before else EventType.ADDED
    return EventType.DELETED if before else None


def _as_left(event: Event, previous: bytes) -> Record:
    """The state that last matched, with the revision of the change that ended it."""
    manifest = orjson.loads(previous)
    manifest["metadata"]["resourceVersion"] = str(event.record.revision)
    return Record(event.record.key, event.record.revision, orjson.dumps(manifest))


async def watch(context: Context, request: Request, resource: Resource) -> Stream:
    watching = _prepare(context, request, resource)
    seconds = request.number("timeoutSeconds") or context.settings.watch_seconds * random.uniform(1, 2)  # noqa: S311
    if watching.revision and not watching.initial:
        # Asked now, so that a revision too old is answered with a status code and not in the stream.
        _check_retained(watching)
    return Stream(_lines(watching), seconds)


def _prepare(context: Context, request: Request, resource: Resource) -> _Watch:
    query = request.query
    wants_initial = request.flag("sendInitialEvents")
    renderer = Renderer(request, resource, context.tenants, streams=True)
    initial = query.get("sendInitialEvents", "")
    match = query.get("resourceVersionMatch", "")
    if match and not initial:
        raise _forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    if initial and match != "NotOlderThan":
        raise _forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    return _Watch(
        context,
        request,
        resource,
        renderer,
        selecting.of(request, resource),
        request.flag("allowWatchBookmarks"),
        wants_initial,
        listing.revision_of(query.get("resourceVersion", "")),
    )


def _forbidden(message: str) -> StatusError:
    cause = Cause("FieldValueForbidden", f"Forbidden: {message}", "resourceVersionMatch")
    return invalid("ListOptions", "", (cause,), OPTIONS_GROUP)


def _check_retained(watching: _Watch) -> None:
    """A little ahead may be the clock of another process; more is of a state that was lost, so that lists are too."""
    if watching.revision > watching.context.storage.revision + SECOND:
        current = listing.present(watching.context, watching.request, watching.resource)
        raise expired(f"too new resource version: {watching.revision} ({current})")


async def _batches(events: AsyncIterator[Event | int]) -> AsyncGenerator[Sequence[Event | int], None]:
    """All that is ready at once, so that a burst is sent as one chunk."""
    if not isinstance(events, Subscription):
        async for event in events:
            yield [event]
        return
    while True:
        try:
            batch = await events.batch()
        except StopAsyncIteration:
            return
        yield batch


async def _converted(watching: _Watch, batch: Sequence[Event | int]) -> list[Event | int]:
    convert, resource = watching.context.conversions.event, watching.resource
    return [await convert(resource, event) if isinstance(event, Event) else event for event in batch]


async def _lines(watching: _Watch) -> AsyncGenerator[bytes, None]:
    try:
        after = watching.revision
        wants_state = watching.initial or (not after and watching.request.query.get("sendInitialEvents") != "false")
        if wants_state:
            found = await listing.select(watching.context, watching.request, watching.resource, watching.selection)
            after = found.revision
            for record in found.records:
                yield watching.line("ADDED", watching.renderer.single(record))
            if watching.initial and watching.bookmarks:
                yield watching.line("BOOKMARK", watching.renderer.bookmark(after, _INITIAL_END))
        elif not after:
            after = watching.context.storage.revision
            watching.shown = listing.present(watching.context, watching.request, watching.resource)
        watching.shown = watching.shown or after
        cluster, namespace = listing.scope_of(watching.request, watching.resource)
        events = watching.context.storage.watch(watching.resource.key, cluster, namespace, after)
        async with contextlib.aclosing(_batches(events)) as batches:
            async for batch in batches:
                if watching.resource.conversion is not None:
                    batch = await _converted(watching, batch)  # noqa: PLW2901
                chunk = b"".join(filter(None, map(watching.told, batch)))
                if chunk:
                    yield chunk
    except Compacted as gone:
        present = listing.present(watching.context, watching.request, watching.resource)
        error = expired(f"too old resource version: {gone.asked} ({present})")
        yield watching.line("ERROR", orjson.dumps(error.to_status()))
    except StatusError as error:
        yield watching.line("ERROR", orjson.dumps(error.to_status()))
