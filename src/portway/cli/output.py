"""What commands print: tables for people, JSON and YAML for programs.

Results go to the standard output; progress, questions and remarks go to ``notes`` as soon as the result is data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portway.krm import encoding
from portway.runtime import conditions

console = Console(highlight=False)
notes = Console(stderr=True, highlight=False)

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


def progress_console(form: Format) -> Console:
    """Where to say what happens meanwhile, so that data stay parseable."""
    return console if form is Format.TABLE else notes


def print_data(value: Any, form: Format) -> None:
    """Print a value as JSON or YAML."""
    if form is Format.JSON:
        print(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        print(encoding.to_yaml(value), end="")


def for_people(manifest: dict[str, Any]) -> dict[str, Any]:
    """An object without the bookkeeping of server-side apply, which kubectl hides too."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    return {**manifest, "metadata": metadata}


def as_list(manifests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A ``v1 List``, which kubectl reads too."""
    return {"apiVersion": "v1", "kind": "List", "items": [for_people(each) for each in manifests]}


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as needed; on a pipe nothing is cut."""
    if console.is_terminal:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(coloured(cell) for cell in row))
        console.print(table)
        return
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
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
