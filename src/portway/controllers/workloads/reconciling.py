"""One Workload: Score → runtime matched → claims → values → release → driver → health, then watched for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from portway.apis.resources import COMPONENTS, RESOURCE_DEFINITIONS, RESOURCE_TYPES, WORKLOADS
from portway.apis.wellknown import MADE_BY
from portway.client.contract import Client
from portway.controllers import lineages, reading
from portway.controllers.calling import Calls, Deadlines
from portway.controllers.choosing import Choosing
from portway.controllers.definitions import WORKLOAD
from portway.controllers.workloads import components, releases, running
from portway.controllers.workloads.requirements import Asking, Requirements
from portway.drivers.contract import Driver, Health, Observation, Target
from portway.drivers.services import Repositories, RepositoryMissing
from portway.kit.clocks import Clock, rfc3339
from portway.krm.identity import Manifest
from portway.orchestrator import graph, inputs, placeholders, score
from portway.orchestrator.graph import Graph, GraphError
from portway.orchestrator.matching import Candidate, Context, Match
from portway.runtime import conditions, finalizers, objects, statuses
from portway.runtime.contract import Controller, Done, Request, Retry, Runtime, Terminal, Watch
from portway.runtime.events import EventRecorder

FINALIZER = "portway.dev/workload"
_LOOK_AGAIN_SECONDS = 5.0
_WAITING_SECONDS = 0.25
_DEGRADED_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A Workload, read once, and its runtime definition."""

    request: Request
    manifest: Manifest
    score: score.Workload
    graph: Graph
    chosen: Candidate
    context: Context
    match: Match


