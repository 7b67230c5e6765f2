"""The control plane with the example organisation: its memory at rest, and a thousand workspaces."""

from __future__ import annotations

import asyncio
import time

from benchmarks.installed import Installed, installation
from benchmarks.reports import Measure
from portway.apis import resources
from portway.bootstrap import loading
from portway.client.rest import RestClient

_COUNT = 1000
_AT_ONCE = 16


def run() -> list[Measure]:
    with installation() as installed:
        installed.portway("demo", "--detach")
        time.sleep(3)  # what the demo began comes to rest
        idle = installed.resident()
        seconds = asyncio.run(_create(installed))
    return [
        Measure("memory of the control plane, idle, with Acme", idle / 1e6, "MB", 200.0),
        Measure(f"{_COUNT} workspaces created and ready", seconds, "s", 20.0),
    ]


async def _create(installed: Installed) -> float:
    async with installed.client() as root:
        await loading.ensure_workspace(root, "root:many")
        here = root.at("root:many")
        room = asyncio.Semaphore(_AT_ONCE)
        started = time.perf_counter()
        await asyncio.gather(*(_one(here, number, room) for number in range(_COUNT)))
        return time.perf_counter() - started


async def _one(here: RestClient, number: int, room: asyncio.Semaphore) -> None:
    manifest = {
        "apiVersion": resources.WORKSPACES.api_version,
        "kind": "Workspace",
        "metadata": {"name": f"team-{number:04}"},
        "spec": {},
    }
    async with room:
        made = await here.create(resources.WORKSPACES, manifest)
        while (made.get("status") or {}).get("phase") != "Ready":
            made = await here.get(resources.WORKSPACES, made["metadata"]["name"])
