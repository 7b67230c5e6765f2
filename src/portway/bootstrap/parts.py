"""The processes beside the control plane: PostgreSQL and the node agent. Started or adopted here, and stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

from portway.bootstrap.errors import StartError
from portway.bootstrap.reporting import Reporter
from portway.bootstrap.settings import Settings
from portway.drivers.contract import DriverError
from portway.drivers.postgres import servers
from portway.drivers.process.client import AgentClient


def database_server(settings: Settings) -> servers.Server:
    binaries = Path(settings.postgres_bin) if settings.postgres_bin else None
    return servers.open_server(
        servers.Settings(home=settings.home / "postgres", dsn=settings.postgres_url, binaries=binaries)
    )


def node_agent(settings: Settings, *, starting: bool = True) -> AgentClient:
    return AgentClient(settings.home / "agent", starting=starting)


async def start(settings: Settings, report: Reporter) -> None:
    """Both at once, as neither needs the other. Raises StartError."""

    async def database() -> None:
        with report.step("PostgreSQL") as note:
            endpoint = await database_server(settings).start()
            note.text = f"{endpoint.host}:{endpoint.port}"

    async def agent() -> None:
        with report.step("node agent") as note:
            note.text = f"process {await node_agent(settings).ensure()}"

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(database())
            group.create_task(agent())
    except* DriverError as errors:
        first = errors.exceptions[0]
        raise StartError(str(first)) from first


async def stop(settings: Settings) -> None:
    """Workloads, agent and the embedded PostgreSQL; what does not run is left alone."""
    try:
        await node_agent(settings, starting=False).stop(workloads=True)
        if not settings.postgres_url:
            await database_server(settings).stop()
    except DriverError as error:
        raise StartError(str(error)) from error


async def states(settings: Settings) -> list[tuple[str, str, str]]:
    """(part, state, where) of each, without starting anything."""
    try:
        await node_agent(settings, starting=False).ask("ping")
        agent = ("node agent", "running", str(settings.home / "agent"))
    except DriverError:
        agent = ("node agent", "stopped", str(settings.home / "agent"))
    if settings.postgres_url:
        return [agent, ("PostgreSQL", "configured", "PORTWAY_POSTGRES_URL")]
    running = (settings.home / "postgres" / "data" / "postmaster.pid").exists()
    return [agent, ("PostgreSQL", "running" if running else "stopped", str(settings.home / "postgres"))]
