"""What commands print: tables for people, JSON and YAML for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from ryaml import dumps  # type: ignore[attr-defined]  # it lists no exports

from portway.runtime import conditions

console = Console(highlight=False)
warnings = Console(stderr=True, highlight=False)

_COLOURS = {
    "healthy": "green",
    "Succeeded": "green",
    "True": "green",
    "Ready": "green",
    "degraded": "red",
    "Failed": "red",
    "False": "yellow",
    "progressing": "yellow",
    "Running": "yellow",
}


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def print_data(value: Any, form: Format) -> None:
    """Print a value as JSON or YAML."""
    if form is Format.JSON:
        print(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        print(str(dumps(value)).strip())


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as needed; on a pipe nothing is cut."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=not console.is_terminal, overflow="fold")
    for row in rows:
        table.add_row(*(coloured(cell) for cell in row))
    if console.is_terminal:
        console.print(table)
    else:
        widths = [max(len(r[i]) for r in [headings, *rows]) for i in range(len(headings))]
        for row in [headings, *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def coloured(text: str) -> str:
    """Markup for a word that says a state."""
    colour = _COLOURS.get(text)
    return f"[{colour}]{escape(text)}[/{colour}]" if colour else escape(text)


def state_of(manifest: dict[str, Any]) -> str:
    """One word for how an object is: its health, its phase, or Ready."""
    status = manifest.get("status") or {}
    if status.get("health") and status["health"] != "unknown":
        return str(status["health"])
    if status.get("phase"):
        return str(status["phase"])
    ready = conditions.get(manifest, "Ready")
    if ready is None:
        return ""
    return "Ready" if ready["status"] == "True" else str(ready.get("reason") or "NotReady")


def message_of(manifest: dict[str, Any]) -> str:
    """Why an object is not ready, if it says so."""
    ready = conditions.get(manifest, "Ready")
    if ready is not None and ready["status"] != "True":
        return str(ready.get("message") or "")
    return str((manifest.get("status") or {}).get("message") or "")
