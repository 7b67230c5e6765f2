"""Removal of a claim: the object goes when the driver has seen that the external thing is gone, or is to keep it."""

from __future__ import annotations

from dataclasses import dataclass

from portway.apis.claims import ClaimSpec, DeletionPolicy
from portway.apis.wellknown import MADE_BY
from portway.client.contract import Client, Resource
from portway.controllers.calling import Calls, Deadlines
from portway.controllers.choosing import Choosing
from portway.controllers.claims import targets
from portway.controllers.claims.targets import Asked
from portway.drivers.contract import Driver
from portway.kit.clocks import Clock
from portway.krm.identity import Manifest
from portway.orchestrator.matching import Candidate
from portway.runtime import conditions, finalizers, objects, statuses
from portway.runtime.contract import Done, Retry, Terminal
from portway.runtime.events import EventRecorder

_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Removal:
    resource: Resource
    choosing: Choosing
    events: EventRecorder
    clock: Clock
    deadlines: Deadlines

    async def run(self, client: Client, workspace: str, manifest: Manifest, finalizer: str) -> Done:
        if ClaimSpec.read(manifest.get("spec")).deletion_policy is DeletionPolicy.RETAIN:
            handle = (manifest.get("status") or {}).get("handle") or {}
            kept = ", ".join(f"{key} {value}" for key, value in handle.items()) or "what was made"
            await self.events.normal(workspace, manifest, "Retained", f"deletionPolicy is Retain: {kept} stays")
            await finalizers.remove(client, self.resource, manifest, finalizer)
            return Done()
        asked = targets.read(self.choosing, workspace, manifest)
        calls = Calls(self._driver(asked), self.deadlines)
        target = targets.target_of(asked, self._definition(asked), targets.context_of(self.choosing, asked), {})
        if not (await calls.observe(target)).exists:
            return await self._finish(client, asked, finalizer)
        asked = await self._say(client, asked, f"{asked.title} is being removed by driver {calls.driver.name}")
        await calls.destroy(target)
        left = await calls.observe(target)
        if left.exists:
            why = left.message or "it is still there"
            message = f"waiting until driver {calls.driver.name} sees that it is gone: {why}"
            await self._say(client, asked, message)
            raise Retry("Deleting", message, _LOOK_AGAIN_SECONDS)
        return await self._finish(client, asked, finalizer)

    def _driver(self, asked: Asked) -> Driver:
        name = objects.annotation(asked.manifest, MADE_BY) or str(asked.status.get("driver") or "")
        driver = self.choosing.drivers.get(name)
        if driver is None:
            known = ", ".join(sorted(self.choosing.drivers)) or "none"
            raise Terminal(
                "DriverNotInstalled",
                f"this was made by driver {name or '(unknown)'}, which is not installed ({known} are), so nobody can "
                "prove that it is gone; install the driver, or set spec.deletionPolicy to Retain to give it up",
            )
        return driver

    def _definition(self, asked: Asked) -> Candidate | None:
        """The one that made it, if it is still there; inputs do not decide what is removed, the uid does."""
        found = self.choosing.definition(str(asked.status.get("definition") or ""))
        if found is not None:
            return found
        match = self.choosing.match(targets.context_of(self.choosing, asked))
        return match.chosen

    async def _say(self, client: Client, asked: Asked, message: str) -> Asked:
        generation = objects.generation_of(asked.manifest)
        status = {**asked.status, "message": message}
        condition = conditions.not_ready("Deleting", message)
        status = conditions.set_condition(status, condition, generation=generation, now=self.clock.now())
        manifest = await statuses.write(client, self.resource, asked.manifest, status)
        return Asked(asked.workspace, manifest, asked.spec, asked.type)

    async def _finish(self, client: Client, asked: Asked, finalizer: str) -> Done:
        await self.events.normal(asked.workspace, asked.manifest, "Deleted", f"{asked.title} is gone")
        await finalizers.remove(client, self.resource, asked.manifest, finalizer)
        return Done()
