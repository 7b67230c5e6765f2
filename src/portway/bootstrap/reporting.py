"""What a person sees on the terminal while something takes its time: one line a step, as it happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Reporter:
    """Writes steps to a console; plain lines, so that a log of it reads well too."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def headline(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/bold]", soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Note]:
        """A step that succeeds or raises; its duration is printed with it."""
        note = Note()
        started = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(title):
                yield note
        else:
            yield note
        self.done(title, note.text, time.monotonic() - started)

    def done(self, title: str, text: str = "", seconds: float | None = None) -> None:
        took = "" if seconds is None else f"  [dim]{_duration(seconds)}[/dim]"
        detail = f"  [dim]{text}[/dim]" if text else ""
        self.console.print(f"  [green]✓[/green] {title}{detail}{took}", highlight=False, soft_wrap=True)

    def failed(self, title: str, text: str) -> None:
        self.console.print(f"  [red]✗[/red] {title}  {text}", highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        self.console.print(f"    [dim]{text}[/dim]", highlight=False, soft_wrap=True, markup=True)


class Note:
    """What a step wants to say beside its title when it is done."""

    def __init__(self) -> None:
        self.text = ""


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
