"""``portway ws``: look at the tree of workspaces, move in it and make new ones, as ``kubectl ws`` does.

Moving changes the current context of the kubeconfig, for kubectl and all other commands too.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
from rich.markup import escape
from rich.tree import Tree

from portway.apis import resources
from portway.cli import contexts, output
from portway.cli.errors import CommandError
from portway.client import kubeconfig, kubecontexts
from portway.client.rest import RestClient
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.tenancy import paths
from portway.tenancy.paths import InvalidPath, WorkspacePath

_READY_SECONDS = 60.0
_WORKSPACE_OF_GROUP = "portway.dev/workspace"


class _Words(typer.core.TyperGroup):
    """``portway ws acme`` is ``portway ws use acme``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and (args[0] == "-" or not args[0].startswith("-")):
            args = ["use", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """A single ``-`` is a place, not an option."""
        return super().parse_args(ctx, ["use", *args] if args[:1] == ["-"] else args)


program = typer.Typer(cls=_Words, help="Move in the tree of workspaces, show it, make new ones.", no_args_is_help=False)


@program.callback(invoke_without_command=True)
def main(ctx: typer.Context) -> None:
    """Without a word: print the current workspace."""
    if ctx.invoked_subcommand is None:
        current(ctx)


@program.command()
def current(
    ctx: typer.Context, short: Annotated[bool, typer.Option("--short", help="Print the path only.")] = False
) -> None:
    """Print the current workspace."""
    _, connection = _opened(ctx)
    _say(connection.workspace, short=short)


@program.command()
def use(
    ctx: typer.Context,
    where: Annotated[str, typer.Argument(help="A path from root, or below here; `..` up, `~` home, `-` back.")],
    short: Annotated[bool, typer.Option("--short", help="Print the path only.")] = False,
) -> None:
    """Enter a workspace."""
    file, connection = _opened(ctx)
    if where == "-":
        try:
            kubecontexts.go_back(file)
        except kubeconfig.KubeconfigError as error:
            raise CommandError(f"{error}.") from error
        _say(kubeconfig.load(file).workspace, short=short)
        return

    async def work(session: contexts.Session) -> str:
        client = session.client
        path = await _home(client) if where == "~" else resolve(await _path(client), where)
        await _check(client, path)
        return path

    path = contexts.run(ctx, "", work)
    kubecontexts.enter(file, connection.server, path)
    _say(path, short=short)


@program.command()
def tree(ctx: typer.Context) -> None:
    """Show the workspaces below the current one."""

    async def work(session: contexts.Session) -> Tree:
        path = await _path(session.client)
        shown = Tree(f"[bold]{escape(path)}[/bold]")
        await _grow(session.client.at(path), path, shown)
        return shown

    output.console.print(contexts.run(ctx, "", work))


@program.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the new workspace, below the current one.")],
    type_: Annotated[str, typer.Option("--type", help="Its type, such as team or root:acme:squad.")] = "",
    enter: Annotated[bool, typer.Option("--enter", help="Enter it when it is ready.")] = False,
    ignore_existing: Annotated[bool, typer.Option("--ignore-existing", help="Be content when it is there.")] = False,
) -> None:
    """Make a workspace below the current one, and wait until it is ready."""
    file, connection = _opened(ctx)

    async def work(session: contexts.Session) -> tuple[str, Manifest]:
        path = await _path(session.client)
        made = await _make(session.client, name, type_, ignore_existing=ignore_existing)
        return f"{path}:{name}", made

    path, made = contexts.run(ctx, "", work)
    reference = made["spec"]["type"]
    output.console.print(
        f"Workspace {escape(name)} (type {escape(reference['path'])}:{escape(reference['name'])}) is ready to use.",
        soft_wrap=True,
    )
    if enter:
        kubecontexts.enter(file, connection.server, path)
        _say(path, short=False)


def resolve(current: str, word: str) -> str:
    """The path a word means: ``root:…`` and ``:root:…`` from the top, else below ``current``; ``..`` goes up.

    Raises CommandError.
    """
    word = word.replace("/", ":")
    if word in (".", ""):
        return current
    if word == ":":
        return paths.ROOT_NAME
    tops = (":", f"{paths.ROOT_NAME}:", f"{paths.HOME_NAME}:")
    absolute = word.startswith(tops) or word == paths.ROOT_NAME
    names = [] if absolute else current.split(":")
    for part in word.strip(":").split(":"):
        if part == "..":
            if len(names) < (3 if names[:1] == [paths.HOME_NAME] else 2):
                raise CommandError(f"There is nothing above {current}.")
            names.pop()
        elif part != ".":
            names.append(part)
    try:
        return str(WorkspacePath.parse(":".join(names)))
    except InvalidPath as error:
        raise CommandError(f"{error}.") from None


