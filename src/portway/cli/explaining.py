"""``portway explain``: why an object is as it is: who asked, which definition matched and why, what was changed."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from portway.apis import wellknown
from portway.apis.claims import ClaimStatus
from portway.apis.platform import MatchLine, PlanSummary
from portway.cli import contexts, finding, options, output
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.krm.identity import Manifest


def explain(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(help="kind/name, such as postgres/orders-db or workload/orders.")],
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    form: options.Output = Format.TABLE,
) -> None:
    """Say why a claim or workload is as it is."""
    kind, slash, name = what.partition("/")
    if not slash or not name:
        raise CommandError(f"{what!r}: expected kind/name, such as postgres/orders-db.")

    async def work(session: contexts.Session) -> None:
        resource = await finding.resource_named(session.client, kind)
        found = (await session.client.list(resource, namespace or None, fields=f"metadata.name={name}")).items
        if not found:
            raise CommandError(f"There is no {resource.kind} {name!r} in {session.client.workspace}.")
        for manifest in found:
            if form is Format.TABLE:
                print_explanation(manifest)
            else:
                output.print_data(_data(manifest), form)

    contexts.run(ctx, workspace, work)


def print_explanation(manifest: Manifest) -> None:
    """Who, state, match, plan and conditions of an object."""
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    place = f" in {metadata['namespace']}" if metadata.get("namespace") else ""
    state = output.coloured(output.state_of(manifest))
    _say(f"[bold]{escape(manifest['kind'])} {escape(metadata['name'])}[/bold]{escape(place)}  {state}")
    by = (metadata.get("annotations") or {}).get(wellknown.REQUESTED_BY)
    if by:
        _say(f"  asked for by {escape(by)}, {escape(str(metadata.get('creationTimestamp', '')))}")
    if output.message_of(manifest):
        _say(f"  {escape(output.message_of(manifest))}")
    read = ClaimStatus.read({k: status.get(k) for k in ("match", "plan", "outputs", "binding") if status.get(k)})
    print_match(read.match)
    if read.plan is not None:
        print_plan(read.plan)
    if read.outputs:
        _say("  outputs:")
        for key, value in read.outputs.items():
            _say(f"    {escape(key)}: {escape(str(value))}")
    if read.binding is not None and read.binding.name:
        _say(f"  credentials: Secret {escape(read.binding.name)} in the same namespace")


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
    status = manifest.get("status") or {}
    keys = ("match", "plan", "definition", "outputs", "binding", "conditions", "message", "health")
    found = {k: status[k] for k in keys if k in status}
    return {"kind": manifest["kind"], "name": manifest["metadata"]["name"], **found}