@dataclass(frozen=True, slots=True)
class WorkloadReconciler:
    client: Client
    choosing: Choosing
    repositories: Repositories
    events: EventRecorder
    clock: Clock
    deadlines: Deadlines = field(default_factory=Deadlines)

    async def reconcile(self, request: Request) -> Done:
        manifest = await reading.fresh(self.client, WORKLOADS, request)
        if manifest is None:
            return Done()
        client = self.client.at(request.workspace)
        if objects.is_deleting(manifest):
            return await self._delete(client, request, manifest)
        if manifest["spec"].get("paused"):
            return Done()
        try:
            return await self._run(client, request, manifest)
        except (Retry, Terminal) as problem:
            await self._show_problem(client, request, problem)
            raise

    async def _run(self, client: Client, request: Request, manifest: Manifest) -> Done:
        asked = self._read(request, manifest)
        asked = await self._claimed(client, asked)
        requirements = await Asking(client, self.choosing, request.workspace, asked.manifest).ask(
            asked.graph, asked.score.metadata
        )
        status: Manifest = {
            **(asked.manifest.get("status") or {}),
            "definition": asked.chosen.title,
            "match": [line.write() for line in asked.match.lines],
            "resources": requirements.shown,
        }
        if (waiting := requirements.waiting) is not None:
            await statuses.write(client, WORKLOADS, asked.manifest, status)
            what = waiting.claim.replace("/", " ") or f"resource {waiting.alias}"
            raise Retry("WaitingForResources", f"waiting for {what}: {waiting.message}", _WAITING_SECONDS)
        target = await self._target(asked, requirements)
        if status.get("release") != releases.name_of(asked.manifest, requirements):
            status["release"] = await releases.record(client, asked.manifest, requirements)
        calls = Calls(self.choosing.drivers[asked.chosen.spec.driver], self.deadlines)
        observed = await self._made(calls, target, asked)
        if _not_yet(observed) is None and not conditions.is_true(asked.manifest):
            await Asking(client, self.choosing, request.workspace, asked.manifest).forget(requirements)
        return await self._settle(client, asked, status, observed)

    def _read(self, request: Request, manifest: Manifest) -> _Asked:
        parsed = score.parse(manifest["spec"].get("score"))
        if parsed.workload is None:
            raise Terminal("InvalidScore", "spec.score: " + "; ".join(str(problem) for problem in parsed.problems))
        try:
            asked_for = graph.build([parsed.workload])
        except GraphError as error:
            raise Terminal("InvalidResources", str(error)) from error
        class_ = str(manifest["spec"].get("class") or "default")
        context = self.choosing.context(
            request.workspace, request.namespace, WORKLOAD, class_=class_, id_=f"workloads.{request.name}"
        )
        match = self.choosing.match(context)
        if match.chosen is None:
            raise Terminal("NoMatchingDefinition", match.problem)
        return _Asked(request, manifest, parsed.workload, asked_for, match.chosen, context, match)

    async def _claimed(self, client: Client, asked: _Asked) -> _Asked:
        """Finalizer and driver name on the object before anything is made."""
        manifest = asked.manifest
        made_by = objects.annotation(manifest, MADE_BY)
        driver = asked.chosen.spec.driver
        if made_by and made_by != driver:
            message = f"{asked.chosen.title} matches with driver {driver}, but driver {made_by} runs it; replace it"
            raise Terminal("DefinitionChanged", message)
        if made_by and objects.has_finalizer(manifest, FINALIZER):
            return asked
        patch = {
            "metadata": {
                "resourceVersion": objects.version_of(manifest),
                "finalizers": [*(manifest["metadata"].get("finalizers") or ()), FINALIZER],
                "annotations": {MADE_BY: driver},
            }
        }
        updated = await client.patch(WORKLOADS, asked.request.name, patch, asked.request.namespace)
        return _Asked(asked.request, updated, asked.score, asked.graph, asked.chosen, asked.context, asked.match)

    async def _target(self, asked: _Asked, requirements: Requirements) -> Target:
        secrets: dict[str, str] = {}
        raw = asked.manifest["spec"]["score"]
        lookup = requirements.lookup(asked.score.metadata, secrets)
        try:
            own = inputs.fill(asked.chosen.spec.inputs, asked.manifest, asked.context)
        except placeholders.Unresolved as error:
            raise Terminal("InvalidInputs", f"{asked.chosen.title}: {error.message}") from error
        filled = {**own, "containers": running.containers(raw, lookup)}
        if ports := (raw.get("service") or {}).get("ports"):
            filled["ports"] = ports
        if source := await self._source(asked):
            filled["source"] = source
        return _target(asked.request, asked.manifest, filled, secrets)

    async def _source(self, asked: _Asked) -> Mapping[str, str] | None:
        source = asked.manifest["spec"].get("source")
        if not source:
            return None
        if "://" in source["repository"]:
            return {"url": source["repository"], "revision": source["revision"]}
        try:
            path = await self.repositories.location(asked.request.workspace, source["repository"])
        except RepositoryMissing as error:
            raise Retry("SourceMissing", f"spec.source: {error}", 5.0, warn=True) from error
        return {"path": path, "revision": source["revision"]}

    async def _made(self, calls: Calls, target: Target, asked: _Asked) -> Observation:
        observed = await calls.observe(target)
        plan = await calls.plan(target, observed)
        if plan.is_empty:
            return observed
        applied = await calls.apply(target, plan)
        what = ", ".join(step.what for step in plan.steps)
        await self.events.normal(asked.request.workspace, asked.manifest, "Applied", what)
        return applied.observation

    async def _settle(self, client: Client, asked: _Asked, status: Manifest, observed: Observation) -> Done:
        status |= {
            "health": observed.health.value,
            "message": observed.message,
            "endpoints": [{"name": e["name"], "url": e["url"]} for e in observed.outputs.get("endpoints") or ()],
            "containers": [_container(c) for c in observed.outputs.get("containers") or ()],
            "handle": dict(observed.handle),
        }
        later = _not_yet(observed)
        if later is None:
            ready = conditions.ready("runs and answers", "Running")
            generation = objects.generation_of(asked.manifest)
            status = conditions.set_condition(status, ready, generation=generation, now=self.clock.now())
        await statuses.write(client, WORKLOADS, asked.manifest, status)
        await components.show(client, asked.request, asked.manifest, status, now=rfc3339(self.clock.now()))
        if later is not None:
            later.warn = later.warn and not _is_said(asked.manifest, later)
            raise later
        return Done(again_after=_LOOK_AGAIN_SECONDS)

    async def _show_problem(self, client: Client, request: Request, problem: Retry | Terminal) -> None:
        """Health and message for those who do not read conditions; what runs stays shown as it runs."""

        def change(manifest: Manifest) -> Manifest:
            status = manifest.get("status") or {}
            health = status.get("health") or Health.PROGRESSING.value
            if isinstance(problem, Terminal):
                health = Health.DEGRADED.value
            return {**status, "message": problem.message, "health": health}

        shown = await statuses.change(client, WORKLOADS, request, change)
        if shown is not None and isinstance(problem, Terminal):
            now = rfc3339(self.clock.now())
            await components.show(client, request, shown, shown.get("status") or {}, now=now)

    async def _delete(self, client: Client, request: Request, manifest: Manifest) -> Done:
        if not objects.has_finalizer(manifest, FINALIZER):
            return Done()
        calls = Calls(self._driver(manifest), self.deadlines)
        target = _target(request, manifest, {}, {})
        if (await calls.observe(target)).exists:
            await calls.destroy(target)
            if (await calls.observe(target)).exists:
                raise Retry("Deleting", "waiting until all its processes have ended", 0.5)
        await components.hide(client, request, manifest, now=rfc3339(self.clock.now()))
        await finalizers.remove(client, WORKLOADS, manifest, FINALIZER)
        return Done()

    def _driver(self, manifest: Manifest) -> Driver:
        name = objects.annotation(manifest, MADE_BY)
        driver = self.choosing.drivers.get(name)
        if driver is None:
            raise Terminal("DriverNotInstalled", f"driver {name}, which runs it, is not installed")
        return driver


