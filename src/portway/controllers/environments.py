"""An Environment is a Namespace of the same name in its workspace; both go together."""

from __future__ import annotations

from dataclasses import dataclass

from portway.apis.resources import ENVIRONMENTS, NAMESPACES
from portway.apis.wellknown import MANAGED_BY
from portway.client.contract import Client
from portway.kit.clocks import Clock
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import conditions, finalizers, objects, statuses
from portway.runtime.contract import Controller, Done, Lister, Request, Retry, Watch

FINALIZER = "portway.dev/environment"
ENVIRONMENT_LABEL = "portway.dev/environment"
"""On a Namespace that was made for an Environment; one without it is left when the Environment goes."""


@dataclass(frozen=True, slots=True)
class EnvironmentReconciler:
    environments: Lister
    client: Client
    clock: Clock

    async def reconcile(self, request: Request) -> Done:
        manifest = self.environments.get(*request)
        if manifest is None:
            return Done()
        client = self.client.at(request.workspace)
        if objects.is_deleting(manifest):
            return await self._delete(client, manifest)
        manifest = await finalizers.add(client, ENVIRONMENTS, manifest, FINALIZER)
        namespace = await self._namespace(client, request.name)
        if objects.is_deleting(namespace):
            raise Retry("NamespaceDeleting", f"a former Namespace {request.name} is still being deleted", 2.0)
        status = {**(manifest.get("status") or {}), "namespace": request.name}
        generation = objects.generation_of(manifest)
        status = conditions.mark_ready(status, generation=generation, now=self.clock.now())
        await statuses.write(client, ENVIRONMENTS, manifest, status)
        return Done()

    async def _namespace(self, client: Client, name: str) -> Manifest:
        try:
            return await client.get(NAMESPACES, name)
        except StatusError as error:
            if error.code != 404:
                raise
        labels = {ENVIRONMENT_LABEL: name, MANAGED_BY: "portway"}
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        try:
            return await client.create(NAMESPACES, manifest)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            return await client.get(NAMESPACES, name)

    async def _delete(self, client: Client, manifest: Manifest) -> Done:
        if not objects.has_finalizer(manifest, FINALIZER):
            return Done()
        name = objects.name_of(manifest)
        try:
            namespace = await client.get(NAMESPACES, name)
        except StatusError as error:
            if error.code != 404:
                raise
            namespace = None
        if namespace is not None and objects.label(namespace, ENVIRONMENT_LABEL) == name:
            if not objects.is_deleting(namespace):
                await client.delete(NAMESPACES, name)
            raise Retry("Deleting", f"waiting until everything in Namespace {name} is gone", 1.0)
        await finalizers.remove(client, ENVIRONMENTS, manifest, FINALIZER)
        return Done()


def controller(environments: Lister, client: Client, clock: Clock) -> Controller:
    def same_name(namespace: Manifest) -> list[Request]:
        if not objects.label(namespace, ENVIRONMENT_LABEL):
            return []
        return [Request(objects.workspace_of(namespace), "", objects.name_of(namespace))]

    reconciler = EnvironmentReconciler(environments, client, clock)
    return Controller("environments", ENVIRONMENTS, reconciler, (Watch(NAMESPACES, same_name),), workers=4)
