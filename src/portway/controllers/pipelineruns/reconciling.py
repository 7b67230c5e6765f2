"""One PipelineRun: wait for its turn → read the pipeline → steps as jobs → Workload applied → wait until it runs.

All that is known is in the status and in the jobs, whose ids come from the run's uid: after a kill it goes on where
it was. Runs of one branch go one after the other, oldest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portway.apis.platform import (
    FINISHED,
    Phase,
    PipelineRunSpec,
    PipelineRunStatus,
    PipelineSpec,
    PipelineStep,
    StepStatus,
)
from portway.apis.resources import PIPELINE_RUNS, WORKLOADS
from portway.client.contract import Client
from portway.controllers import reading
from portway.controllers.pipelineruns import definitions, deploying
from portway.controllers.pipelineruns.definitions import Unusable
from portway.drivers.contract import DriverError
from portway.drivers.services import JobOrder, JobPhase, JobReport, Jobs, Repositories, RepositoryMissing
from portway.kit.clocks import Clock, rfc3339
from portway.krm.identity import Manifest
from portway.runtime import conditions, objects, statuses
from portway.runtime.contract import Controller, Done, Lister, Request, Retry, Runtime, Watch
from portway.runtime.events import EventRecorder

LOG_LINES = 200
_POLL_SECONDS = 0.4
_TURN_SECONDS = 1.0
_DEPLOY = "deploy"


@dataclass(frozen=True, slots=True)
class _Run:
    request: Request
    manifest: Manifest
    spec: PipelineRunSpec
    status: PipelineRunStatus

    def with_step(self, step: StepStatus) -> PipelineRunStatus:
        steps = [step if known.id == step.id else known for known in self.status.steps]
        return self.status.model_copy(update={"steps": steps})


@dataclass(frozen=True, slots=True)
class PipelineRunReconciler:
    runs: Lister
    client: Client
    repositories: Repositories
    jobs: Jobs
    events: EventRecorder
    clock: Clock

    async def reconcile(self, request: Request) -> Done:
        manifest = await reading.fresh(self.client, PIPELINE_RUNS, request)
        if manifest is None or objects.is_deleting(manifest):
            return Done()
        status = PipelineRunStatus.read(manifest.get("status"))
        run = _Run(request, manifest, PipelineRunSpec.read(manifest["spec"]), status)
        if run.status.phase in FINISHED:
            return Done()
        client = self.client.at(request.workspace)
        if run.spec.cancelled:
            return await self._cancel(client, run)
        try:
            if run.status.phase is Phase.PENDING:
                return await self._begin(client, run)
            return await self._advance(client, run)
        except (Unusable, RepositoryMissing) as error:
            return await self._finish(client, run, run.status, Phase.FAILED, str(error))
        except DriverError as error:
            raise Retry(error.reason, error.message, error.retry_after or 2.0, warn=True) from error

    async def _begin(self, client: Client, run: _Run) -> Done:
        if (earlier := self._earlier(run)) is not None:
            status = run.status.model_copy(
                update={"message": f"waits for {earlier}, an earlier run of the same branch"}
            )
            await self._write(client, run, status)
            return Done(again_after=_TURN_SECONDS)
        pipeline = await self._pipeline(run)
        steps = [StepStatus(id=f"step-{i}", name=step.name) for i, step in enumerate(pipeline.steps)]
        if pipeline.deploy is not None:
            steps.append(StepStatus(id=_DEPLOY, name=f"Deploy to {pipeline.deploy.environment}"))
        started = run.status.model_copy(
            update={"phase": Phase.RUNNING, "steps": steps, "started_at": self._now(), "message": "started"}
        )
        manifest = await self._write(client, run, started)
        return await self._advance(client, _Run(run.request, manifest, run.spec, started))

    async def _advance(self, client: Client, run: _Run) -> Done:
        current = next((step for step in run.status.steps if step.phase not in FINISHED), None)
        if current is None:
            return await self._finish(client, run, run.status, Phase.SUCCEEDED, "all steps passed")
        pipeline = await self._pipeline(run)
        if current.id == _DEPLOY:
            return await self._deploy(client, run, current, pipeline)
        index = int(current.id.removeprefix("step-"))
        return await self._job(client, run, current, pipeline.steps[index])

    async def _job(self, client: Client, run: _Run, current: StepStatus, step: PipelineStep) -> Done:
        order = JobOrder(
            id=_job_id(run, current),
            run=step.run,
            group=objects.uid_of(run.manifest),
            repository=await self.repositories.location(run.request.workspace, run.spec.repository),
            revision=run.spec.revision,
            environment={**_environment(run), **step.env},
            timeout_seconds=step.timeout_seconds,
        )
        report = await self.jobs.start(order)
        if current.phase is Phase.PENDING:
            update = {"phase": Phase.RUNNING, "started_at": self._now()}
            current = current.model_copy(update=update)
            manifest = await self._write(client, run, self._said(run, current, f"{step.name} runs"))
            run = _Run(run.request, manifest, run.spec, run.with_step(current))
        if not report.phase.is_over:
            report = await self.jobs.wait(order.id, _POLL_SECONDS)
        log = list(await self.jobs.log(order.id, LOG_LINES))[-LOG_LINES:]
        current = current.model_copy(update={"log": log})
        if not report.phase.is_over:
            await self._write(client, run, run.with_step(current))
            return Done(again_after=0.0)
        return await self._job_over(client, run, current, report)

    async def _job_over(self, client: Client, run: _Run, current: StepStatus, report: JobReport) -> Done:
        phases = {JobPhase.SUCCEEDED: Phase.SUCCEEDED, JobPhase.CANCELLED: Phase.CANCELLED}
        phase = phases.get(report.phase, Phase.FAILED)
        code = f" with exit code {report.exit_code}" if report.exit_code else ""
        message = "" if phase is Phase.SUCCEEDED else report.message or f"ended{code}"
        current = current.model_copy(
            update={"phase": phase, "finished_at": self._now(), "exit_code": report.exit_code, "message": message}
        )
        status = run.with_step(current)
        if phase is not Phase.SUCCEEDED:
            return await self._finish(client, run, status, phase, f"step {current.name} failed{code}: {message}")
        manifest = await self._write(client, run, status)
        return await self._advance(client, _Run(run.request, manifest, run.spec, status))

    async def _deploy(self, client: Client, run: _Run, current: StepStatus, pipeline: PipelineSpec) -> Done:
        if pipeline.deploy is None:
            raise Unusable(f"{definitions.PATH} has no deploy any more")
        if current.phase is Phase.PENDING:
            current = current.model_copy(update={"phase": Phase.RUNNING, "started_at": self._now()})
        deployment = deploying.Deployment(client, self.repositories, run.request.workspace, pipeline.deploy)
        outcome = await deployment.go_on(run.manifest, run.spec, current, self.clock.now())
        status = run.with_step(outcome.step).model_copy(update={"workload": outcome.workload})
        if outcome.step.phase is Phase.FAILED:
            message = f"deployment failed: {outcome.step.message}"
            return await self._finish(client, run, status, Phase.FAILED, message)
        if outcome.step.phase is Phase.SUCCEEDED:
            return await self._finish(client, run, status, Phase.SUCCEEDED, outcome.step.message)
        await self._write(client, run, status.model_copy(update={"message": outcome.step.message}))
        return Done(again_after=_POLL_SECONDS)

    async def _cancel(self, client: Client, run: _Run) -> Done:
        current = next((step for step in run.status.steps if step.phase not in FINISHED), None)
        if current is not None and current.id != _DEPLOY:
            await self.jobs.cancel(_job_id(run, current))  # it may run without being written down as such yet
        steps = [
            step if step.phase in FINISHED else step.model_copy(update={"phase": Phase.CANCELLED})
            for step in run.status.steps
        ]
        status = run.status.model_copy(update={"steps": steps})
        return await self._finish(client, run, status, Phase.CANCELLED, "cancelled")

    async def _finish(self, client: Client, run: _Run, status: PipelineRunStatus, phase: Phase, message: str) -> Done:
        steps = [
            step if step.phase in FINISHED else step.model_copy(update={"phase": Phase.SKIPPED})
            for step in status.steps
        ]
        update = {"phase": phase, "message": message, "finished_at": self._now(), "steps": steps}
        manifest = await self._write(client, run, status.model_copy(update=update))
        tell = self.events.normal if phase is Phase.SUCCEEDED else self.events.warning
        await tell(run.request.workspace, manifest, str(phase), message)
        return Done()

    async def _write(self, client: Client, run: _Run, status: PipelineRunStatus) -> Manifest:
        full: dict[str, Any] = {**(run.manifest.get("status") or {}), **status.write()}
        if status.phase in FINISHED:
            ready = status.phase is Phase.SUCCEEDED
            condition = conditions.Condition("Ready", str(ready), str(status.phase), status.message)
        else:
            condition = conditions.not_ready(str(status.phase), status.message or "not started yet")
        generation = objects.generation_of(run.manifest)
        full = conditions.set_condition(full, condition, generation=generation, now=self.clock.now())
        return await statuses.write(client, PIPELINE_RUNS, run.manifest, full)

    def _earlier(self, run: _Run) -> str | None:
        """Name of an unfinished run of the same branch that was created before."""
        own = _age(run.manifest)
        for other in self.runs.list(run.request.workspace, run.request.namespace):
            spec = PipelineRunSpec.read(other["spec"])
            same = (spec.repository, spec.branch) == (run.spec.repository, run.spec.branch)
            phase = PipelineRunStatus.read(other.get("status")).phase
            if same and phase not in FINISHED and _age(other) < own:
                return objects.name_of(other)
        return None

    async def _pipeline(self, run: _Run) -> PipelineSpec:
        return await definitions.pipeline(
            self.repositories, run.request.workspace, run.spec.repository, run.spec.revision
        )

    def _said(self, run: _Run, current: StepStatus, message: str) -> PipelineRunStatus:
        return run.with_step(current).model_copy(update={"message": message})

    def _now(self) -> str:
        return rfc3339(self.clock.now())


def controller(runtime: Runtime, repositories: Repositories, jobs: Jobs, clock: Clock) -> Controller:
    runs = runtime.lister(PIPELINE_RUNS)
    events = EventRecorder(runtime.client, "pipelineruns", clock=clock)

    def of_workload(manifest: Manifest) -> Iterator[Request]:
        title = f"{objects.namespace_of(manifest)}/{objects.name_of(manifest)}"
        return (
            objects.key_of(run)
            for run in runs.list(objects.workspace_of(manifest))
            if (run.get("status") or {}).get("workload") == title and run["status"].get("phase") == "Running"
        )

    reconciler = PipelineRunReconciler(runs, runtime.client, repositories, jobs, events, clock)
    return Controller("pipelineruns", PIPELINE_RUNS, reconciler, (Watch(WORKLOADS, of_workload),))


def _age(run: Manifest) -> tuple[str, str]:
    return str(run["metadata"].get("creationTimestamp")), objects.name_of(run)


def _job_id(run: _Run, step: StepStatus) -> str:
    return f"{objects.uid_of(run.manifest)}-{step.id}"


def _environment(run: _Run) -> dict[str, str]:
    return {
        "PORTWAY_WORKSPACE": run.request.workspace,
        "PORTWAY_REPOSITORY": run.spec.repository,
        "PORTWAY_REVISION": run.spec.revision,
        "PORTWAY_BRANCH": run.spec.branch,
    }
