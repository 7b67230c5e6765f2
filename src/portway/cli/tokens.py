"""``portway token``: tokens of people and programs. Only their hashes are kept, so a token is shown once."""

from __future__ import annotations

import base64
import datetime
import hashlib
import secrets
from pathlib import Path
from typing import Annotated

import typer

from portway.apis import resources
from portway.cli import contexts, credentials, logins, options, output
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.kit import namelists
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

program = typer.Typer(
    help="Tokens of people and programs (made, shown and ended by members of system:masters).", no_args_is_help=True
)

NAMESPACE = "portway-system"
_TYPE = "portway.dev/token"
_LAST_USED = "portway.dev/last-used"


@program.command()
def create(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whose it is, such as ada or deploy-bot.")],
    groups: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="A group of the user; may be given often.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 90,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Make a token and print it. It cannot be shown again."""
    from portway.apiserver.tokens import PREFIX, SECRET_TYPE, digest  # heavy: other commands start without it

    token = PREFIX + secrets.token_urlsafe(32)
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    data = {
        "hash": digest(token),
        "user": user,
        "groups": namelists.joined(groups or []),
        "description": description,
        "expires": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    secret: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": SECRET_TYPE,
        "metadata": {"name": _name(token), "namespace": NAMESPACE},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }

    async def work(session: contexts.Session) -> None:
        await session.client.create(resources.SECRETS, secret)

    contexts.run(ctx, "root", work)
    output.notes.print(f"Token of {user}, good until {data['expires']}; keep it now, it is not shown again:")
    print(token)


@program.command("list")
def list_tokens(ctx: typer.Context, form: options.Output = Format.TABLE) -> None:
    """Show the tokens there are, without the tokens themselves."""

    async def work(session: contexts.Session) -> list[Manifest]:
        return list((await session.client.list(resources.SECRETS, NAMESPACE, fields=f"type={_TYPE}")).items)

    rows = [_row(secret) for secret in contexts.run(ctx, "root", work)]
    rows.sort(key=lambda row: (row["user"], row["expires"]))
    if form is not Format.TABLE:
        output.print_data(rows, form)
        return
    headings = ("name", "user", "groups", "expires", "lastUsed", "description")
    output.print_table(
        ["NAME", "USER", "GROUPS", "EXPIRES", "LAST USED", "FOR"],
        [[row[key] or "-" for key in headings] for row in rows],
    )


@program.command()
def revoke(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(help="The token itself, or its name in `portway token list`.")],
) -> None:
    """End a token at once."""
    name = _name(what) if what.startswith("pw_") else what

    async def work(session: contexts.Session) -> None:
        try:
            found = await session.client.get(resources.SECRETS, name, NAMESPACE)
            if found.get("type") != _TYPE:
                raise CommandError(f"{name} is no token; `portway token list` shows those there are.")
            await session.client.delete(resources.SECRETS, name, NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise
            raise CommandError(f"There is no token {name}; `portway token list` shows those there are.") from error

    contexts.run(ctx, "root", work)
    output.console.print(f"Revoked {name}.")


@program.command()
def get(
    login: Annotated[Path, typer.Option("--login", metavar="FILE", help="Where `portway login --oidc` kept it.")],
) -> None:
    """Print the token of a log-in at a provider, renewed if it is over, in the form kubectl asks for."""
    credentials.print_login(logins.fresh(login))


def _row(secret: Manifest) -> dict[str, str]:
    data = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
    metadata = secret["metadata"]
    return {
        "name": metadata["name"],
        "user": data.get("user", ""),
        "groups": data.get("groups", ""),
        "expires": data.get("expires", ""),
        "lastUsed": (metadata.get("annotations") or {}).get(_LAST_USED, ""),
        "description": data.get("description", ""),
    }


def _name(token: str) -> str:
    return "token-" + hashlib.sha256(token.encode()).hexdigest()[:16]
