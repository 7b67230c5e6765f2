"""``portway validate``: prints the verdicts of ``cli.validating``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from portway.cli import options, output, validating
from portway.cli.output import Format


def validate(
    files: Annotated[list[Path], typer.Argument(help="Score files, templates, catalog files or manifests.")],
    form: options.Output = Format.TABLE,
) -> None:
    """Check files without a server: a verdict for each document, with line and field."""
    verdicts = [verdict for file in files for verdict in validating.check_file(file)]
    if form is Format.TABLE:
        for verdict in verdicts:
            _print(verdict)
    else:
        output.print_data([{**asdict(v), "valid": v.is_valid} for v in verdicts], form)
    if not all(verdict.is_valid for verdict in verdicts):
        raise typer.Exit(1)


def _print(verdict: validating.Verdict) -> None:
    mark = "[green]✓[/green]" if verdict.is_valid else "[red]✗[/red]"
    place = f"{verdict.file}:{verdict.line}"
    output.console.print(f"{mark} {escape(place)}  {escape(verdict.what)}", soft_wrap=True)
    for fault in verdict.faults:
        field = f"[bold]{escape(fault.field)}[/bold] " if fault.field else ""
        output.console.print(f"    line {fault.line}: {field}{escape(fault.message)}", soft_wrap=True)
