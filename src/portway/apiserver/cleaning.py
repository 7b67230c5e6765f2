"""Finishes deletions that take many writes: a CRD's instances, a workspace's contents.

Level-triggered: looks at what is marked for deletion, does what can be done, and looks again until nothing is left.
"""

from __future__ import annotations

import asyncio
import logging

from portway.apiserver import crds, objects, resources
from portway.apiserver.admission.workspacecreation import FINALIZER, WORKSPACES
from portway.apiserver.context import Context
from portway.apiserver.following import Follower
from portway.apiserver.internal import Internal
from portway.apiserver.resources import Resource
from portway.apiserver.tenants import LOGICAL_CLUSTERS, Tenant
from portway.krm.builtins import served_from_crd
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.store.contract import Conflict, Delete, Key, Record

log = logging.getLogger(__name__)
_AGAIN_SECONDS = 0.2


class Cleaner:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._internal = Internal(context)
        self._wake = asyncio.Event()
        cache = context.storage.cache
        self._crds: Follower[bool] = Follower(cache, crds.CRDS, _marked, self._changed)
        self._workspaces: Follower[bool] = Follower(cache, WORKSPACES, _marked, self._changed)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for follower in (self._crds, self._workspaces):
                await follower.start()
                group.create_task(follower.run())
            group.create_task(self._work())

    def _changed(self, _key: Key) -> None:
        self._wake.set()

    async def _work(self) -> None:
        while True:
            pending = self._pending()
            if not pending:
                self._wake.clear()
                await self._wake.wait()
                continue
            for key in pending:
                try:
                    await self._clean(key)
                except (StatusError, Conflict) as error:
                    log.warning("clean-up is tried again", extra={"key": str(key), "error": str(error)})
            await asyncio.sleep(_AGAIN_SECONDS)

    def _pending(self) -> list[Key]:
        return [
            Key(follower.resource, cluster, *place)
            for follower in (self._crds, self._workspaces)
            for cluster in follower.clusters()
            for place in follower.of(cluster)
        ]

    async def _clean(self, key: Key) -> None:
        record = self._context.storage.get(key)
        tenant = self._context.tenants.resolve(key.cluster)
        if record is None or tenant is None:
            return
        manifest = objects.decode(record.value)
        if key.resource == crds.CRDS:
            await self._clean_definition(tenant, record, manifest)
        else:
            await self._clean_workspace(tenant, record, manifest)

    async def _clean_definition(self, tenant: Tenant, record: Record, manifest: Manifest) -> None:
        name = next((v["name"] for v in manifest["spec"]["versions"] if v.get("storage")), "")
        resource = resources.of(served_from_crd(manifest, name))
        if not await self._empty(tenant, resource):
            return
        await self._release(tenant, record, crds.CLEANUP_FINALIZER)

    async def _clean_workspace(self, parent: Tenant, record: Record, manifest: Manifest) -> None:
        tenant = self._context.tenants.resolve((manifest.get("spec") or {}).get("cluster", ""))
        if tenant is not None:
            if not await self._empty_workspace(tenant):
                return
            key = Key(LOGICAL_CLUSTERS, tenant.cluster, "", "cluster")
            last = self._context.storage.get(key)
            if last is not None:
                encode = objects.encoder(objects.decode(last.value), tenant.cluster)
                await self._context.storage.commit([Delete(key, encode, last.revision)])
        await self._release(parent, record, FINALIZER)

    async def _empty_workspace(self, tenant: Tenant) -> bool:
        """Objects first, then what serves and guards them."""
        late = (crds.CRDS, "apibindings.apis.kcp.io", "namespaces")
        serving = self._context.registry.serving(tenant.cluster).resources
        stored = {resource.key: resource for resource in serving if "list" in resource.served.verbs}
        stored.pop(LOGICAL_CLUSTERS, None)
        first = [await self._empty(tenant, r) for key, r in stored.items() if key not in late]
        if not all(first):
            return False
        return all([await self._empty(tenant, stored[key]) for key in late])

    async def _empty(self, tenant: Tenant, resource: Resource) -> bool:
        """Remove all objects of a resource; False while some wait for their finalizers."""
        storage = self._context.storage
        page = await storage.list(resource.key, tenant.cluster, None)
        for record in page.records:
            if resource.key in ("namespaces", "services"):
                encode = objects.encoder(objects.decode(record.value), tenant.cluster)
                await storage.commit([Delete(record.key, encode, record.revision)])
            elif not _marked(record.key, record.revision, objects.decode(record.value)):
                await self._internal.remove(tenant, resource, record)
        return not (await storage.list(resource.key, tenant.cluster, None, limit=1)).records

    async def _release(self, tenant: Tenant, record: Record, finalizer: str) -> None:
        group = record.key.resource.partition(".")[2]
        version = "v1" if record.key.resource == crds.CRDS else "v1alpha1"
        plural = record.key.resource.partition(".")[0]
        resource = self._context.registry.find(tenant.cluster, group, version, plural)
        if resource is not None:
            await self._internal.release(tenant, resource, record, finalizer)


def _marked(_key: Key, _revision: int, manifest: Manifest) -> bool | None:
    return True if manifest["metadata"].get("deletionTimestamp") else None
