"""The golden path of the example organisation, walked as a developer would, through the API only.

Every step finds what is there already, so that it can be run again and goes on where it was.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portway.apis import catalog, platform, resources, wellknown
from portway.apis.conditions import HealthState
from portway.apis.platform import FINISHED, Phase
from portway.apis.portal import TemplateRunStatus
from portway.bootstrap import bundled, loading, people, publishing
from portway.bootstrap.errors import StartError
from portway.bootstrap.reporting import Reporter
from portway.client.contract import Client
from portway.krm import errors
from portway.krm.identity import Manifest

WORKSPACE = "root:acme:payments"
DEVELOPER = "ada"
SERVICE = "orders"
_RUN = "create-orders"
_GOLDEN_PATH_SECONDS = 300.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo made."""

    token: str
    """Of the developer."""
    endpoint: str
    """URL of the running service."""
    seconds: float
    """From choosing the template to the green badge; 0 when it was there already."""


async def run(admin: Client, home: Path, report: Reporter) -> Result:
    """Load the organisation and walk the golden path. Raises StartError with what went wrong."""
    folder = bundled.folder("examples/acme")
    report.headline("The example organisation Acme")
    await _load(admin, folder, home, report)
    token = await people.token_of(admin, home, DEVELOPER)
    for user in people.PEOPLE:
        await people.token_of(admin, home, user)
    developer = admin.with_token(token).at(WORKSPACE)
    report.headline(f"The golden path: {DEVELOPER} of team payments makes a service from the template python-service")
    started = time.monotonic()
    fresh = await _choose_template(developer)
    await _follow(developer, report)
    component = await _until_healthy(developer, report)
    seconds = time.monotonic() - started if fresh else 0.0
    status = catalog.EntityStatus.read(component.get("status"))
    urls = [endpoint.url for deployment in status.deployments for endpoint in deployment.endpoints]
    return Result(token, urls[0] if urls else "", seconds)


async def _load(admin: Client, folder: Path, home: Path, report: Reporter) -> None:
    for path, place in loading.workspaces(folder / "workspaces"):
        with report.step(f"workspace [bold]{path}[/bold]") as note:
            await loading.ensure_workspace(admin, path)
            note.text = f"{await loading.apply_folder(admin.at(path), place)} objects"
    with report.step("templates, pushed to Portway's own git server") as note:
        publisher = await people.token_of(admin, home, "margaret")
        count = await publishing.publish_templates(
            admin.with_token(publisher).at("root:acme"), folder / "templates", publisher
        )
        note.text = f"{count} template{'s' if count != 1 else ''}"


async def _choose_template(developer: Client) -> bool:
    """Create the run, as the wizard's last button does; False when it was there already."""
    try:
        existing = await developer.get(resources.TEMPLATE_RUNS, _RUN, "default")
    except errors.StatusError as error:
        if error.code != 404:
            raise
        existing = None
    if existing is not None:
        phase = TemplateRunStatus.read(existing.get("status")).phase
        if phase not in (Phase.FAILED, Phase.CANCELLED):
            return False
        await developer.delete(resources.TEMPLATE_RUNS, _RUN, "default")
    manifest: Manifest = {
        "apiVersion": resources.TEMPLATE_RUNS.api_version,
        "kind": "TemplateRun",
        "metadata": {"name": _RUN, "namespace": "default"},
        "spec": {
            "template": {"name": "python-service", "workspace": "root:acme"},
            "parameters": {
                "name": SERVICE,
                "owner": "payments",
                "description": "Takes orders and keeps them.",
                "records": "orders",
                "database": True,
                "environment": "staging",
            },
        },
    }
    await developer.create(resources.TEMPLATE_RUNS, manifest, "default")
    return True


async def _follow(developer: Client, report: Reporter) -> None:
    """Print each step as it ends, with its log, until the run is over."""
    printed: dict[str, int] = {}
    told: set[str] = set()
    try:
        async with asyncio.timeout(_GOLDEN_PATH_SECONDS):
            while True:
                run = await developer.get(resources.TEMPLATE_RUNS, _RUN, "default")
                status = TemplateRunStatus.read(run.get("status"))
                for step in status.steps:
                    _print_step(step, printed, told, report)
                if status.phase in FINISHED:
                    break
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise StartError(
            f"The template run did not finish within {_GOLDEN_PATH_SECONDS:.0f} s; see its page in the portal."
        ) from None
    if status.phase is not Phase.SUCCEEDED:
        raise StartError(f"The template run {status.phase.value.lower()}: {status.message}")


def _print_step(step: platform.StepStatus, printed: dict[str, int], told: set[str], report: Reporter) -> None:
    if step.phase is Phase.PENDING or step.id in told:
        return
    for line in step.log[printed.get(step.id, 0) :]:
        report.line(line.replace("[", "\\["))
    printed[step.id] = len(step.log)
    if step.phase is Phase.FAILED:
        report.failed(step.name or step.id, step.message)
        told.add(step.id)
    elif step.phase is Phase.SUCCEEDED:
        report.done(step.name or step.id, _seconds(step))
        told.add(step.id)
    elif step.phase in FINISHED:
        report.line(f"– {step.name or step.id}: {step.phase.value.lower()}")
        told.add(step.id)


def _seconds(step: platform.StepStatus) -> str:
    if not step.started_at or not step.finished_at:
        return ""
    took = datetime.datetime.fromisoformat(step.finished_at) - datetime.datetime.fromisoformat(step.started_at)
    return f"{took.total_seconds():.1f} s"


async def _until_healthy(developer: Client, report: Reporter) -> Manifest:
    def healthy(component: Manifest) -> bool:
        return bool((component.get("status") or {}).get("health") == HealthState.HEALTHY.value)

    with report.step(f"catalog: component [bold]{SERVICE}[/bold]") as note:
        component = await loading.until(developer, resources.COMPONENTS, SERVICE, "default", healthy)
        await _explain(developer, report)
        note.text = "[green]healthy[/green]"
    return component


async def _explain(developer: Client, report: Reporter) -> None:
    """Say which definition made the database, and why."""
    workload: dict[str, Any] = await developer.get(resources.WORKLOADS, SERVICE, "staging")
    for used in platform.WorkloadStatus.read(workload.get("status")).resources:
        report.line(
            f"resource {used.alias}: {used.type} by claim {used.claim}, {'ready' if used.ready else used.message}"
        )
    source = (workload.get("metadata") or {}).get("annotations") or {}
    by = source.get(wellknown.REQUESTED_BY)
    if by:
        report.line(f"requested by {by}")
