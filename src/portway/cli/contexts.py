"""Which API a command talks to, and as whom: taken from a kubeconfig, as kubectl does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from portway.cli import failures, logins
from portway.cli.errors import CommandError
from portway.client import kubeconfig
from portway.client.kubeconfig import Connection
from portway.client.plugins import PluginError
from portway.client.rest import RestClient
from portway.kit import lazily
from portway.krm.errors import StatusError
from portway.tenancy.paths import InvalidPath, WorkspacePath

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

T = TypeVar("T")
INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look, given by the program's start: the first kubeconfig that exists counts."""

    kubeconfigs: tuple[Path, ...]
    own_kubeconfig: Path
    """Where ``portway login`` writes."""
    authority: Path | None = None
    """Certificate of the Portway on this machine, if there is one."""
    command: tuple[str, ...] = ("portway",)
    """What runs this program, from anywhere."""

    @property
    def logins(self) -> Path:
        """Folder of log-ins at providers."""
        return self.own_kubeconfig.parent / "portway-logins"


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
            trust_env=False,
        )


def run(ctx: typer.Context, workspace: str, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work with a session in a workspace (empty: the one of the current context)."""
    where = places(ctx)
    file = next((f for f in where.kubeconfigs if f.is_file()), None)
    if file is None:
        looked = " and ".join(str(f) for f in where.kubeconfigs)
        raise CommandError(
            f"No Portway is known here (looked for {looked}). Start one with `portway up`, or log in to one with "
            "`portway login URL`."
        )
    try:
        connection = _with_credential(kubeconfig.load(file))
    except (kubeconfig.KubeconfigError, PluginError) as error:
        raise CommandError(f"{error}.") from error
    return run_with(connection, str(file), workspace, work)


def run_with(
    connection: Connection, source: str, workspace: str, work: Callable[[Session], Coroutine[Any, Any, T]]
) -> T:
    """The same with a connection that is known; ``source`` says where it is from."""
    if workspace:
        _check(workspace)

    async def main() -> T:
        async with _session(connection, workspace) as session:
            try:
                return await work(session)
            except StatusError as error:
                where = failures.Where(connection.server, session.client.workspace, source)
                raise CommandError(failures.sentence(error, where)) from error
            except httpx.HTTPError as error:
                raise CommandError(failures.unreachable(connection.server, error)) from error

    try:
        return asyncio.run(main())
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _with_credential(connection: Connection) -> Connection:
    """Its plugin asked; this program itself needs no second process for it."""
    file = logins.behind(connection.plugin) if connection.plugin else None
    if file is None:
        return connection.asked()
    return replace(connection, token=logins.fresh(file).id_token)


def places(ctx: typer.Context) -> Places:
    found = ctx.find_root().obj
    if not isinstance(found, Places):
        raise CommandError("The program was started without its settings; use the command `portway`.")
    return found


def _check(workspace: str) -> None:
    try:
        WorkspacePath.parse(workspace)
    except InvalidPath as error:
        raise CommandError(f"{error}.".replace("..", ".")) from None


@asynccontextmanager
async def _session(connection: Connection, workspace: str) -> AsyncIterator[Session]:
    client = connection.client()
    try:
        yield Session(client.at(workspace) if workspace else client, connection)
    finally:
        await client.close()
