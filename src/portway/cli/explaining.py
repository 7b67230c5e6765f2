"""``portway explain``: why an object is as it is: who asked, which definition matched and why, what was changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.markup import escape

from portway.apis import wellknown
from portway.apis.claims import ClaimStatus
from portway.apis.platform import ContainerState, Endpoint, MatchLine, Phase, PlanSummary, StepStatus, WorkloadResource
from portway.cli import contexts, finding, options, output
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.krm.identity import Manifest

_MARKS = {Phase.SUCCEEDED: "[green]✓[/green]", Phase.FAILED: "[red]✗[/red]", Phase.RUNNING: "[yellow]·[/yellow]"}
_LAST_LINES = 10
_TOLD = ("match", "plan", "definition", "outputs", "binding", "resources", "endpoints", "containers", "steps")


def explain(
    ctx: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="KIND/NAME", help="Such as postgres/orders-db, workload/orders, templaterun/x.")
    ],
    name: Annotated[str, typer.Argument(help="The name, when it is not behind a slash.", show_default=False)] = "",
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    form: options.Output = Format.TABLE,
) -> None:
    """Say why a claim, a workload or a run is as it is."""
    kind, _, part = what.partition("/")
    name = part or name
    if not kind or not name:
        raise CommandError(f"{what!r}: expected KIND/NAME, such as postgres/orders-db.")

    async def work(session: contexts.Session) -> None:
        resource = await finding.resource_named(session.client, kind)
        place = (namespace or None) if resource.namespaced else None
        found = (await session.client.list(resource, place, fields=f"metadata.name={name}")).items
        if not found:
            here = f"namespace {namespace} of {session.client.workspace}" if namespace else session.client.workspace
            raise CommandError(
                f"There is no {resource.kind} {name!r} in {here}; `portway get {resource.plural}` lists them."
            )
        if form is not Format.TABLE:
            output.print_data(_data(found[0]) if len(found) == 1 else [_data(each) for each in found], form)
            return
        for manifest in found:
            print_explanation(manifest)

    contexts.run(ctx, workspace, work)


def show(manifest: Manifest, form: Format) -> None:
    """The object's explanation for people, the object for programs."""
    if form is Format.TABLE:
        print_explanation(manifest)
    else:
        output.print_data(output.for_people(manifest), form)


def print_explanation(manifest: Manifest) -> None:
    """Who, state, match, plan and conditions of an object."""
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    place = f" in {metadata['namespace']}" if metadata.get("namespace") else ""
    state = output.coloured(output.state_of(manifest))
    _say(f"[bold]{escape(manifest['kind'])} {escape(metadata['name'])}[/bold]{escape(place)}  {state}".rstrip())
    by = (metadata.get("annotations") or {}).get(wellknown.REQUESTED_BY)
    if by:
        _say(f"  asked for by {escape(by)}, {escape(str(metadata.get('creationTimestamp', '')))}")
    if output.message_of(manifest):
        _say(f"  {escape(output.message_of(manifest))}")
    if metadata.get("deletionTimestamp"):
        _say(f"  being deleted since {escape(str(metadata['deletionTimestamp']))}")
    _print_claim(status)
    for line in (*_workload(status), *_steps(status)):
        _say(line)


def _print_claim(status: dict[str, Any]) -> None:
    read = ClaimStatus.read({k: status.get(k) for k in ("match", "plan", "binding") if status.get(k)})
    print_match(read.match)
    if read.plan is not None:
        print_plan(read.plan)
    outputs = status.get("outputs")
    if isinstance(outputs, dict) and outputs:
        _say("  outputs:")
        for key, value in outputs.items():
            _say(f"    {escape(key)}: {escape(str(value))}")
    if read.binding is not None and read.binding.name:
        _say(f"  credentials: Secret {escape(read.binding.name)} in the same namespace")


def _workload(status: dict[str, Any]) -> Iterator[str]:
    """Lines about what runs, what it uses and where it answers."""
    for item in status.get("resources") or ():
        used = WorkloadResource.read(item)
        state = "ready" if used.ready else escape(used.message or "not ready")
        yield f"  resource {escape(used.alias)}: {escape(used.type)} by {escape(used.claim)}, {state}"
    for item in status.get("containers") or ():
        container = ContainerState.read(item)
        text = f"  container {escape(container.name)}: {escape(str(container.state))}"
        text += f", restarted {container.restarts} times" if container.restarts else ""
        yield text + (f", {escape(container.message)}" if container.message else "")
    for item in status.get("endpoints") or ():
        endpoint = Endpoint.read(item)
        yield f"  {escape(endpoint.name)}: {escape(endpoint.url)}"


def _steps(status: dict[str, Any]) -> Iterator[str]:
    """Lines about the steps of a run; of failed ones the end of the log."""
    for item in status.get("steps") or ():
        step = StepStatus.read(item)
        mark, code = _MARKS.get(step.phase, " "), step.exit_code
        ended = f"exit status {code}" if code else ""
        said = "  ".join(text for text in (step.name or step.id, ended, step.message) if text)
        yield f"  {mark} {escape(said)}"
        if step.phase is Phase.FAILED:
            yield from (f"      [dim]{escape(line)}[/dim]" for line in step.log[-_LAST_LINES:])


def print_match(lines: list[MatchLine]) -> None:
    """Each definition that was looked at, the chosen one first."""
    if lines:
        _say("  definitions looked at:")
    for line in sorted(lines, key=lambda each: (not each.chosen, not each.matched)):
        mark = "[green]✓[/green]" if line.chosen else ("[yellow]·[/yellow]" if line.matched else "[red]✗[/red]")
        _say(f"    {mark} {escape(line.definition)}: {escape(line.reason)}")


def print_plan(plan: PlanSummary) -> None:
    """The steps and the price."""
    _say(f"  plan by driver {escape(plan.driver)}:" if plan.driver else "  plan:")
    for step in plan.steps:
        _say(f"    {escape(step.verb)}: {escape(step.what)}")
    if not plan.steps:
        _say("    nothing to change")
    if plan.cost is not None:
        _say(f"    costs about {plan.cost.monthly:g} {escape(plan.cost.currency)} a month")


def _say(text: str) -> None:
    output.console.print(text, soft_wrap=True)


def _data(manifest: Manifest) -> dict[str, Any]:
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    found = {key: status[key] for key in (*_TOLD, "conditions", "message", "health", "phase") if key in status}
    place = {"namespace": metadata["namespace"]} if metadata.get("namespace") else {}
    return {"kind": manifest["kind"], "name": metadata["name"], **place, "state": output.state_of(manifest), **found}