def _opened(ctx: typer.Context) -> tuple[Path, kubeconfig.Connection]:
    file = next((f for f in contexts.places(ctx).kubeconfigs if f.is_file()), None)
    if file is None:
        raise CommandError("No Portway is known here. Start one with `portway up`, or log in with `portway login URL`.")
    try:
        return file, kubeconfig.load(file)
    except kubeconfig.KubeconfigError as error:
        raise CommandError(f"{error}.") from error


async def _path(client: RestClient) -> str:
    """Of the current workspace, which the kubeconfig may name by its logical cluster."""
    if client.workspace == paths.ROOT_NAME or ":" in client.workspace:
        return client.workspace
    cluster = await client.get(resources.LOGICAL_CLUSTERS, "cluster")
    return str(cluster["metadata"]["annotations"]["kcp.io/path"])


async def _home(client: RestClient) -> str:
    """The workspace of a group of the user; without one, what kcp calls the home of the user."""
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    root = client.at(paths.ROOT_NAME)
    me = await root.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", asked)
    groups = me["status"]["userInfo"].get("groups") or ()
    for group in groups:
        name = group.rpartition(":")[2]
        for workspace in await _groups(client):
            if workspace["metadata"]["name"] == name.lower():
                home = (workspace["metadata"].get("annotations") or {}).get(_WORKSPACE_OF_GROUP)
                if home:
                    return str(home)
    try:
        home = (await root.get(resources.WORKSPACES, "~"))["spec"]["URL"].rpartition("/clusters/")[2]
    except StatusError as error:
        if error.code not in (403, 404):
            raise
        return paths.ROOT_NAME  # homes are switched off
    return str(home)


async def _groups(client: RestClient) -> list[Manifest]:
    path = WorkspacePath.parse(await _path(client))
    found: list[Manifest] = []
    for place in (path, *path.ancestors()):
        try:
            found += (await client.at(str(place)).list(resources.GROUPS)).items
        except StatusError:
            continue  # not readable for this user: another place may be
    return found


async def _check(client: RestClient, path: str) -> None:
    """Whether the user may enter: asked of the workspace itself, as nobody else may say that it exists."""
    try:
        await client.at(path).read("/api")
    except StatusError as error:
        if error.code != 403:
            raise
        raise CommandError(f"There is no workspace {path}, or you have no access to it.") from error


async def _grow(client: RestClient, path: str, branch: Tree) -> None:
    try:
        found = (await client.at(path).list(resources.WORKSPACES)).items
    except StatusError as error:
        if error.code in (403, 404):
            return  # the user may not look below here
        raise
    for item in sorted(found, key=lambda each: str(each["metadata"]["name"])):
        name, phase = item["metadata"]["name"], (item.get("status") or {}).get("phase", "")
        shown = escape(name) if phase == "Ready" else f"{escape(name)} [dim]({escape(phase)})[/dim]"
        await _grow(client, f"{path}:{name}", branch.add(shown))


async def _make(client: RestClient, name: str, type_: str, *, ignore_existing: bool) -> Manifest:
    spec: dict[str, Any] = {}
    if type_:
        where, _, type_name = type_.rpartition(":")
        spec["type"] = {"name": type_name.lower(), **({"path": where} if where else {})}
    manifest = {
        "apiVersion": resources.WORKSPACES.api_version,
        "kind": "Workspace",
        "metadata": {"name": name},
        "spec": spec,
    }
    try:
        made = await client.create(resources.WORKSPACES, manifest)
    except StatusError as error:
        if error.reason != "AlreadyExists" or not ignore_existing:
            raise
        made = await client.get(resources.WORKSPACES, name)
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while (made.get("status") or {}).get("phase") != "Ready":
                await asyncio.sleep(0.2)
                made = await client.get(resources.WORKSPACES, name)
    except TimeoutError:
        waits = ", ".join((made.get("status") or {}).get("initializers") or ()) or "the server"
        raise CommandError(f"Workspace {name} is made but not ready yet: it waits for {waits}.") from None
    return made


def _say(path: str, *, short: bool) -> None:
    output.console.print(escape(path) if short else f"Current workspace is {escape(path)}.", soft_wrap=True)
