"""``portway certificate``: client certificates. The authority's key is on this machine only; what was made is written
down in the API, where it can be revoked.
"""

from __future__ import annotations

import base64
import datetime
import os
import re
from typing import TYPE_CHECKING, Annotated

import typer

from portway.apis import resources
from portway.bootstrap import settings
from portway.bootstrap.errors import StartError
from portway.cli import contexts, options, output
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.kit import clocks, namelists
from portway.krm.identity import Manifest

if TYPE_CHECKING:
    from portway.bootstrap.certificates import Issued

program = typer.Typer(help="Client certificates (for who administers this machine).", no_args_is_help=True)

NAMESPACE = "portway-system"
_TYPE = "portway.dev/certificate"
_LONGEST_HOURS = 8760
_SERIAL = re.compile(r"[0-9a-fA-F:]{8,}")


@program.command()
def create(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="The user's name.")],
    groups: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="A group of the user; may be given often.")
    ] = None,
    hours: Annotated[int, typer.Option(min=1, max=_LONGEST_HOURS, help="How long it is good.")] = 24,
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="Of the kubeconfig's context.")] = "root",
) -> None:
    """Print a kubeconfig that logs in with a client certificate made for a user."""
    from portway.bootstrap import certificates  # heavy: other commands start without it
    from portway.client import kubeconfig

    current = settings.read(os.environ)
    if not current.ca_certificate.is_file():
        raise StartError(f"{current.home} has no certificate authority yet; start Portway once with `portway up`.")
    issued = certificates.issue_client(
        current.home / "pki", user, groups or [], datetime.timedelta(hours=hours), _now()
    )
    _write_down(ctx, issued, user, groups or [])
    text = kubeconfig.render(
        current.secure_address,
        [kubeconfig.Context(workspace, workspace)],
        ca=current.ca_certificate.read_text(),
        user=user,
        certificate=(issued.certificate, issued.key),
    )
    print(text, end="" if text.endswith("\n") else "\n")


@program.command("list")
def list_certificates(ctx: typer.Context, form: options.Output = Format.TABLE) -> None:
    """Show the certificates that were made, and those that were revoked."""

    async def work(session: contexts.Session) -> list[Manifest]:
        return await _all(session)

    rows = sorted(map(_row, contexts.run(ctx, "root", work)), key=lambda row: (row["user"], row["expires"]))
    if form is not Format.TABLE:
        output.print_data(rows, form)
        return
    headings = ("serial", "user", "groups", "expires", "revoked")
    output.print_table(
        ["SERIAL", "USER", "GROUPS", "EXPIRES", "REVOKED"], [[row[key] or "-" for key in headings] for row in rows]
    )


@program.command()
def revoke(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="SERIAL|USER", help="A serial number, or whose all of them.")],
) -> None:
    """End certificates at once."""

    async def work(session: contexts.Session) -> list[str]:
        known = await _all(session)
        serial = what.replace(":", "").lower().lstrip("0")
        chosen = [each for each in known if serial == _row(each)["serial"] or what == _row(each)["user"]]
        if chosen:
            for secret in chosen:
                data = {**secret["data"], "revoked": secret["data"].get("revoked") or _encoded(_stamp())}
                await session.client.update(resources.SECRETS, {**secret, "data": data})
            return [_row(each)["serial"] for each in chosen]
        if not _SERIAL.fullmatch(what):
            raise CommandError(f"There is no certificate {what}; `portway certificate list` shows those there are.")
        last = _now() + datetime.timedelta(hours=_LONGEST_HOURS)
        unknown = _secret(serial, expires=clocks.rfc3339(last), revoked=_stamp())
        await session.client.create(resources.SECRETS, unknown)
        return [serial]

    for serial in contexts.run(ctx, "root", work):
        output.console.print(f"Revoked {serial}.")


def _write_down(ctx: typer.Context, issued: Issued, user: str, groups: list[str]) -> None:
    record = _secret(issued.serial, user=user, groups=namelists.joined(groups), expires=clocks.rfc3339(issued.expires))

    async def work(session: contexts.Session) -> None:
        for each in await _all(session):
            if _row(each)["expires"] < _stamp():
                await session.client.delete(resources.SECRETS, each["metadata"]["name"], NAMESPACE)
        await session.client.create(resources.SECRETS, record)

    try:
        contexts.run(ctx, "root", work)
    except CommandError as error:
        output.notes.print(
            f"Note: it is not in `portway certificate list` ({str(error).rstrip('.')}). "
            f"Keep its serial number, should it have to be revoked: {issued.serial}",
            soft_wrap=True,
            markup=False,
        )


async def _all(session: contexts.Session) -> list[Manifest]:
    return list((await session.client.list(resources.SECRETS, NAMESPACE, fields=f"type={_TYPE}")).items)


def _secret(serial: str, **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": _TYPE,
        "metadata": {"name": f"certificate-{serial}", "namespace": NAMESPACE},
        "data": {key: _encoded(value) for key, value in data.items()},
    }


def _row(secret: Manifest) -> dict[str, str]:
    data = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
    serial = secret["metadata"]["name"].removeprefix("certificate-")
    return {"serial": serial, **{key: data.get(key, "") for key in ("user", "groups", "expires", "revoked")}}


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _stamp() -> str:
    return clocks.rfc3339(_now())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
