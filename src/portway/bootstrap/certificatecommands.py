"""``portway certificate``: a kubeconfig with a client certificate. The authority's key is on this machine only."""

from __future__ import annotations

import datetime
import os
from typing import Annotated

import typer

from portway.bootstrap import settings
from portway.bootstrap.errors import StartError


def certificate(
    user: Annotated[str, typer.Argument(help="The user's name.")],
    groups: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="A group of the user; may be given often.")
    ] = None,
    hours: Annotated[int, typer.Option(min=1, max=8760, help="How long it is good; it cannot be revoked.")] = 24,
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="Of the kubeconfig's context.")] = "root",
) -> None:
    """Print a kubeconfig that logs in with a client certificate made for a user."""
    from portway.bootstrap import certificates  # heavy: other commands start without it
    from portway.client import kubeconfig

    current = settings.read(os.environ)
    if not current.ca_certificate.is_file():
        raise StartError(f"{current.home} has no certificate authority yet; start Portway once with `portway up`.")
    life, now = datetime.timedelta(hours=hours), datetime.datetime.now(datetime.UTC)
    issued, key = certificates.issue_client(current.home / "pki", user, groups or [], life, now)
    text = kubeconfig.render(
        current.secure_address,
        [kubeconfig.Context(workspace, workspace)],
        ca=current.ca_certificate.read_text(),
        user=user,
        certificate=(issued, key),
    )
    print(text, end="" if text.endswith("\n") else "\n")
