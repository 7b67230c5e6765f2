"""One TemplateRun: template and parameters checked, then step after step, each written down before and after.

The template is the one that is stored when a step begins; a changed template does not disturb what is done.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portway.apis.platform import FINISHED, Phase, StepStatus
from portway.apis.portal import OutputLink, OutputText, RunOutput, TemplateRunSpec, TemplateRunStatus
from portway.apis.resources import PIPELINE_RUNS, TEMPLATE_RUNS, TEMPLATES
from portway.apis.wellknown import REQUESTED_BY, REQUESTED_BY_GROUPS
from portway.client.contract import Client
from portway.controllers import reading
from portway.controllers.templateruns import finding
from portway.kit import namelists
from portway.kit.clocks import Clock, parse_rfc3339, rfc3339
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import conditions, objects, statuses
from portway.runtime.contract import Controller, Done, Lister, Request, Retry, Runtime, Watch
from portway.runtime.events import EventRecorder
from portway.scaffolder import actions as built_in
from portway.scaffolder import expressions, parameters, stepping
from portway.scaffolder.contract import Action, ActionContext, ActionFailed, Requester, Services
from portway.scaffolder.folders import Folder
from portway.scaffolder.stepping import Known
from portway.scaffolder.templates import Step, Template

LOG_LINES = 200
_SYSTEM = "system:portway"
_PASSING = (408, 409, 429)


@dataclass(frozen=True, slots=True)
class _Run:
    request: Request
    manifest: Manifest
    spec: TemplateRunSpec
    status: TemplateRunStatus
    template: Template
    location: str

    @property
    def known(self) -> Known:
        values = parameters.with_defaults(self.template, self.spec.parameters)
        outputs = {step.id: step.output for step in self.status.steps}
        user = objects.annotation(self.manifest, REQUESTED_BY)
        return Known(values, outputs, user, objects.uid_of(self.manifest))


@dataclass(frozen=True, slots=True)
class TemplateRunReconciler:
    """``home`` holds a folder per run."""

    client: Client
    templates: Lister
    actions: Mapping[str, Action]
    services: Services
    home: Path
    events: EventRecorder
    clock: Clock

    async def reconcile(self, request: Request) -> Done:
        manifest = await reading.fresh(self.client, TEMPLATE_RUNS, request)
        if manifest is None or objects.is_deleting(manifest):
            return Done()
        client = self.client.at(request.workspace)
        spec, status = TemplateRunSpec.read(manifest["spec"]), TemplateRunStatus.read(manifest.get("status"))
        if status.phase in FINISHED:
            return Done()
        if spec.cancelled:
            return await self._finish(client, request, manifest, status, (Phase.CANCELLED, "cancelled"))
        try:
            run = await self._prepared(request, manifest, spec, status)
        except ActionFailed as error:
            return await self._finish(client, request, manifest, status, (Phase.FAILED, str(error)))
        if status.phase is Phase.PENDING:
            run = await self._begin(client, run)
        return await self._advance(client, run)

    async def _prepared(
        self, request: Request, manifest: Manifest, spec: TemplateRunSpec, status: TemplateRunStatus
    ) -> _Run:
        found = await finding.fetch(self.client, self.templates, request.workspace, spec.template)
        template = finding.usable(found, dict(self.actions))
        if status.phase is Phase.PENDING:
            values = parameters.with_defaults(template, spec.parameters)
            if problems := parameters.check(template, values):
                raise ActionFailed("; ".join(map(str, problems)))
        location = objects.annotation(found, "backstage.io/managed-by-location")
        return _Run(request, manifest, spec, status, template, location)

    async def _begin(self, client: Client, run: _Run) -> _Run:
        steps = [StepStatus(id=step.id, name=step.name) for step in run.template.steps]
        update = {"phase": Phase.RUNNING, "steps": steps, "started_at": self._now()}
        return await self._write(client, run, run.status.model_copy(update=update))

    async def _advance(self, client: Client, run: _Run) -> Done:
        """Steps, one after the other, until one has to wait."""
        by_id = {step.id: step for step in run.template.steps}
        for current in run.status.steps:
            if current.phase in FINISHED:
                continue
            step = by_id.get(current.id)
            if step is None:
                message = f"the template has no step {current.id} any more; start a new run"
                return await self._fail(client, run, current, message)
            try:
                run, waiting = await self._step(client, run, current, step)
            except ActionFailed as error:
                return await self._fail(client, run, current, str(error))
            except StatusError as error:
                if error.code >= 500 or error.code in _PASSING:
                    raise
                return await self._fail(client, run, current, error.message)
            if waiting is not None:
                return Done(again_after=waiting)
        return await self._succeed(client, run)

    async def _step(self, client: Client, run: _Run, current: StepStatus, step: Step) -> tuple[_Run, float | None]:
        """The run after the step, and the seconds to wait when it is not over."""
        if current.phase is Phase.PENDING:
            if not stepping.is_wanted(step, run.known):
                skipped = current.model_copy(update={"phase": Phase.SKIPPED, "message": "its condition is not met"})
                return await self._write(client, run, _with(run.status, skipped)), None
            update = {"phase": Phase.RUNNING, "started_at": self._now()}
            current = current.model_copy(update=update)
            run = await self._write(client, run, _with(run.status, current, f"{step.name}"))
        context = self._context(client, run, current)
        try:
            output = await stepping.run(step, self.actions[step.action], run.known, context)
        except Retry as waiting:
            current = current.model_copy(update={"message": waiting.message, "log": _log(current, context)})
            return await self._write(client, run, _with(run.status, current)), waiting.after or 1.0
        except ActionFailed:
            run = await self._write(client, run, _with(run.status, _logged(current, context)))
            raise
        current = current.model_copy(
            update={
                "phase": Phase.SUCCEEDED,
                "finished_at": self._now(),
                "message": "",
                "output": output,
                "log": _log(current, context),
            }
        )
        return await self._write(client, run, _with(run.status, current)), None

    def _context(self, client: Client, run: _Run, current: StepStatus) -> ActionContext:
        folder = self.home / objects.uid_of(run.manifest)
        folder.mkdir(parents=True, exist_ok=True)
        user = objects.annotation(run.manifest, REQUESTED_BY)
        groups = objects.annotation(run.manifest, REQUESTED_BY_GROUPS)
        return ActionContext(
            workspace=run.request.workspace,
            run=run.request.name,
            uid=objects.uid_of(run.manifest),
            folder=Folder(folder),
            location=run.location,
            client=client,
            requester=Requester(user, namelists.parted(groups), user == _SYSTEM),
            services=self.services,
            now=self.clock.now(),
            started_at=parse_rfc3339(current.started_at) if current.started_at else self.clock.now(),
        )

    async def _succeed(self, client: Client, run: _Run) -> Done:
        try:
            status = run.status.model_copy(update={"output": _output(run)})
        except expressions.ExpressionError as error:
            outcome = (Phase.FAILED, f"output: {error}")
            return await self._finish(client, run.request, run.manifest, run.status, outcome)
        shutil.rmtree(self.home / objects.uid_of(run.manifest), ignore_errors=True)
        return await self._finish(client, run.request, run.manifest, status, (Phase.SUCCEEDED, "done"))

    async def _fail(self, client: Client, run: _Run, current: StepStatus, message: str) -> Done:
        manifest = await reading.fresh(client, TEMPLATE_RUNS, run.request) or run.manifest
        status = TemplateRunStatus.read(manifest.get("status"))
        latest = next((step for step in status.steps if step.id == current.id), current)
        update = {"phase": Phase.FAILED, "finished_at": self._now(), "message": message}
        failed = _with(status, latest.model_copy(update=update))
        outcome = (Phase.FAILED, f"step {current.name} failed: {message}")
        return await self._finish(client, run.request, manifest, failed, outcome)

    async def _finish(
        self, client: Client, request: Request, manifest: Manifest, status: TemplateRunStatus, to: tuple[Phase, str]
    ) -> Done:
        phase, message = to
        rest = Phase.CANCELLED if phase is Phase.CANCELLED else Phase.SKIPPED
        steps = [s if s.phase in FINISHED else s.model_copy(update={"phase": rest}) for s in status.steps]
        update = {"phase": phase, "message": message, "steps": steps, "finished_at": self._now()}
        written = await self._store(client, manifest, status.model_copy(update=update))
        tell = self.events.normal if phase is Phase.SUCCEEDED else self.events.warning
        await tell(request.workspace, written, phase.value, message)
        return Done()

    async def _write(self, client: Client, run: _Run, status: TemplateRunStatus) -> _Run:
        manifest = await self._store(client, run.manifest, status)
        return _Run(run.request, manifest, run.spec, status, run.template, run.location)

    async def _store(self, client: Client, manifest: Manifest, status: TemplateRunStatus) -> Manifest:
        full: dict[str, Any] = {**(manifest.get("status") or {}), **status.write()}
        over = status.phase in FINISHED
        ready = over and status.phase is Phase.SUCCEEDED
        condition = conditions.Condition(
            "Ready", str(ready), status.phase.value, status.message or f"is {status.phase.value.lower()}"
        )
        generation = objects.generation_of(manifest)
        full = conditions.set_condition(full, condition, generation=generation, now=self.clock.now())
        return await statuses.write(client, TEMPLATE_RUNS, manifest, full)

    def _now(self) -> str:
        return rfc3339(self.clock.now())


def controller(runtime: Runtime, services: Services, home: Path, clock: Clock) -> Controller:
    runs = runtime.lister(TEMPLATE_RUNS)

    def unfinished(manifest: Manifest) -> Iterator[Request]:
        """Runs of the workspace in which a pipeline moved."""
        return (
            objects.key_of(run)
            for run in runs.list(objects.workspace_of(manifest))
            if (run.get("status") or {}).get("phase") == Phase.RUNNING.value
        )

    reconciler = TemplateRunReconciler(
        client=runtime.client,
        templates=runtime.lister(TEMPLATES),
        actions=built_in.built_in(),
        services=services,
        home=home,
        events=EventRecorder(runtime.client, "templateruns", clock=clock),
        clock=clock,
    )
    watches = (Watch(PIPELINE_RUNS, unfinished),)
    return Controller("templateruns", TEMPLATE_RUNS, reconciler, watches)


def _with(status: TemplateRunStatus, step: StepStatus, message: str | None = None) -> TemplateRunStatus:
    steps = [step if known.id == step.id else known for known in status.steps]
    return status.model_copy(update={"steps": steps, "message": step.name if message is None else message})


def _logged(current: StepStatus, context: ActionContext) -> StepStatus:
    return current.model_copy(update={"log": _log(current, context)})


def _log(current: StepStatus, context: ActionContext) -> list[str]:
    """What was said before and what is new: an action that is looked at again says some of it again."""
    known = set(current.log)
    return [*current.log, *(line for line in context.said if line not in known)][-LOG_LINES:]


def _output(run: _Run) -> RunOutput:
    known = run.known.context()
    links = [_resolved(link, known) for link in run.template.output.get("links") or ()]
    texts = [_resolved(text, known) for text in run.template.output.get("text") or ()]
    return RunOutput(
        links=[OutputLink.read(link) for link in links if link is not None],
        text=[OutputText.read(text) for text in texts if text is not None],
    )


def _resolved(entry: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str] | None:
    if not expressions.is_true(entry.get("if", True), known):
        return None
    found = expressions.resolve({k: v for k, v in entry.items() if k != "if"}, known)
    return {key: expressions.finalize(value) for key, value in found.items()}
