"""Informers: a resource over all workspaces, kept in memory by one list and one watch, and told to subscribers.

Invariant: after any break the cache is either continued from the last resource version or compared with a fresh
list; subscribers see every difference, at least once. Objects handed out are shared: read, never change them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

from portway.client.contract import Client, Resource, WatchEvent
from portway.kit.backoffs import Backoff
from portway.kit.clocks import Clock
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import objects
from portway.runtime.contract import Kept, Request

_log = logging.getLogger(__name__)

Subscriber = Callable[[str, Manifest], None]
"""Called with ADDED, MODIFIED or DELETED and the object; must not raise or block."""

_RECONNECT = Backoff(first=0.2, limit=15.0)
_ABSENT = Backoff(first=0.2, limit=5.0)
"""Between looks for a kind that is not served (yet)."""


class Cache:
    """Implements ``runtime.contract.Lister``: objects by workspace, namespace and name."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, dict[str, Manifest]]] = {}

    def get(self, workspace: str, namespace: str, name: str) -> Manifest | None:
        return self._found.get(workspace, {}).get(namespace, {}).get(name)

    def list(self, workspace: str | None = None, namespace: str | None = None) -> list[Manifest]:
        workspaces = self._found.values() if workspace is None else (self._found.get(workspace, {}),)
        return [
            manifest
            for namespaces in workspaces
            for place, named in namespaces.items()
            if namespace is None or place == namespace
            for manifest in named.values()
        ]

    def requests(self) -> Iterator[Request]:
        for workspace, namespaces in self._found.items():
            for namespace, named in namespaces.items():
                for name in named:
                    yield Request(workspace, namespace, name)

    def put(self, key: Request, manifest: Manifest) -> Manifest | None:
        """Returns what was there."""
        named = self._found.setdefault(key.workspace, {}).setdefault(key.namespace, {})
        before = named.get(key.name)
        named[key.name] = manifest
        return before

    def remove(self, key: Request) -> Manifest | None:
        namespaces = self._found.get(key.workspace, {})
        named = namespaces.get(key.namespace, {})
        gone = named.pop(key.name, None)
        if not named:
            namespaces.pop(key.namespace, None)
        if not namespaces:
            self._found.pop(key.workspace, None)
        return gone


class Informer:
    """``client`` is bound to all workspaces."""

    def __init__(self, client: Client, resource: Resource, clock: Clock, kept: Kept | None = None) -> None:
        self.resource = resource
        self._kept = kept
        self.cache = Cache()
        self.synced = asyncio.Event()
        """Set once the first list is in the cache."""
        self._client = client
        self._clock = clock
        self._subscribers: list[Subscriber] = []
        self._version = ""
        self._failures = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        """Also tells it of everything that is already known."""
        self._subscribers.append(subscriber)
        for manifest in self.cache.list():
            subscriber("ADDED", manifest)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.remove(subscriber)

    async def run(self) -> None:
        """List, watch, and start again after every break; until cancelled."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except StatusError as error:
                await self._recover(error)
            except Exception:
                _log.exception("informer failed", extra={"resource": self.resource.plural})
                self._failures, self._version = self._failures + 1, ""
                await self._clock.sleep(_RECONNECT.delay(self._failures))

    async def _list(self) -> None:
        listing = await self._client.list(self.resource)
        fresh = {key: manifest for manifest in listing.items if (key := self._key(manifest)) is not None}
        for key in [key for key in self.cache.requests() if key not in fresh]:
            self._remove(key, None)
        for key, manifest in fresh.items():
            self._put(key, manifest)
        self._version = listing.resource_version
        self._failures = 0
        self.synced.set()

    async def _watch(self) -> None:
        began = self._clock.monotonic()
        async with contextlib.aclosing(self._client.watch(self.resource, since=self._version)) as events:
            async for event in events:
                self._follow(event)
        if self._clock.monotonic() - began < _RECONNECT.first:
            await self._clock.sleep(_RECONNECT.first)

    def _follow(self, event: WatchEvent) -> None:
        key = self._key(event.object) if event.type != "BOOKMARK" else None
        if key is not None and event.type == "DELETED":
            self._remove(key, event.object)
        elif key is not None:
            self._put(key, event.object)
        self._version = objects.version_of(event.object) or self._version
        self._failures = 0

    def _key(self, manifest: Manifest) -> Request | None:
        """None for an object that does not say where it is: it must not harm the others."""
        try:
            return objects.key_of(manifest)
        except ValueError as error:
            _log.error("object left out", extra={"resource": self.resource.plural, "error": str(error)})
            return None

    async def _recover(self, error: StatusError) -> None:
        extra = {"resource": self.resource.plural, "group": self.resource.group, "error": str(error)}
        self._failures += 1
        if error.code == 410:
            self._version = ""
            _log.info("watch too old, listing again", extra=extra)
            if self._failures == 1:
                return
        elif error.code == 404:
            _log.debug("kind not served", extra=extra)
            self._empty()
            await self._clock.sleep(_ABSENT.delay(self._failures))
            return
        elif self._failures == 1:
            _log.warning("watch interrupted", extra=extra)
        await self._clock.sleep(max(_RECONNECT.delay(self._failures), error.retry_after))

    def _empty(self) -> None:
        """A kind that is not served has no objects."""
        self._version = ""
        for key in list(self.cache.requests()):
            self._remove(key, None)
        self.synced.set()

    def _put(self, key: Request, manifest: Manifest) -> None:
        manifest["metadata"].pop("managedFields", None)  # a third of the memory, and read by nobody here
        if self._kept is not None:
            manifest = self._kept(manifest)
        before = self.cache.put(key, manifest)
        if before is None:
            self._tell("ADDED", manifest)
        elif objects.version_of(before) != objects.version_of(manifest):
            self._tell("MODIFIED", manifest)

    def _remove(self, key: Request, last: Manifest | None) -> None:
        before = self.cache.remove(key)
        if (gone := last or before) is not None:
            self._tell("DELETED", gone)

    def _tell(self, type_: str, manifest: Manifest) -> None:
        for subscriber in self._subscribers:
            subscriber(type_, manifest)
