"""``portway login``, ``kubeconfig`` and ``open``: who one is, for kubectl and for the browser."""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from portway.apis import resources
from portway.cli import contexts, failures, logins, options, output, signingon
from portway.cli.errors import CommandError
from portway.cli.logins import Login
from portway.client import kubeconfig
from portway.client.http import Tls
from portway.client.kubeconfig import Connection, Context
from portway.client.plugins import Plugin
from portway.kit import lazily
from portway.krm.errors import StatusError

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def login(
    ctx: typer.Context,
    server: Annotated[str, typer.Argument(metavar="URL", help="Address, such as https://127.0.0.1:8700.")],
    token: Annotated[
        str,
        typer.Option(
            "--token", envvar="PORTWAY_TOKEN", help="Your token; asked for when left out.", show_default=False
        ),
    ] = "",
    ca: Annotated[
        Path | None, typer.Option("--ca", help="File with the certificate of the server's authority.")
    ] = None,
    workspace: options.Workspace = "",
    oidc: Annotated[bool, typer.Option("--oidc", help="Log in with the browser, at your company's provider.")] = False,
    issuer: Annotated[
        str, typer.Option("--issuer", help="Which provider, when there are several.", show_default=False)
    ] = "",
    browser: Annotated[bool, typer.Option(help="With --oidc: open the browser, not only print the address.")] = True,
    device: Annotated[
        bool, typer.Option("--device", help="As --oidc, for machines without a browser: by a code typed elsewhere.")
    ] = False,
) -> None:
    """Remember a server and a token for the commands that follow."""
    where = contexts.places(ctx)
    address = _address(server)
    authority = _authority(ca, where, address)
    login = None
    if not token and (oidc or issuer or device):
        token, login = _ask_provider(address, authority, issuer, browser=browser, device=device)
    given = token or _ask_token()
    current = workspace or "root"
    connection = Connection(address, current, "default", given, Tls(ca=authority))

    async def work(session: contexts.Session) -> str:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = await session.client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
            return str(answer["status"]["userInfo"]["username"])
        except KeyError as error:
            raise CommandError(f"{address} does not answer as Portway does; is the address right?") from error
        except StatusError as error:
            if error.code == 401:
                raise CommandError(f"{address} refused the token; nothing was changed.") from error
            if error.reason == "Unknown":
                raise CommandError(f"{address} does not answer as Portway does; is the address right?") from error
            raise

    user = contexts.run_with(connection, "--token", current, work)
    plugin = _kept(where, login) if login else None
    text = kubeconfig.render(
        address, [Context(current, current)], token=given, ca=authority, user=user, current=current, plugin=plugin
    )
    kubeconfig.write(where.own_kubeconfig, text)
    output.console.print(f"Logged in to {address} as {user}; kept in {where.own_kubeconfig}.", soft_wrap=True)
    first = next((file for file in where.kubeconfigs if file.is_file()), where.own_kubeconfig)
    if first != where.own_kubeconfig:
        output.notes.print(
            f"Note: {first} comes first here; use this log-in with PORTWAY_KUBECONFIG={where.own_kubeconfig}.",
            soft_wrap=True,
        )


def _address(text: str) -> str:
    parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError(f"{text!r} is no address; expected one such as https://127.0.0.1:8700.")
    return f"{parts.scheme}://{parts.netloc}"


def _authority(file: Path | None, where: contexts.Places, address: str) -> str:
    """The given certificate; for a Portway on this machine its own."""
    local = where.authority if urlsplit(address).hostname in _LOOPBACK else None
    chosen = file or (local if local is not None and local.is_file() else None)
    if chosen is None:
        return ""
    try:
        text = chosen.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--ca {chosen} cannot be read: {getattr(error, 'strerror', 'it is no text')}.") from None
    if "BEGIN CERTIFICATE" not in text:
        raise CommandError(f"--ca {chosen} holds no certificate; expected PEM text.")
    return text


def _ask_provider(
    address: str, authority: str, issuer: str, *, browser: bool, device: bool
) -> tuple[str, Login | None]:
    """A token, and the log-in that brings the next one if the provider renews it."""
    try:
        found = asyncio.run(signingon.log_in(address, authority, issuer, browser=browser, device=device))
    except httpx.TransportError as error:
        raise CommandError(f"{address} does not answer: {error}.") from error
    if "id_token" not in found:
        return str(found["token"]), None
    login = Login(address, authority, str(found["issuer"]), str(found["id_token"]), str(found["refresh_token"]))
    return login.id_token, login


def _kept(where: contexts.Places, login: Login) -> Plugin:
    file = logins.file_of(where.logins, login.server, login.issuer)
    logins.keep(file, login)
    return logins.plugin(where.command, file)


def _ask_token() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Token", hide_input=True, err=True))
    token = sys.stdin.readline().strip()
    if not token:
        raise CommandError("Give a token: --token, PORTWAY_TOKEN, or on the standard input.")
    return token


def print_kubeconfig(ctx: typer.Context, workspace: options.Workspace = "") -> None:
    """Print a kubeconfig whose current context is a workspace."""

    async def work(session: contexts.Session) -> None:
        client, connection = session.client, session.connection
        try:
            await client.list(resources.NAMESPACES)
        except StatusError as error:
            if error.code == 403 and not failures.is_about_access(error):
                pass  # one who may enter but not list namespaces has a good kubeconfig all the same
            else:
                raise
        here = [Context(client.workspace, client.workspace)]
        text = kubeconfig.render(
            connection.server, here, token=connection.token, ca=connection.tls.ca, plugin=connection.plugin
        )
        print(text, end="" if text.endswith("\n") else "\n")

    contexts.run(ctx, workspace, work)


def open_portal(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PAGE", help="Page of the portal, such as /catalog.")] = "/",
    browser: Annotated[bool, typer.Option(help="Open it in the browser, not only print it.")] = True,
) -> None:
    """Open the portal, logged in by a link that works once."""

    async def work(session: contexts.Session) -> str:
        async with session.plain() as http:
            answer = await http.post("/session/links", params={"next": f"/{path.lstrip('/')}"})
        if answer.status_code == 200:
            return str(answer.json()["url"])
        raise StatusError(answer.status_code, "", answer.text.strip() or "the server made no log-in link")

    url = contexts.run(ctx, "", work)
    output.console.print(url, soft_wrap=True)
    if browser and sys.stdout.isatty():
        webbrowser.open(url)
