"""Ten thousand workspaces over HTTP: how fast, how large, and whether the last is as fast as the first."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator

from benchmarks.installed import Installed, installation
from benchmarks.reports import Measure
from portway.apis import resources
from portway.bootstrap import loading
from portway.client.rest import RestClient

_COUNT = int(os.environ.get("PORTWAY_BENCH_WORKSPACES", "10000"))
_AT_ONCE = 16
_READS = 1000


def run() -> list[Measure]:
    with installation() as installed:
        installed.portway("up", "--detach")
        time.sleep(3)  # what the start began comes to rest
        idle = installed.resident()
        rate, creates, reads = asyncio.run(_measure(installed))
        time.sleep(10)  # controllers come to rest
        each = (installed.resident() - idle) / _COUNT / 1e3
        return [
            Measure("memory of the control plane, idle", idle / 1e6, "MB"),
            Measure(
                f"{_COUNT} workspaces created and ready, {_AT_ONCE} connections (at least 200)",
                rate,
                "/s",
                200.0,
                more_is_better=True,
            ),
            Measure("creation, last tenth against first", creates, "ratio", 1.2),
            Measure("reads in the last workspaces against the first", reads, "ratio", 1.2),
            Measure("memory afterwards, for each workspace", each, "kB", 20.0),
        ]


async def _measure(installed: Installed) -> tuple[float, float, float]:
    """Workspaces per second; last against first for creations and for reads inside."""
    async with installed.client() as root:
        await loading.ensure_workspace(root, "root:many")
        here = root.at("root:many")
        took: list[float] = []
        numbers = iter(range(_COUNT))
        started = time.perf_counter()
        await asyncio.gather(*(_creating(here, numbers, took) for _ in range(_AT_ONCE)))
        rate = _COUNT / (time.perf_counter() - started)
        tenth = _COUNT // 10
        reads = min(_READS, tenth)
        await _reading(root, range(0, 16))  # connections are warm
        first = await _reading(root, range(reads))
        last = await _reading(root, range(_COUNT - reads, _COUNT))
        return rate, sum(took[-tenth:]) / sum(took[:tenth]), last / first


async def _creating(here: RestClient, numbers: Iterator[int], took: list[float]) -> None:
    for number in numbers:
        began = time.perf_counter()
        manifest = {
            "apiVersion": resources.WORKSPACES.api_version,
            "kind": "Workspace",
            "metadata": {"name": f"team-{number:05}"},
            "spec": {},
        }
        made = await here.create(resources.WORKSPACES, manifest)
        while (made.get("status") or {}).get("phase") != "Ready":
            made = await here.get(resources.WORKSPACES, made["metadata"]["name"])
        took.append(time.perf_counter() - began)


async def _reading(root: RestClient, numbers: range) -> float:
    """Seconds for one list in each of the workspaces, one after the other."""
    began = time.perf_counter()
    for number in numbers:
        await root.at(f"root:many:team-{number:05}").list(resources.COMPONENTS)
    return time.perf_counter() - began
