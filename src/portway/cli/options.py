"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from portway.cli.output import Format

Workspace = Annotated[
    str, typer.Option("--workspace", "-w", help="Workspace path, such as root:acme:payments; default: the current one.")
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Namespace (an environment has one of its name).")]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
Set = Annotated[list[str], typer.Option("--set", help="A value of the form: name=value. May be given often.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
