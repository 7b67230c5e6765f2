"""``portway login``, ``kubeconfig`` and ``open``: who one is, for kubectl and for the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from portway.apis import resources
from portway.cli import contexts, options, output
from portway.cli.errors import CommandError
from portway.client import kubeconfig
from portway.client.kubeconfig import Context
from portway.krm.errors import StatusError


def login(
    ctx: typer.Context,
    server: Annotated[str, typer.Argument(help="Address, such as https://127.0.0.1:8700.")],
    token: Annotated[str, typer.Option("--token", prompt=True, hide_input=True, help="Your token.")],
    ca: Annotated[Path | None, typer.Option("--ca", help="Certificate of the server's authority.")] = None,
    workspace: options.Workspace = "root",
) -> None:
    """Remember a server and a token for the commands that follow."""
    where = contexts.places(ctx)
    authority = ca.read_text() if ca else ""
    text = kubeconfig.render(server, [Context(workspace, workspace)], token=token, ca=authority, current=workspace)
    kubeconfig.write(where.own_kubeconfig, text)
    own = contexts.Places((where.own_kubeconfig,), where.own_kubeconfig)

    async def work(session: contexts.Session) -> str:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = await session.client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
        except StatusError as error:
            where.own_kubeconfig.unlink(missing_ok=True)
            raise CommandError(f"{server} refused the token: {error.message}") from error
        return str(answer["status"]["userInfo"]["username"])

    ctx.find_root().obj = own
    user = contexts.run(ctx, workspace, work)
    output.console.print(f"Logged in to {server} as {user}; written to {where.own_kubeconfig}.")


def print_kubeconfig(ctx: typer.Context, workspace: options.Workspace = "") -> None:
    """Print a kubeconfig whose current context is a workspace."""

    async def work(session: contexts.Session) -> None:
        client = session.client
        try:
            await client.list(resources.NAMESPACES)
        except StatusError as error:
            raise CommandError(f"{client.workspace}: {error.message}") from error
        connection = session.connection
        here = [Context(client.workspace, client.workspace)]
        text = kubeconfig.render(connection.server, here, token=connection.token, ca=connection.tls.ca)
        print(text, end="" if text.endswith("\n") else "\n")

    contexts.run(ctx, workspace, work)


def open_portal(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(help="Page, such as /catalog.")] = "/",
    browser: Annotated[bool, typer.Option(help="Open it in the browser, not only print it.")] = True,
) -> None:
    """Open the portal, logged in by a link that works once."""

    async def work(session: contexts.Session) -> str:
        async with session.plain() as http:
            answer = await http.post("/session/links", params={"next": path})
        if answer.status_code != 200:
            raise CommandError(f"The server made no log-in link: {answer.text.strip()}")
        return str(answer.json()["url"])

    url = contexts.run(ctx, "root", work)
    output.console.print(url, soft_wrap=True)
    if browser:
        webbrowser.open(url)
