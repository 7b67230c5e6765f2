"""``pipeline:run``: the pipeline of a commit, started or found, and waited for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portway.apis.platform import FINISHED, Phase, PipelineRunStatus
from portway.apis.resources import PIPELINE_RUNS
from portway.krm.errors import StatusError
from portway.runtime.contract import Retry
from portway.scaffolder.contract import ActionContext, ActionFailed

_NAMESPACE = "default"
_LOOK_AGAIN_SECONDS = 0.3


class PipelineRun:
    id = "pipeline:run"
    description = "Runs the pipeline of a commit and waits until it is over."
    works_dry = False
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["repository", "revision"],
        "properties": {
            "repository": {"type": "string"},
            "revision": {"type": "string", "pattern": "^[0-9a-f]{40,64}$"},
            "branch": {"type": "string"},
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        branch = str(given.get("branch") or "main")
        await context.must_be_allowed("create", PIPELINE_RUNS, _NAMESPACE)
        try:
            found = await context.services.start_pipeline(
                context.client, given["repository"], given["revision"], branch, context.annotations
            )
        except StatusError as error:
            raise ActionFailed(f"the pipeline of {given['repository']}: {error.message}") from error
        name = found["metadata"]["name"]
        status = PipelineRunStatus.read(found.get("status"))
        if _failed_before(status, context.started_at):  # of an earlier attempt: this one deserves its own
            await context.client.delete(PIPELINE_RUNS, name, _NAMESPACE, uid=found["metadata"]["uid"])
            raise Retry("WaitingForPipeline", f"PipelineRun {name} failed before and is run again", _LOOK_AGAIN_SECONDS)
        for step in status.steps:
            context.say(f"{step.phase.value:<9} {step.name}" + (f": {step.message}" if step.message else ""))
            for line in step.log:
                context.say(f"    {line}")
        if status.phase not in FINISHED:
            message = f"PipelineRun {name}: {status.message or 'has not begun'}"
            raise Retry("WaitingForPipeline", message, _LOOK_AGAIN_SECONDS)
        if status.phase is not Phase.SUCCEEDED:
            raise ActionFailed(f"PipelineRun {name} {status.phase.value.lower()}: {status.message}")
        endpoint = next((s.output["endpoint"] for s in status.steps if s.output.get("endpoint")), "")
        return {"run": name, "phase": status.phase.value, "workload": status.workload, "endpoint": endpoint}


def _failed_before(status: PipelineRunStatus, moment: datetime) -> bool:
    if status.phase not in (Phase.FAILED, Phase.CANCELLED) or not status.finished_at:
        return False
    return datetime.fromisoformat(status.finished_at) < moment
