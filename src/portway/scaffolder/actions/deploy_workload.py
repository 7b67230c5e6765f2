"""``deploy:workload``: a Score file as a Workload in an environment, waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.apis.resources import WORKLOADS
from portway.apis.wellknown import MANAGED_BY
from portway.krm import decoding
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import conditions
from portway.runtime.contract import Retry
from portway.scaffolder.contract import ActionContext, ActionFailed

_MANAGER = "portway-templates"
_LOOK_AGAIN_SECONDS = 0.3
_PATIENCE_SECONDS = 300.0


class DeployWorkload:
    id = "deploy:workload"
    description = "Runs a Score workload in an environment and waits until it answers."
    works_dry = False
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["environment"],
        "properties": {
            "environment": {"type": "string"},
            "score": {"type": "object", "description": "The Score file itself."},
            "scorePath": {"type": "string", "description": "Its path in the run's folder; default score.yaml."},
            "repository": {"type": "string"},
            "revision": {"type": "string"},
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        score = given.get("score") or _read(str(given.get("scorePath") or "score.yaml"), context)
        environment = given["environment"]
        await context.must_be_allowed("create", WORKLOADS, environment)
        workload = await self._apply(_manifest(score, given, context), context)
        name, status = workload["metadata"]["name"], workload.get("status") or {}
        if conditions.is_true(workload):
            endpoints = [endpoint["url"] for endpoint in status.get("endpoints") or ()]
            context.say(f"Workload {name} runs" + (f" at {endpoints[0]}" if endpoints else ""))
            return {"workload": f"{environment}/{name}", "endpoint": endpoints[0] if endpoints else ""}
        message = str((conditions.get(workload, "Ready") or {}).get("message") or "is being started")
        if (context.now - context.started_at).total_seconds() > _PATIENCE_SECONDS:
            raise ActionFailed(f"Workload {name} is not ready after {_PATIENCE_SECONDS:.0f} s: {message}")
        raise Retry("WaitingForWorkload", f"Workload {name}: {message}", _LOOK_AGAIN_SECONDS)

    async def _apply(self, manifest: Manifest, context: ActionContext) -> Manifest:
        try:
            return await context.client.apply(WORKLOADS, manifest, manager=_MANAGER)
        except StatusError as error:
            if error.code in (403, 404, 422):
                raise ActionFailed(f"Workload {manifest['metadata']['name']}: {error.message}") from error
            raise


def _read(path: str, context: ActionContext) -> Manifest:
    place = context.folder.path(path)
    if not place.is_file():
        raise ActionFailed(f"there is no {path} in the folder of the run")
    documents = decoding.documents(place.read_text(errors="replace"))
    if not documents or documents[0].error or not isinstance(documents[0].value, dict):
        raise ActionFailed(f"{path}: {documents[0].error if documents else 'is empty'}")
    return documents[0].value


def _manifest(score: Mapping[str, Any], given: Mapping[str, Any], context: ActionContext) -> Manifest:
    name = (score.get("metadata") or {}).get("name")
    if not isinstance(name, str):
        raise ActionFailed("the Score file has no metadata.name")
    spec: Manifest = {"score": score}
    if given.get("repository") and given.get("revision"):
        spec["source"] = {"repository": given["repository"], "revision": given["revision"]}
    return {
        "apiVersion": WORKLOADS.api_version,
        "kind": WORKLOADS.kind,
        "metadata": {
            "name": name,
            "namespace": given["environment"],
            "labels": {MANAGED_BY: "portway"},
            "annotations": context.annotations,
        },
        "spec": spec,
    }