def controller(runtime: Runtime, choosing: Choosing, repositories: Repositories, clock: Clock) -> Controller:
    workloads = runtime.lister(WORKLOADS)
    events = EventRecorder(runtime.client, "workloads", clock=clock)

    def below(manifest: Manifest) -> Iterator[Request]:
        place = objects.workspace_of(manifest)
        return (objects.key_of(w) for w in workloads.list() if lineages.is_within(objects.workspace_of(w), place))

    def runtimes(manifest: Manifest) -> Iterator[Request]:
        return below(manifest) if manifest.get("spec", {}).get("type") == WORKLOAD else iter(())

    def of_component(manifest: Manifest) -> Iterator[Request]:
        if objects.namespace_of(manifest) != components.NAMESPACE:
            return iter(())
        found = workloads.list(objects.workspace_of(manifest))
        return (objects.key_of(w) for w in found if components.name_of(w) == objects.name_of(manifest))

    reconciler = WorkloadReconciler(runtime.client, choosing, repositories, events, clock)
    watches = (Watch(RESOURCE_DEFINITIONS, runtimes), Watch(RESOURCE_TYPES, below), Watch(COMPONENTS, of_component))
    return Controller("workloads", WORKLOADS, reconciler, watches)


def _target(request: Request, manifest: Manifest, filled: Mapping[str, Any], secrets: Mapping[str, str]) -> Target:
    return Target(
        uid=objects.uid_of(manifest),
        kind=WORKLOAD,
        workspace=request.workspace,
        namespace=request.namespace,
        name=request.name,
        inputs=filled,
        secrets=secrets,
        known=(manifest.get("status") or {}).get("handle") or {},
    )


def _not_yet(observed: Observation) -> Retry | None:
    if observed.health is Health.DEGRADED:
        return Retry("Degraded", observed.message or "it is not healthy", _DEGRADED_SECONDS, warn=True)
    if not observed.exists or observed.drift or observed.health is not Health.HEALTHY:
        return Retry("Progressing", observed.message or "it is starting", _WAITING_SECONDS)
    return None


def _is_said(manifest: Manifest, problem: Retry) -> bool:
    """Whether the object says this already: then it is not told again at every look."""
    known = conditions.get(manifest, "Ready") or {}
    return (known.get("reason"), known.get("message")) == (problem.reason, problem.message)


def _container(state: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        "name": state["name"],
        "state": state.get("state") or "",
        "restarts": state.get("restarts") or 0,
        "exitCode": state.get("exit_code"),
        "message": state.get("message") or "",
    }
    return {key: value for key, value in shown.items() if value is not None}
