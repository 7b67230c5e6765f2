"""Which API a command talks to, and as whom: taken from a kubeconfig, as kubectl does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import typer

from portway.cli.errors import CommandError
from portway.client import kubeconfig
from portway.client.kubeconfig import Connection
from portway.client.rest import RestClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look, given by the program's start: the first kubeconfig that exists counts."""

    kubeconfigs: tuple[Path, ...]
    own_kubeconfig: Path
    """Where ``portway login`` writes."""


@dataclass(frozen=True, slots=True)
class Session:
    """A client, and what plain requests to the same server need."""

    client: RestClient
    connection: Connection

    def plain(self) -> httpx.AsyncClient:
        """For what is not an object: logs and log-in links."""
        ca = self.connection.tls.ca
        return httpx.AsyncClient(
            base_url=self.connection.server,
            headers={"Authorization": f"Bearer {self.connection.token}"},
            verify=ssl.create_default_context(cadata=ca) if ca else True,
            timeout=httpx.Timeout(30.0),
        )


def run(ctx: typer.Context, workspace: str, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work with a session in a workspace (empty: the one of the current context)."""

    async def main() -> T:
        async with _session(places(ctx), workspace) as session:
            return await work(session)

    return asyncio.run(main())


def places(ctx: typer.Context) -> Places:
    found = ctx.find_root().obj
    if not isinstance(found, Places):
        raise CommandError("The program was started without its settings; use the command `portway`.")
    return found


@asynccontextmanager
async def _session(where: Places, workspace: str) -> AsyncIterator[Session]:
    file = next((f for f in where.kubeconfigs if f.is_file()), None)
    if file is None:
        looked = ", ".join(str(f) for f in where.kubeconfigs)
        raise CommandError(f"No Portway is known here. Start one with `portway up`, or `portway login URL` ({looked}).")
    try:
        connection = kubeconfig.load(file)
    except kubeconfig.KubeconfigError as error:
        raise CommandError(f"{error}.") from error
    client = connection.client()
    try:
        yield Session(client.at(workspace) if workspace else client, connection)
    finally:
        await client.close()
