"""The last step of a pipeline: the commit's Score file becomes a Workload, and then it is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portway.apis.platform import Deploy, Phase, PipelineRunSpec, StepStatus
from portway.apis.resources import WORKLOADS
from portway.apis.wellknown import MANAGED_BY, PIPELINE_RUN, REQUESTED_BY
from portway.client.contract import Client
from portway.controllers.pipelineruns import definitions
from portway.controllers.pipelineruns.definitions import Unusable
from portway.drivers.services import Repositories
from portway.kit.clocks import parse_rfc3339, rfc3339
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import conditions, objects

_MANAGER = "portway-pipelines"
_PATIENCE_SECONDS = 300.0
_CRASH_PATIENCE_SECONDS = 20.0
"""A crashing program may recover when what it needs comes up."""
_HOPELESS = frozenset(
    {
        "InvalidScore", "InvalidResources", "InvalidPlaceholder", "InvalidInputs", "InvalidParams",
        "UnknownResourceType", "NoMatchingDefinition", "SharedDiffers", "ClaimNameTaken", "DefinitionChanged",
        "DriverNotInstalled",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    step: StepStatus
    workload: str
    """``<namespace>/<name>``."""


@dataclass(frozen=True, slots=True)
class Deployment:
    client: Client
    repositories: Repositories
    workspace: str
    deploy: Deploy

    async def go_on(self, run: Manifest, spec: PipelineRunSpec, step: StepStatus, now: datetime) -> Outcome:
        """Apply what the commit says (again is nothing) and look how far it is."""
        score = await definitions.score_file(
            self.repositories, self.workspace, spec.repository, spec.revision, self.deploy.score
        )
        workload = await self._apply(run, spec, score)
        title = f"{self.deploy.environment}/{objects.name_of(workload)}"
        update = _state(workload, step, now)
        if update["phase"] is not Phase.RUNNING:
            update["finished_at"] = rfc3339(now)
        return Outcome(step.model_copy(update=update), title)

    async def _apply(self, run: Manifest, spec: PipelineRunSpec, score: Manifest) -> Manifest:
        name = score["metadata"]["name"]
        manifest: Manifest = {
            "apiVersion": WORKLOADS.api_version,
            "kind": WORKLOADS.kind,
            "metadata": {
                "name": name,
                "namespace": self.deploy.environment,
                "labels": {MANAGED_BY: "portway"},
                "annotations": _annotations(run),
            },
            "spec": {"score": score, "source": {"repository": spec.repository, "revision": spec.revision}},
        }
        try:
            live = await self.client.get(WORKLOADS, name, self.deploy.environment)
            if live["spec"].get("score") == score and live["spec"].get("source") == manifest["spec"]["source"]:
                return live
        except StatusError as error:
            if error.code != 404:
                raise
        try:
            return await self.client.apply(WORKLOADS, manifest, manager=_MANAGER)
        except StatusError as error:
            if error.code in (403, 404, 422):
                raise Unusable(f"Workload {name} in environment {self.deploy.environment}: {error.message}") from error
            raise


def _annotations(run: Manifest) -> dict[str, str]:
    by = objects.annotation(run, REQUESTED_BY)
    made_by = {PIPELINE_RUN: f"{objects.namespace_of(run)}/{objects.name_of(run)}"}
    return {**made_by, **({REQUESTED_BY: by} if by else {})}


def _state(workload: Manifest, step: StepStatus, now: datetime) -> dict[str, object]:
    if conditions.is_true(workload):
        endpoints = [e["url"] for e in (workload.get("status") or {}).get("endpoints") or ()]
        where = f" at {endpoints[0]}" if endpoints else ""
        output = {"endpoint": endpoints[0]} if endpoints else {}
        return {"phase": Phase.SUCCEEDED, "message": f"runs{where}", "output": output}
    said = conditions.get(workload, "Ready") or {}
    current = int(said.get("observedGeneration") or 0) >= objects.generation_of(workload)
    reason, message = (said.get("reason", ""), said.get("message", "")) if current else ("", "")
    waited = (now - parse_rfc3339(step.started_at)).total_seconds() if step.started_at else 0.0
    crashed = reason == "Degraded" and waited > _CRASH_PATIENCE_SECONDS
    if reason in _HOPELESS or crashed or waited > _PATIENCE_SECONDS:
        late = f" (after {waited:.0f} s)" if waited > _PATIENCE_SECONDS else ""
        return {"phase": Phase.FAILED, "message": (message or "it did not start") + late}
    return {"phase": Phase.RUNNING, "message": message or "the workload is being started"}
