"""``portway validate``: prints the verdicts of ``cli.validating``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from portway.cli import options, output
from portway.cli.output import Format

if TYPE_CHECKING:  # the rules of all kinds are imported by the command itself, so that others start fast
    from portway.cli.validating import Fault, Verdict

VALID, UNKNOWN = "valid", "unknown"
_MARKS = {VALID: "[green]✓[/green]", "invalid": "[red]✗[/red]", UNKNOWN: "[yellow]?[/yellow]"}


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Score files, templates, catalog files, manifests, CRDs; folders of them; - for stdin.",
        ),
    ],
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Pass over kinds that are not known without a server.")
    ] = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Check files without a server: a verdict for each document, with line and field.

    Exit status 1 when a document is not valid. Kinds that CRDs and ResourceTypes among the files define are known.
    """
    from portway.cli import validating

    verdicts = list(validating.check(files, sys.stdin))
    if form is Format.TABLE:
        _print_all(verdicts, ignore_unknown=ignore_unknown)
    else:
        output.print_data([asdict(verdict) | {"outcome": verdict.outcome.value} for verdict in verdicts], form)
    good = {VALID, UNKNOWN} if ignore_unknown else {VALID}
    if not verdicts or not all(verdict.outcome in good for verdict in verdicts):
        raise typer.Exit(1)


def _print_all(verdicts: Sequence[Verdict], *, ignore_unknown: bool) -> None:
    for verdict in verdicts:
        _print(verdict)
    counts = Counter(verdict.outcome.value for verdict in verdicts)
    if not verdicts:
        output.notes.print("No YAML or JSON files there.")
    elif len(verdicts) > 1:
        parts = (f"{counts[outcome]} {outcome}" for outcome in _MARKS if counts[outcome])
        output.console.print(f"{len(verdicts)} documents: {', '.join(parts)}")
    if counts[UNKNOWN] and not ignore_unknown:
        hint = (
            "A kind that is not known here needs its CRD among the files, a server (`kubectl apply --dry-run=server`)"
        )
        output.notes.print(f"{hint}, or --ignore-unknown.", soft_wrap=True)


def _print(verdict: Verdict) -> None:
    place = f"{verdict.file}:{verdict.line}"
    output.console.print(f"{_MARKS[verdict.outcome]} {escape(place)}  {escape(verdict.what)}", soft_wrap=True)
    for fault in verdict.faults:
        output.console.print(f"    {_line(fault)}", soft_wrap=True)
    for remark in verdict.remarks:
        output.console.print(f"    [yellow]note[/yellow] {_line(remark)}", soft_wrap=True)


def _line(fault: Fault) -> str:
    line = f"line {fault.line}: " if fault.line else ""
    field = f"[bold]{escape(fault.field)}[/bold] " if fault.field else ""
    return f"{line}{field}{escape(fault.message)}"
