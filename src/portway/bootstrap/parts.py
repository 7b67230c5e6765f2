"""The processes beside the control plane: PostgreSQL and the node agent. Started or adopted here, and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from portway.bootstrap.errors import StartError
from portway.bootstrap.reporting import Reporter
from portway.bootstrap.settings import Settings
from portway.drivers.contract import DriverError
from portway.drivers.postgres import servers
from portway.drivers.process.client import AgentClient

_LOOK_SECONDS = 3.0


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

    # neither is cancelled when the other fails: what is half started could not be stopped again
    outcomes = await asyncio.gather(database(), agent(), return_exceptions=True)
    for error in filter(None, outcomes):
        if isinstance(error, DriverError):
            raise StartError(_sentence(settings, str(error))) from error
        raise error
    if settings.postgres_url:
        await _look_for_configured_server(settings, report)


def _sentence(settings: Settings, said: str) -> str:
    if "No space left on device" in said:
        return (
            f"The disk with {settings.home} is full: PostgreSQL needs about 60 MB there. Make room, or choose another "
            "PORTWAY_HOME."
        )
    return f"{said.rstrip('.')}."


async def _look_for_configured_server(settings: Settings, report: Reporter) -> None:
    """A server that is away is no reason not to start: claims wait for it. But somebody should know."""
    endpoint = await database_server(settings).start()
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        writer.close()
    except (OSError, TimeoutError):
        place = f"{endpoint.host}:{endpoint.port}"
        report.failed(f"PostgreSQL at {place} does not answer", "claims for databases wait until it does")


@asynccontextmanager
async def withdrawn_on_failure(settings: Settings) -> AsyncIterator[None]:
    """When the block fails, agent and database server are stopped again if they did not run before it."""
    before = {part: state for part, state, _ in await states(settings)}
    try:
        yield
    except BaseException:
        with suppress(DriverError, OSError):
            if before["node agent"] != "running":
                await node_agent(settings, starting=False).stop(workloads=False)
            if before["PostgreSQL"] == "stopped":
                await database_server(settings).stop()
        raise


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
