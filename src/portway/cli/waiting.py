"""Following an object until it is where it should be, with its steps shown as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rich.markup import escape

from portway.apis.platform import FINISHED, Phase, StepStatus
from portway.cli import output
from portway.cli.errors import CommandError
from portway.client.contract import Client, Resource
from portway.krm.identity import Manifest
from portway.runtime import conditions

_LOOK_SECONDS = 0.1


async def until_ready(
    client: Client, resource: Resource, name: str, namespace: str | None, *, seconds: float
) -> Manifest:
    """The object once it is Ready; what it waits for is shown meanwhile. Raises CommandError."""
    manifest: Manifest = {}
    with output.console.status(f"{resource.kind} {name}") as spinner:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    manifest = await client.get(resource, name, namespace)
                    if conditions.is_true(manifest):
                        return manifest
                    ready = conditions.get(manifest, "Ready") or {}
                    if ready.get("message"):
                        spinner.update(f"{resource.kind} {name}: {escape(str(ready['message'])[:200])}")
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            why = output.message_of(manifest) or "it gave no reason"
            raise CommandError(
                f"{resource.kind} {name} is not ready after {seconds:.0f} s: {why} "
                f"It goes on by itself; `portway explain {resource.plural}/{name}` shows more."
            ) from None


async def until_finished(
    client: Client,
    resource: Resource,
    name: str,
    namespace: str,
    steps_of: Callable[[Manifest], tuple[Phase, str, list[StepStatus]]],
) -> Manifest:
    """A run once it is over; prints each step and its log as they come. Raises CommandError when it failed."""
    printed: dict[str, int] = {}
    told: set[str] = set()
    while True:
        manifest = await client.get(resource, name, namespace)
        phase, message, steps = steps_of(manifest)
        for step in steps:
            _print(step, printed, told)
        if phase in FINISHED:
            if phase is not Phase.SUCCEEDED:
                raise CommandError(f"{resource.kind} {name} {phase.value.lower()}: {message}")
            return manifest
        await asyncio.sleep(_LOOK_SECONDS)


def _print(step: StepStatus, printed: dict[str, int], told: set[str]) -> None:
    if step.phase is Phase.PENDING or step.id in told:
        return
    for line in step.log[printed.get(step.id, 0) :]:
        output.console.print(f"    [dim]{escape(line)}[/dim]", soft_wrap=True)
    printed[step.id] = len(step.log)
    if step.phase in FINISHED:
        mark = "[red]✗[/red]" if step.phase is Phase.FAILED else "[green]✓[/green]"
        output.console.print(f"  {mark} {escape(step.name or step.id)}  {escape(step.message)}", soft_wrap=True)
        told.add(step.id)
