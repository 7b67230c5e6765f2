"""ResourceQuota on numbers of objects, and the cap on all objects of a workspace.

A creation that a quota counts writes the quota's status in the same commit, expecting the revision it read: two
processes cannot both take the last place. Within a process creations under one quota come one after another.
Texts: k8s.io/apiserver pkg/admission/plugin/resourcequota.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from portway.apiserver import objects, schemachecks
from portway.apiserver.admission.builtinchecks import quotas
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.following import Follower
from portway.apiserver.storing import Storage
from portway.apiserver.tenants import LOGICAL_CLUSTERS
from portway.krm import quantities
from portway.krm.errors import forbidden, invalid
from portway.krm.identity import Manifest
from portway.store.contract import Key, Put, Reads

QUOTAS = "resourcequotas"
MAX_OBJECTS = "portway.dev/max-objects"
"""Annotation of LogicalCluster: how many objects the workspace may hold."""
_CLASSIC = frozenset(
    ("configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services")
)
_CAP_EXEMPT = frozenset(("events", "events.events.k8s.io", "leases.coordination.k8s.io"))
"""Written by programs on their own; they go by themselves."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits by name as the quota writes them, for those that count objects."""

    hard: dict[str, str]
    counted: dict[str, tuple[str, ...]]
    """Names by the store key of the resource they count."""


def counted_resource(name: str) -> str | None:
    """Store key of what a limit counts; None for limits on other things (cpu, memory)."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    return name if name in _CLASSIC else None


def parse(_key: Key, _revision: int, manifest: Manifest) -> Quota:
    spec = manifest.get("spec") or {}
    hard = {name: str(value) for name, value in (spec.get("hard") or {}).items()}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return Quota(hard, {})  # scopes select pods
    counted: dict[str, tuple[str, ...]] = {}
    for name in sorted(hard):
        resource = counted_resource(name)
        if resource is not None:
            counted[resource] = (*counted.get(resource, ()), name)
    return Quota(hard, counted)


class Quotas:
    def __init__(self, cache: Reads, storage: Storage, object_limit: int) -> None:
        self._storage = storage
        self._object_limit = object_limit
        self.follower: Follower[Quota] = Follower(cache, QUOTAS, parse)
        self.limits: Follower[int] = Follower(cache, LOGICAL_CLUSTERS, _limit)
        self._locks: weakref.WeakValueDictionary[tuple[str, str], asyncio.Lock] = weakref.WeakValueDictionary()

    @property
    def followers(self) -> tuple[Follower[Quota], Follower[int]]:
        return (self.follower, self.limits)

    async def admit(self, request: AdmissionRequest) -> None:
        """Judge and complete quotas themselves; what others count is charged at the commit (``charging``)."""
        manifest = request.object
        if request.resource.key != QUOTAS or manifest is None or request.subresource:
            return
        if schemachecks.has_wrong_types(request.resource, manifest):
            return  # said by the validation that follows
        causes = tuple(quotas.check(manifest, request.old))
        if causes:
            raise invalid("ResourceQuota", request.name, causes)
        place = (request.tenant.cluster, request.namespace)
        manifest["status"] = status_of(self._storage, *place, manifest)

    @asynccontextmanager
    async def charging(self, request: AdmissionRequest) -> AsyncIterator[list[Put]]:
        """Hold it over the commit of a creation; the puts belong into that commit. Raises StatusError 403."""
        cluster, key = request.tenant.cluster, request.resource.key
        concerned = [
            (name, quota)
            for (namespace, name), quota in sorted(self.follower.of(cluster).items())
            if namespace == request.namespace and key in quota.counted
        ]
        capped = key not in _CAP_EXEMPT and self._limit(cluster) > 0
        if not concerned and not capped:
            yield []
            return
        async with self._lock(cluster, "" if capped else request.namespace):
            if capped:
                self._check_cap(request)
            puts = [self._charge(request, name, quota) for name, quota in concerned]
            yield [put for put in puts if put is not None]

    def _lock(self, cluster: str, namespace: str) -> asyncio.Lock:
        return self._locks.setdefault((cluster, namespace), asyncio.Lock())

    def _limit(self, cluster: str) -> int:
        return self.limits.get(cluster, "cluster") or self._object_limit

    def _check_cap(self, request: AdmissionRequest) -> None:
        limit, cache = self._limit(request.tenant.cluster), self._storage.cache
        held = sum(cache.count(resource, request.tenant.cluster) for resource in cache.resources())
        if held >= limit:
            served = request.resource.served
            why = (
                f'workspace "{request.tenant.path}" holds {held} objects and may hold {limit}: delete some, or ask for '
                f"more (annotation {MAX_OBJECTS} of its LogicalCluster)"
            )
            raise forbidden(served.plural, request.name, why, served.gvk.group)

    def _charge(self, request: AdmissionRequest, name: str, quota: Quota) -> Put | None:
        cluster, namespace, resource = request.tenant.cluster, request.namespace, request.resource.key
        record = self._storage.get(Key(QUOTAS, cluster, namespace, name))
        if record is None:
            return None
        used = self._storage.cache.count(resource, cluster, namespace)
        limits = quota.counted[resource]
        over = [limit for limit in limits if used + 1 > quantities.parse(quota.hard[limit])]
        if over:
            raise _exceeded(request, name, quota, over, used)
        manifest = objects.decode(record.value)
        status = manifest.setdefault("status", {})
        status["hard"] = dict(quota.hard)
        status["used"] = {**(status.get("used") or {}), **{limit: str(used + 1) for limit in limits}}
        return Put(record.key, objects.encoder(manifest, cluster), record.revision)


def _exceeded(request: AdmissionRequest, name: str, quota: Quota, over: list[str], used: int) -> Exception:
    asked = ",".join(f"{limit}=1" for limit in over)
    held = ",".join(f"{limit}={used}" for limit in over)
    limited = ",".join(f"{limit}={quota.hard[limit]}" for limit in over)
    served = request.resource.served
    why = f"exceeded quota: {name}, requested: {asked}, used: {held}, limited: {limited}"
    return forbidden(served.plural, request.name, why, served.gvk.group)


def status_of(storage: Storage, cluster: str, namespace: str, manifest: Manifest) -> Manifest:
    """``status`` of a quota as things stand."""
    hard = {name: str(value) for name, value in ((manifest.get("spec") or {}).get("hard") or {}).items()}
    used = {}
    for name in hard:
        resource = counted_resource(name)
        used[name] = str(storage.cache.count(resource, cluster, namespace)) if resource is not None else "0"
    return {"hard": hard, "used": used}


def _limit(_key: Key, _revision: int, manifest: Manifest) -> int | None:
    text = (manifest["metadata"].get("annotations") or {}).get(MAX_OBJECTS, "")
    return int(text) if text.isdigit() else None
