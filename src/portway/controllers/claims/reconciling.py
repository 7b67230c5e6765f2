"""One claim: guard clauses, then match → observe → plan → apply → binding → status, then watch it for good.

Crash safety: the finalizer and the driver's name are on the object before the first external effect; names of
external things come from the uid; every step looks first. A claim that was never matched has no finalizer.
A quick driver costs three writes: finalizer, Secret, status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from portway.apis.wellknown import MADE_BY, REQUESTED_BY
from portway.client.contract import Client, Resource
from portway.controllers.calling import Calls, Deadlines
from portway.controllers.choosing import Choosing
from portway.controllers.claims import bindings, deleting, targets
from portway.controllers.claims import planning as dry
from portway.controllers.claims.targets import Asked
from portway.drivers.contract import Applied, Health, Observation
from portway.kit.clocks import Clock, rfc3339
from portway.krm.identity import Manifest
from portway.orchestrator import planning
from portway.orchestrator.matching import Candidate, Context, Match
from portway.runtime import conditions, objects, statuses
from portway.runtime.contract import Done, Lister, Request, Retry, Terminal
from portway.runtime.events import EventRecorder

FINALIZER = "portway.dev/claim"
LOOK_AGAIN_SECONDS = 60.0
"""Between looks at something that was healthy: health and drift."""
_QUICK_SECONDS = 0.25
"""A driver that takes longer has its plan shown in the status meanwhile."""
_SETTLING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Decision:
    chosen: Candidate
    context: Context
    match: Match


@dataclass(frozen=True, slots=True)
class ClaimReconciler:
    """All claims of one kind."""

    resource: Resource
    claims: Lister
    client: Client
    choosing: Choosing
    events: EventRecorder
    clock: Clock
    deadlines: Deadlines = field(default_factory=Deadlines)

    async def reconcile(self, request: Request) -> Done:
        manifest = self.claims.get(*request)
        if manifest is None:
            return Done()
        client = self.client.at(request.workspace)
        if objects.is_deleting(manifest):
            return await self._delete(client, request, manifest)
        asked = targets.read(self.choosing, request.workspace, manifest)
        context = targets.context_of(self.choosing, asked)
        match = self.choosing.match(context)
        chosen = await self._chosen(client, asked, match)
        asked = await self._claimed(client, asked, chosen)
        return await self._make(client, asked, _Decision(chosen, context, match))

    async def _delete(self, client: Client, request: Request, manifest: Manifest) -> Done:
        if not objects.has_finalizer(manifest, FINALIZER):
            return Done()  # nothing was ever made, or others still hold it
        removal = deleting.Removal(self.resource, self.choosing, self.events, self.clock, self.deadlines)
        return await removal.run(client, request.workspace, manifest, FINALIZER)

    async def _chosen(self, client: Client, asked: Asked, match: Match) -> Candidate:
        """The definition to use. What is there already is never silently given to another driver."""
        problem: tuple[str, str] | None = None
        made_by = objects.annotation(asked.manifest, MADE_BY)
        if match.chosen is None:
            problem = ("NoMatchingDefinition", match.problem)
        elif made_by and made_by != match.chosen.spec.driver:
            problem = (
                "DefinitionChanged",
                f"{match.chosen.title} now matches, whose driver is {match.chosen.spec.driver}, but this was made by "
                f"driver {made_by}; it is left as it is. Make the former definition match again, or replace the claim.",
            )
        if problem is None and match.chosen is not None:
            return match.chosen
        reason, message = problem or ("", "")
        status = {**asked.status, "match": dry.written(match), "message": message}
        await statuses.write(client, self.resource, asked.manifest, status)
        raise Terminal(reason, message)

    async def _claimed(self, client: Client, asked: Asked, chosen: Candidate) -> Asked:
        """Finalizer and driver name on the object, in one write."""
        manifest = asked.manifest
        if objects.has_finalizer(manifest, FINALIZER) and objects.annotation(manifest, MADE_BY):
            return asked
        finalizers = [f for f in manifest["metadata"].get("finalizers") or () if f != FINALIZER]
        patch = {
            "metadata": {
                "resourceVersion": objects.version_of(manifest),
                "finalizers": [*finalizers, FINALIZER],
                "annotations": {MADE_BY: chosen.spec.driver},
            }
        }
        namespace = objects.namespace_of(manifest)
        updated = await client.patch(self.resource, objects.name_of(manifest), patch, namespace)
        return Asked(asked.workspace, updated, asked.spec, asked.type)

    async def _make(self, client: Client, asked: Asked, decision: _Decision) -> Done:
        calls = Calls(self.choosing.drivers[decision.chosen.spec.driver], self.deadlines)
        secrets = await bindings.read(client, asked)
        target = targets.target_of(asked, decision.chosen, decision.context, secrets)
        observed = await calls.observe(target)
        plan = await calls.plan(target, observed)
        status = _basics(asked, decision)
        if plan.is_empty and (secrets or not asked.type.spec.binding_type):
            return await self._settle(client, asked, status, observed)
        summary = planning.summarise(plan, decision.chosen, planned_at=rfc3339(self.clock.now()))
        status["plan"] = summary.write()
        asked, applied = await self._apply(client, asked, status, calls.apply(target, plan))
        await bindings.write(client, asked, secrets, applied.secrets)
        if applied.secrets and asked.type.spec.binding_type:
            status["binding"] = {"name": objects.name_of(asked.manifest)}
        done = await self._settle(client, asked, status, applied.observation)
        await self._tell(asked, observed, planning.headline(summary))
        return done

    async def _apply(
        self, client: Client, asked: Asked, status: Manifest, call: Coroutine[Any, Any, Applied]
    ) -> tuple[Asked, Applied]:
        """Apply; when it takes its time, show the plan meanwhile."""
        applying = asyncio.ensure_future(call)
        try:
            await asyncio.wait({applying}, timeout=_QUICK_SECONDS)
            if not applying.done():
                what = ", ".join(step["what"] for step in status["plan"]["steps"]) or "getting it ready"
                shown = {**status, "health": Health.PROGRESSING.value, "message": f"In progress: {what}."}
                condition = conditions.not_ready("Provisioning", shown["message"])
                manifest = await self._write(client, asked, shown, condition)
                asked = Asked(asked.workspace, manifest, asked.spec, asked.type)
            return asked, await applying
        finally:
            if not applying.done():
                applying.cancel()
                await asyncio.gather(applying, return_exceptions=True)

    async def _settle(self, client: Client, asked: Asked, status: Manifest, observed: Observation) -> Done:
        status |= {
            "health": observed.health.value,
            "message": observed.message,
            "outputs": dict(observed.outputs),
            "handle": dict(observed.handle),
        }
        if (later := _not_yet(asked, observed)) is not None:
            await statuses.write(client, self.resource, asked.manifest, status)
            raise later
        await self._write(client, asked, status, conditions.ready(f"made by {status['definition']}", "Provisioned"))
        return Done(again_after=LOOK_AGAIN_SECONDS)

    async def _write(self, client: Client, asked: Asked, status: Manifest, condition: conditions.Condition) -> Manifest:
        generation = objects.generation_of(asked.manifest)
        full = conditions.set_condition(status, condition, generation=generation, now=self.clock.now())
        return await statuses.write(client, self.resource, asked.manifest, full)

    async def _tell(self, asked: Asked, before: Observation, headline: str) -> None:
        was_ready = conditions.is_true(asked.manifest)
        if before.exists and before.drift and was_ready:
            fields = "; ".join(f"{name} was {found!r}, is {want!r}" for name, (want, found) in before.drift.items())
            await self.events.warning(asked.workspace, asked.manifest, "DriftRepaired", f"{headline} ({fields})")
        elif not before.exists and was_ready:
            await self.events.warning(asked.workspace, asked.manifest, "Recreated", f"it was gone: {headline}")
        else:
            await self.events.normal(asked.workspace, asked.manifest, "Provisioned", headline)


def _not_yet(asked: Asked, observed: Observation) -> Retry | None:
    if not observed.exists or observed.drift:
        differs = ", ".join(observed.drift) or "it is not there yet"
        return Retry("Settling", f"applied, but {differs}", _SETTLING_SECONDS)
    if observed.health is Health.PROGRESSING:
        return Retry("Progressing", observed.message or f"{asked.title} is starting", _SETTLING_SECONDS)
    if observed.health is Health.DEGRADED:
        message = observed.message or f"{asked.title} is not healthy"
        return Retry("Degraded", message, 10 * _SETTLING_SECONDS, warn=True)
    return None


def _basics(asked: Asked, decision: _Decision) -> dict[str, Any]:
    status = {
        **asked.status,
        "definition": decision.chosen.title,
        "driver": decision.chosen.spec.driver,
        "match": dry.written(decision.match),
    }
    requester = objects.annotation(asked.manifest, REQUESTED_BY)
    return {**status, "requestedBy": requester} if requester else status
