"""Following an object until it is where it should be, with its steps shown as they happen.

On a terminal a line at the bottom says what is awaited and for how long; elsewhere each news is a line of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from portway.apis.platform import FINISHED, Phase, StepStatus
from portway.cli import output
from portway.cli.errors import CommandError
from portway.client.contract import Client, Resource
from portway.krm.identity import Manifest
from portway.runtime import conditions

_LOOK_SECONDS = 0.1
_LONGEST_NEWS = 200


@dataclass(frozen=True, slots=True)
class Awaited:
    """What is followed, and where to tell about it."""

    client: Client
    resource: Resource
    name: str
    namespace: str
    console: Console

    @property
    def title(self) -> str:
        return f"{self.resource.kind} {self.name}"

    async def look(self) -> Manifest:
        return await self.client.get(self.resource, self.name, self.namespace)

    @property
    def hint(self) -> str:
        where = f"-w {self.client.workspace} -n {self.namespace}"
        return f"portway explain {self.resource.plural}/{self.name} {where}"


async def until_ready(awaited: Awaited, *, seconds: float) -> Manifest:
    """The object once it is Ready. Raises CommandError when it is not in time or says that it never will be."""
    manifest: Manifest = {}
    with _left_alone(awaited), _shown(awaited) as news:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    manifest = await awaited.look()
                    if conditions.is_true(manifest):
                        return manifest
                    _give_up_if_hopeless(awaited, manifest)
                    news.tell(str((conditions.get(manifest, "Ready") or {}).get("message") or ""))
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            why = output.message_of(manifest).rstrip(".") or "it gave no reason"
            raise CommandError(
                f"{awaited.title} is not ready after {seconds:.0f} s: {why}. It goes on by itself; `{awaited.hint}` "
                "shows more."
            ) from None


def _give_up_if_hopeless(awaited: Awaited, manifest: Manifest) -> None:
    ready = conditions.get(manifest, "Ready")
    lines = (manifest.get("status") or {}).get("match") or []
    if ready and ready["status"] == "False" and lines and not any(line.get("chosen") for line in lines):
        why = str(ready.get("message") or "").rstrip(".")
        raise CommandError(f"{awaited.title} cannot be made: {why}. Change it or delete it; `{awaited.hint}`.")


async def until_finished(
    awaited: Awaited, steps_of: Callable[[Manifest], tuple[Phase, str, list[StepStatus]]]
) -> Manifest:
    """A run once it is over; prints each step and its log as they come. Raises CommandError when it failed."""
    told = _Told(awaited.console)
    with _left_alone(awaited), _shown(awaited) as news:
        while True:
            manifest = await awaited.look()
            phase, message, steps = steps_of(manifest)
            for step in steps:
                told.tell(step)
            if phase in FINISHED:
                if phase is not Phase.SUCCEEDED:
                    why = message.rstrip(".") or "it gave no reason"
                    raise CommandError(f"{awaited.title} {phase.value.lower()}: {why}. See `{awaited.hint}`.")
                return manifest
            news.steps(steps)
            await asyncio.sleep(_LOOK_SECONDS)


@contextmanager
def _left_alone(awaited: Awaited) -> Iterator[None]:
    """Ctrl-C ends the looking, not what is looked at: say so."""
    try:
        yield
    except asyncio.CancelledError:
        awaited.console.print(f"{escape(awaited.title)} goes on by itself; see `{awaited.hint}`.", soft_wrap=True)
        raise


@dataclass(slots=True)
class _News:
    """The bottom line of a terminal, or lines of a log."""

    awaited: Awaited
    progress: Progress
    last: str = ""

    def tell(self, message: str) -> None:
        """Something that it waits for now."""
        message = " ".join(message.split())[:_LONGEST_NEWS]
        if message and message != self.last:
            self.last = message
            if self.awaited.console.is_terminal:
                self._describe(message)
            else:
                self.awaited.console.print(f"  {escape(message)}", soft_wrap=True)

    def steps(self, steps: list[StepStatus]) -> None:
        """How far it is."""
        current = next((step for step in steps if step.phase is Phase.RUNNING), None)
        done = sum(step.phase in FINISHED for step in steps)
        self._describe((current.message or current.name or current.id) if current else "")
        self.progress.update(self.progress.task_ids[0], total=len(steps) or None, completed=done)

    def _describe(self, message: str) -> None:
        text = f"{self.awaited.title}: {message}" if message else self.awaited.title
        room = max(20, self.awaited.console.width - 60)
        self.progress.update(self.progress.task_ids[0], description=escape(text[:room]))


@contextmanager
def _shown(awaited: Awaited) -> Iterator[_News]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn())
    progress = Progress(
        *columns,
        TimeElapsedColumn(),
        console=awaited.console,
        transient=True,
        disable=not awaited.console.is_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    progress.add_task(escape(awaited.title), total=None)
    with progress:
        yield _News(awaited, progress)


@dataclass(slots=True)
class _Told:
    """What has been printed of a run's steps."""

    console: Console
    lines: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def tell(self, step: StepStatus) -> None:
        if step.phase is Phase.PENDING or step.id in self.ended:
            return
        for line in step.log[self.lines.get(step.id, 0) :]:
            self.console.print(f"    [dim]{escape(line)}[/dim]", soft_wrap=True)
        self.lines[step.id] = len(step.log)
        if step.phase in FINISHED:
            mark = {Phase.FAILED: "[red]✗[/red]", Phase.SUCCEEDED: "[green]✓[/green]"}.get(step.phase, "·")
            text = f"  {mark} {escape(step.name or step.id)}  {escape(step.message)}"
            self.console.print(text.rstrip(), soft_wrap=True)
            self.ended.add(step.id)
