"""Types that maintain their bindings (``defaultAPIBindingLifecycle: Maintain``): workspaces made before an export was
named get it bound, too, and what is unbound by hand or answered otherwise comes back.

Source: kcp pkg/reconciler/tenancy/defaultapibindinglifecycle.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator

from portway.apiserver import clocks, exportforms
from portway.apiserver.admission import contents
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.exporting import BINDINGS, EXPORTS, Reference
from portway.apiserver.housekeeping.editing import AT_ONCE, Editor
from portway.apiserver.registry import Registry
from portway.apiserver.tenants import LOGICAL_CLUSTERS, Tenant, Tenants
from portway.apiserver.workspacetypes import TYPES, WorkspaceTypes
from portway.kit import identifiers
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record
from portway.tenancy import rules
from portway.tenancy.rules import TypeReference

_ALL = Key(TYPES, "", "", "")
"""Stands for all workspaces."""


class DefaultBindings:
    name = "default bindings"

    def __init__(
        self, editor: Editor, tenants: Tenants, types: WorkspaceTypes, registry: Registry, *, now: clocks.Now
    ) -> None:
        self._editor = editor
        self._tenants = tenants
        self._types = types
        self._registry = registry
        self._statuses = BindingStatuses(registry, now)
        self._now = now
        self._types_at = 0
        self._exports_at = 0

    def load(self, record: Record) -> Iterable[Key]:
        return (_ALL,) if record.key.resource == TYPES and b'"Maintain"' in record.value else ()

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if key.resource == TYPES:
            self._types_at = event.record.revision
            return (_ALL,)
        if key.resource == EXPORTS:
            self._exports_at = event.record.revision
            return (_ALL,)
        ours = key.resource == BINDINGS and event.type is not EventType.ADDED and self._types.any_maintains()
        return (Key(LOGICAL_CLUSTERS, key.cluster, "", "cluster"),) if ours else ()

    async def work(self, key: Key) -> float | None:
        if key != _ALL:
            await self._maintain(key.cluster)
            return None
        await self._types.follower.reached(self._types_at)
        await self._registry.exports.reached(self._exports_at)
        if not self._types.any_maintains():
            return None
        tenants = self._tenants.all()
        for start in range(0, len(tenants), AT_ONCE):
            await asyncio.gather(*(self._maintain(each.cluster) for each in tenants[start : start + AT_ONCE]))
        return None

    async def _maintain(self, cluster: str) -> None:
        tenant = self._tenants.resolve(cluster)
        wanted = [*self._wanted(tenant)] if tenant is not None else []
        manifest = self._editor.read(Key(LOGICAL_CLUSTERS, cluster, "", "cluster")) if wanted else None
        if manifest is None or manifest["metadata"].get("deletionTimestamp"):
            return
        for reference in wanted:
            await self._bind(cluster, reference)

    def _wanted(self, tenant: Tenant) -> Iterator[Reference]:
        lineage = self._types.lineage(TypeReference.parse(tenant.type))
        maintained = [one for one in lineage if self._types.maintains(one)]
        yield from dict.fromkeys(Reference(*each) for each in rules.bindings(maintained, self._types.spec))

    async def _bind(self, cluster: str, reference: Reference) -> None:
        found = self._registry.export(cluster, reference)
        if found is None:
            return  # the export's coming wakes us
        bound = [name for name, _ in self._registry.bindings_to(cluster, found[0])]
        claims = contents.accepted([*found[1].claims.values()])
        if bound:
            await self._editor.edit(
                Key(BINDINGS, cluster, "", bound[0]), lambda each: self._answer(cluster, each, claims)
            )
            return
        name = reference.name
        if self._registry.bindings.get(cluster, name) is not None:
            name = f"{name}-{hashlib.sha256(str(reference).encode()).hexdigest()[:5]}"
        made = contents.binding(reference, {}, name)
        made["spec"] |= {"permissionClaims": claims} if claims else {}
        made["metadata"] |= {"uid": identifiers.random_uuid(), "creationTimestamp": clocks.stamp(self._now())}
        made["status"] = self._statuses.of(cluster, made)
        await self._editor.create(Key(BINDINGS, cluster, "", name), made)

    def _answer(self, cluster: str, manifest: Manifest, claims: list[Manifest]) -> bool:
        whole = exportforms.current(manifest)
        if (whole["spec"].get("permissionClaims") or []) == claims or whole["metadata"].get("deletionTimestamp"):
            return False
        whole = {**whole, "spec": {**whole["spec"], "permissionClaims": claims}}
        whole["metadata"] = {**whole["metadata"], "generation": whole["metadata"].get("generation", 0) + 1}
        manifest.update({**whole, "status": self._statuses.of(cluster, whole)})
        return True
