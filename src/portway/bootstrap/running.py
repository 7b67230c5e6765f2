"""A control plane from start to stop, as the commands use it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portway.apis import resources
from portway.bootstrap import (
    administrators,
    assembly,
    demonstrating,
    detaching,
    listening,
    locking,
    parts,
    prerequisites,
)
from portway.bootstrap.assembly import ControlPlane
from portway.bootstrap.errors import StartError
from portway.bootstrap.locking import Running
from portway.bootstrap.reporting import Reporter
from portway.bootstrap.settings import Settings
from portway.client.contract import ALL_WORKSPACES
from portway.client.http import HttpTransport, Tls
from portway.client.rest import RestClient
from portway.kit import lazily
from portway.krm.errors import StatusError
from portway.krm.identity import Resource
from portway.telemetry import logs

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")


async def serve(settings: Settings, report: Reporter, *, demo: bool = False, exit_when_ready: bool = False) -> None:
    """Run until a signal (or until the demo is done). SIGINT stops workloads too, SIGTERM the control plane only."""
    prerequisites.check(settings)
    with locking.hold(settings.home, settings.address) as announcement:
        logs.set_up(settings.log_file, console_level=logging.ERROR)
        logging.raiseExceptions = False  # no tracebacks about a log that cannot be written: its disk is full
        listener = listening.bind(settings.host, settings.port)
        stop = _Stop()
        report.headline("Portway")
        try:
            async with _opened(settings, report, listener) as plane:
                await administrators.write_kubeconfig(plane.api.system, settings, plane.api.admin_token)
                locking.announce(announcement, Running(os.getpid(), settings.address, ready=True))
                if exit_when_ready:
                    await stop.during(_be_ready(plane, settings, report, demo=demo))
                else:
                    await stop.during(_report_trouble(_be_ready(plane, settings, report, demo=demo), report))
                    await stop.wait()
        finally:
            if stop.interactive or exit_when_ready:
                with report.step("stopping workloads and the database server"):
                    await parts.stop(settings)


@asynccontextmanager
async def _opened(settings: Settings, report: Reporter, listener: socket.socket) -> AsyncIterator[ControlPlane]:
    """The control plane; when it cannot be opened, what was started for it is stopped again."""
    async with AsyncExitStack() as stack:
        async with parts.withdrawn_on_failure(settings):
            plane = await stack.enter_async_context(assembly.open_control_plane(settings, report, listener))
        yield plane


async def _be_ready(plane: ControlPlane, settings: Settings, report: Reporter, *, demo: bool) -> None:
    if demo:
        await _demonstrate(settings, plane.api.admin_token, report)
    else:
        await _print_access(settings, plane.api.admin_token, report)
    report.console.print("\n[dim]Ctrl-C stops Portway and what it runs; everything is there again next time.[/dim]")


async def _report_trouble(work: Coroutine[Any, Any, None], report: Reporter) -> None:
    """What goes wrong after the start does not end the control plane: its pages help to see why."""
    try:
        await work
    except (StartError, StatusError) as error:
        report.failed("stopped here", str(error))
        report.console.print("\n[dim]Portway goes on running; look at its pages. Ctrl-C stops it.[/dim]")


async def demonstrate(settings: Settings, report: Reporter) -> None:
    """The demo against a Portway that runs already."""
    await _demonstrate(settings, administrators.read_token(settings.home), report)
    async with _admin(settings, administrators.read_token(settings.home)) as admin:
        await administrators.write_kubeconfig(admin, settings, administrators.read_token(settings.home))


async def _demonstrate(settings: Settings, token: str, report: Reporter) -> None:
    async with _admin(settings, token) as admin:
        result = await demonstrating.run(admin, settings.home, report)
        await administrators.write_kubeconfig(admin, settings, token)
        if result.seconds:
            report.done(f"from template to green badge in {result.seconds:.1f} s")
    link = await _link(settings, result.token)
    report.headline("Open it")
    _row(report, "portal", link, "logs in as ada, once")
    _row(report, "service", result.endpoint, "the orders service, in staging")
    _row(report, "kubectl", f"KUBECONFIG={settings.kubeconfig} kubectl --context root:acme:payments get workloads -A")
    _row(report, "again", "portway open", "a new log-in link, as administrator")
    _row(report, "stop", "Ctrl-C here, or: portway down --workloads")


async def print_access(settings: Settings, report: Reporter) -> None:
    """Where a running Portway is reached."""
    await _print_access(settings, administrators.read_token(settings.home), report)


async def _print_access(settings: Settings, token: str, report: Reporter) -> None:
    report.headline("Open it")
    _row(report, "portal", await _link(settings, token), "logs in as administrator, once")
    _row(report, "kubectl", f"KUBECONFIG={settings.kubeconfig} kubectl get workspaces")
    _row(report, "stop", "Ctrl-C here, or: portway down")


def _row(report: Reporter, name: str, value: str, remark: str = "") -> None:
    note = f"  [dim]({remark})[/dim]" if remark else ""
    report.console.print(f"  [bold]{name:8}[/bold] {value}{note}", highlight=False, soft_wrap=True)


async def _link(settings: Settings, token: str) -> str:
    """A log-in link that works once."""
    async with httpx.AsyncClient(base_url=settings.address, timeout=30.0) as http:
        answer = await http.post("/session/links", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 200:
        raise StartError(f"No log-in link was made: {answer.text.strip()}")
    return str(answer.json()["url"])


@asynccontextmanager
async def _admin(settings: Settings, token: str) -> AsyncIterator[RestClient]:
    """A client over TLS, as anybody has: the demo uses no private way in."""
    authority = settings.ca_certificate.read_text()
    client = RestClient(HttpTransport(settings.secure_address, Tls(ca=authority)), "root", token)
    try:
        yield client
    finally:
        await client.close()


async def stop_all(settings: Settings, report: Reporter) -> None:
    """Stop control plane, workloads, node agent and the embedded PostgreSQL."""
    with report.step("stopping the control plane"):
        await asyncio.to_thread(detaching.stop, settings.home)
    with report.step("stopping workloads and the database server"):
        await parts.stop(settings)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of ``portway status``."""

    part: str
    state: str
    where: str


async def overview(settings: Settings, found: Running | None) -> list[Row]:
    """The parts of this installation, and how they are."""
    rows = [
        Row(
            "control plane",
            "running" if found else "stopped",
            f"{found.address} (process {found.pid})" if found else "",
        )
    ]
    rows += [Row(name, state, where) for name, state, where in await parts.states(settings)]
    rows.append(Row("state", "present" if settings.home.exists() else "absent", str(settings.home)))
    if found is not None:
        async with _admin(settings, administrators.read_token(settings.home)) as admin:
            for resource in (resources.WORKLOADS, resources.COMPONENTS):
                rows.append(await _count(admin, resource.plural, resource))
    return rows


async def _count(admin: RestClient, name: str, resource: Resource) -> Row:
    try:
        items = (await admin.at(ALL_WORKSPACES).list(resource)).items
    except StatusError as error:
        return Row(name, "unknown", error.message)
    healthy = sum((item.get("status") or {}).get("health") == "healthy" for item in items)
    return Row(name, str(len(items)), f"{healthy} healthy")


class _Stop:
    """SIGINT and SIGTERM as something to wait for."""

    def __init__(self) -> None:
        self.interactive = False
        self._event = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGTERM, self._event.set)

    def _interrupt(self) -> None:
        self.interactive = True
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()

    async def during(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work until it is done or a signal comes."""
        task, signalled = asyncio.create_task(work), asyncio.create_task(self._event.wait())
        await asyncio.wait([task, signalled], return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return
        task.result()
