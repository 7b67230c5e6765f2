"""One ResourceType: schema → export → binding here → controller of its claims → Ready. Its claims go before it."""

from __future__ import annotations

from dataclasses import dataclass

from portway.apis.claims import GROUP
from portway.apis.installing import plural_of
from portway.apis.platform import ResourceTypeSpec
from portway.apis.resources import RESOURCE_TYPES
from portway.client.contract import Client
from portway.controllers import lineages
from portway.controllers.claims.kinds import ClaimKinds
from portway.controllers.resourcetypes import publishing
from portway.kit.clocks import Clock
from portway.krm.identity import Manifest
from portway.runtime import conditions, finalizers, objects, statuses
from portway.runtime.contract import Controller, Done, Lister, Request, Retry

FINALIZER = "portway.dev/resource-type"
_LOOK_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ResourceTypeReconciler:
    types: Lister
    client: Client
    kinds: ClaimKinds
    clock: Clock

    async def reconcile(self, request: Request) -> Done:
        manifest = self.types.get(*request)
        if manifest is None:
            return Done()
        client = self.client.at(request.workspace)
        if objects.is_deleting(manifest):
            return await self._delete(client, request, manifest)
        spec, _ = publishing.checked(manifest)
        manifest = await finalizers.add(client, RESOURCE_TYPES, manifest, FINALIZER)
        await publishing.publish(client)
        await publishing.bind(client, request.workspace)
        self.kinds.start(spec)
        await self._mark_ready(client, manifest, spec)
        return Done()

    async def _mark_ready(self, client: Client, manifest: Manifest, spec: ResourceTypeSpec) -> None:
        status = {
            **(manifest.get("status") or {}),
            "claimApi": f"{plural_of(spec)}.{GROUP}/{spec.versions[0].name}",
        }
        message = f"can be asked for as {spec.kind} ({GROUP}/{spec.versions[0].name})"
        status = conditions.mark_ready(
            status, generation=objects.generation_of(manifest), now=self.clock.now(), message=message
        )
        await statuses.write(client, RESOURCE_TYPES, manifest, status)

    async def _delete(self, client: Client, request: Request, manifest: Manifest) -> Done:
        if not objects.has_finalizer(manifest, FINALIZER):
            return Done()
        spec = ResourceTypeSpec.read(manifest.get("spec"))
        left = [
            f"{objects.workspace_of(c)} {objects.namespace_of(c)}/{objects.name_of(c)}"
            for c in self.kinds.claims(spec).list()
            if lineages.is_within(objects.workspace_of(c), request.workspace)
        ]
        if left:
            more = f" and {len(left) - 3} more" if len(left) > 3 else ""
            message = f"{len(left)} {spec.kind} claims still use it: {', '.join(left[:3])}{more}; delete them first"
            raise Retry("ClaimsExist", message, _LOOK_AGAIN_SECONDS)
        await publishing.publish(client)
        others = [t for t in self.types.list() if t["metadata"]["uid"] != manifest["metadata"]["uid"]]
        if not any((other.get("spec") or {}).get("kind") == spec.kind for other in others):
            self.kinds.stop(spec)
        await finalizers.remove(client, RESOURCE_TYPES, manifest, FINALIZER)
        return Done()


def controller(types: Lister, client: Client, kinds: ClaimKinds, clock: Clock) -> Controller:
    return Controller("resourcetypes", RESOURCE_TYPES, ResourceTypeReconciler(types, client, kinds, clock), workers=2)
