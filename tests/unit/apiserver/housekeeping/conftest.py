"""A running API server on SQLite with its housekeeping, and plain words for what happens to its objects."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import orjson
import pytest

from portway.apiserver.admission import roots
from portway.apiserver.app import ApiServer
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.housekeeping.running import Housekeeping
from portway.apiserver.internal import Internal, request
from portway.apiserver.resources import Resource
from portway.apiserver.settings import Settings
from portway.apiserver.tenants import Tenant
from portway.apiserver.verbs import deleting
from portway.krm.identity import Manifest
from portway.store.caching import Cache
from portway.store.contract import Key
from portway.store.sqlite import SqliteStore


class World:
    def __init__(self, cache: Cache, server: ApiServer, housekeeping: Housekeeping) -> None:
        self.cache = cache
        self.server = server
        self.housekeeping = housekeeping
        self._internal = Internal(server.context)
        self.resume()

    def resource(self, plural: str, group: str = "", version: str = "v1", tenant: Tenant = roots.ROOT) -> Resource:
        found = self.server.context.registry.find(tenant.cluster, group, version, plural)
        assert found is not None
        return found

    async def create(
        self,
        name: str,
        *owners: Manifest,
        namespace: str = "default",
        plural: str = "configmaps",
        finalizers: tuple[str, ...] = (),
        blocks: bool = False,
    ) -> Manifest:
        """An object of a built-in kind, owned by others."""
        resource = self.resource(plural)
        kind = resource.served.gvk.kind
        references = [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "blockOwnerDeletion": blocks,
            }
            for owner in owners
        ]
        metadata: Manifest = {"name": name, "ownerReferences": references, "finalizers": list(finalizers)}
        if resource.served.namespaced:
            metadata["namespace"] = namespace
        manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
        return await self._internal.create(
            roots.ROOT, resource, manifest, namespace if resource.served.namespaced else ""
        )

    async def make(self, resource: Resource, name: str, spec: Manifest, tenant: Tenant = roots.ROOT) -> Manifest:
        """Any cluster-scoped object, or one in namespace default."""
        namespace = "default" if resource.served.namespaced else ""
        gvk = resource.served.gvk
        manifest = {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": {"name": name}, **spec}
        return await self._internal.create(tenant, resource, manifest, namespace)

    async def remove(self, resource: Resource, name: str, tenant: Tenant = roots.ROOT) -> None:
        namespace = "default" if resource.served.namespaced else ""
        record = self.server.context.storage.get(Key(resource.key, tenant.cluster, namespace, name))
        assert record is not None
        await self._internal.remove(tenant, resource, record)

    async def delete(
        self, name: str, propagation: str = "Background", *, plural: str = "configmaps", namespace: str = "default"
    ) -> None:
        resource = self.resource(plural)
        record = self.server.context.storage.get(self.key(name, plural=plural, namespace=namespace))
        assert record is not None
        asked = request(roots.ROOT, resource, "DELETE", name=name, namespace=record.key.namespace)
        await deleting.remove(self.server.context, asked, resource, record, {"propagationPolicy": propagation})

    def key(self, name: str, *, plural: str = "configmaps", namespace: str = "default") -> Key:
        return Key(plural, "root", "" if plural == "namespaces" else namespace, name)

    def read(self, name: str, *, plural: str = "configmaps", namespace: str = "default") -> Manifest | None:
        record = self.server.context.storage.get(self.key(name, plural=plural, namespace=namespace))
        return None if record is None else orjson.loads(record.value)

    def names(self) -> set[str]:
        """ConfigMaps in namespace default, but for the one that is always there."""
        found = {key.name for key in (r.key for r in self.cache.all()) if key[:3] == ("configmaps", "root", "default")}
        return found - {"kube-root-ca.crt"}

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  a condition of the store has no event
                await asyncio.sleep(0.005)

    async def settle(self) -> None:
        """Until all that is known now has been looked at."""
        await asyncio.sleep(0.05)
        await self.until(lambda: self.housekeeping.is_idle)
        await asyncio.sleep(0.05)
        await self.until(lambda: self.housekeeping.is_idle)

    async def own(self, name: str, owner: Manifest) -> None:
        """Add an owner that blocks to an object that exists."""
        reference = {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": True,
        }

        def change(manifest: Manifest) -> bool:
            manifest["metadata"].setdefault("ownerReferences", []).append(reference)
            return True

        context = self.server.context
        await Editor(context.storage, context.now).edit(self.key(name), change)

    def resume(self) -> None:
        self._running = asyncio.ensure_future(self.housekeeping.run())

    async def pause(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def release(self, name: str, finalizer: str, *, namespace: str = "default") -> None:
        resource = self.resource("configmaps")
        record = self.server.context.storage.get(self.key(name, namespace=namespace))
        assert record is not None
        await self._internal.release(roots.ROOT, resource, record, finalizer)


class Mask:
    """Sealing that hides everything and costs nothing."""

    def seal(self, key: Key, value: bytes) -> bytes:
        return base64.b64encode(value)

    def open(self, key: Key, sealed: bytes) -> bytes:
        return base64.b64decode(sealed, validate=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    server = ApiServer(cache, Settings(housekeeping=False), sealer=Mask())
    await server.start()
    world = World(cache, server, server.housekeeping)
    yield world
    await world.pause()
    await server.close()
    await cache.close()
