"""Commands that start and stop Portway, added to the commands of ``portway.cli``."""

from __future__ import annotations

import typer

program = typer.Typer(name="portway", no_args_is_help=True)
