"""What the catalog shows of a workload: an entry in its Component's ``status.deployments``, one per environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.apis.conditions import HealthState
from portway.apis.resources import COMPONENTS
from portway.apis.wellknown import COMPONENT
from portway.client.contract import Client
from portway.krm.identity import Manifest
from portway.runtime import objects, statuses
from portway.runtime.contract import Request

NAMESPACE = "default"
_WORST_FIRST = (HealthState.DEGRADED, HealthState.PROGRESSING, HealthState.UNKNOWN, HealthState.HEALTHY)


def name_of(workload: Manifest) -> str:
    return objects.annotation(workload, COMPONENT) or objects.name_of(workload)


async def show(client: Client, request: Request, workload: Manifest, status: Mapping[str, Any], *, now: str) -> None:
    """Write the entry of this workload. Nothing when the Component is not there (yet)."""
    source = workload["spec"].get("source") or {}
    entry = {
        "environment": request.namespace,
        "workload": request.name,
        "health": status.get("health", HealthState.UNKNOWN.value),
        "message": status.get("message", ""),
        "release": status.get("release", ""),
        "revision": source.get("revision", ""),
        "endpoints": status.get("endpoints", []),
        "resources": [r["claim"] for r in status.get("resources", []) if r.get("claim")],
    }
    await _change(client, request, name_of(workload), entry, now)


async def hide(client: Client, request: Request, workload: Manifest, *, now: str) -> None:
    await _change(client, request, name_of(workload), None, now)


async def _change(client: Client, request: Request, name: str, entry: dict[str, Any] | None, now: str) -> None:
    def change(component: Manifest) -> Manifest:
        status = component.get("status") or {}
        return _with(status, request, entry, now)

    component = Request(request.workspace, NAMESPACE, name)
    await statuses.change(client, COMPONENTS, component, change)


def _with(status: Manifest, request: Request, entry: dict[str, Any] | None, now: str) -> Manifest:
    known = list(status.get("deployments") or ())
    own = next((d for d in known if d.get("environment") == request.namespace), None)
    if entry is None and (own is None or own.get("workload") != request.name):
        return status  # somebody else's entry, or none
    others = [d for d in known if d is not own]
    if entry is not None:
        same = own is not None and {k: v for k, v in own.items() if k != "updatedAt"} == entry
        entry = {**entry, "updatedAt": own["updatedAt"] if same and own is not None else now}
    merged = sorted([*others, *([entry] if entry else [])], key=lambda d: str(d["environment"]))
    if not merged and not known:
        return status
    return {**status, "deployments": merged, "health": _overall(merged)}


def _overall(deployments: list[dict[str, Any]]) -> str:
    found = {d.get("health") for d in deployments}
    return next((state.value for state in _WORST_FIRST if state.value in found), HealthState.UNKNOWN.value)
