"""A claim for PostgreSQL, applied → Ready, against raw CREATE ROLE and CREATE DATABASE on the same server."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from benchmarks.installed import Installed, installation
from benchmarks.reports import Measure, median
from portway.apis import resources
from portway.bootstrap import bundled, loading
from portway.client.rest import RestClient
from portway.runtime import conditions

_ROUNDS = 25
_POSTGRES = resources.claim("postgreses", "Postgres")
_WORKSPACE = "root:bench"


def run() -> list[Measure]:
    with installation() as installed:
        installed.portway("up", "--detach")
        return asyncio.run(_measure(installed))


async def _measure(installed: Installed) -> list[Measure]:
    async with installed.client() as root:
        await loading.ensure_workspace(root, _WORKSPACE)
        here = root.at(_WORKSPACE)
        await loading.apply_folder(here, bundled.folder("examples/acme/workspaces/acme"))
        await here.create(
            resources.NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}}
        )
        raw, claims = [], []
        for number in range(_ROUNDS):  # in turn, so that a slow moment of the machine hurts both
            raw.append(await _raw(installed, number))
            claims.append(await _claim(here, number))
    base = median(raw[5:])
    limit = 1.5 * base + 0.050
    return [
        Measure("raw CREATE ROLE + CREATE DATABASE (median)", base * 1000, "ms"),
        Measure("claim applied → Ready (median)", median(claims[5:]) * 1000, "ms", limit * 1000, "1.5 × raw + 50 ms"),
    ]


async def _raw(installed: Installed, number: int) -> float:
    port = int((installed.home / "postgres" / "port").read_text())
    password = (installed.home / "postgres" / "password").read_text().strip()
    connection: Any = await asyncpg.connect(
        host="127.0.0.1", port=port, user="portway", password=password, database="postgres"
    )
    try:
        started = time.perf_counter()
        await connection.execute(f"CREATE ROLE raw_{number} LOGIN PASSWORD 'x{number}'")
        await connection.execute(f"CREATE DATABASE raw_{number} OWNER raw_{number}")
        return time.perf_counter() - started
    finally:
        await connection.close()


async def _claim(here: RestClient, number: int) -> float:
    name = f"claim-{number}"
    since = (await here.list(_POSTGRES, "bench")).resource_version
    manifest = {
        "apiVersion": _POSTGRES.api_version,
        "kind": _POSTGRES.kind,
        "metadata": {"name": name, "namespace": "bench"},
        "spec": {},
    }
    watch = here.watch(_POSTGRES, "bench", since=since, fields=f"metadata.name={name}")
    ready = asyncio.create_task(_until_ready(watch))
    await asyncio.sleep(0.05)  # the watch is open before the clock starts
    started = time.perf_counter()
    await here.apply(_POSTGRES, manifest, manager="bench")
    ended = await asyncio.wait_for(ready, 60)
    return ended - started


async def _until_ready(watch: Any) -> float:
    async for event in watch:
        if event.type != "BOOKMARK" and conditions.is_true(event.object):
            return time.perf_counter()
    raise RuntimeError("the watch ended before the claim was ready")
