"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from portway.cli.output import Format

Workspace = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        envvar="PORTWAY_WORKSPACE",
        help="Workspace, such as root:acme:payments; default: that of the current kubeconfig context.",
        show_default=False,
    ),
]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Namespace (an environment has one of its name).", show_default=False)
]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")]
Set = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=VALUE", help="A value of the form; may be given often.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: take the defaults for what is not given.")]
