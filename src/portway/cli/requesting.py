"""``portway request``: ask for a resource, see the plan, get it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from portway.apis import installing, resources
from portway.apis.claims import ClaimStatus
from portway.apis.platform import ResourceTypeSpec
from portway.cli import answering, contexts, explaining, finding, options, output, waiting
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.client.contract import Client, Resource
from portway.krm.identity import Manifest

_READY_SECONDS = 300.0


def request(
    ctx: typer.Context,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="Resource type; without one they are listed.")] = "",
    name: Annotated[str, typer.Argument(help="Name of the new resource.")] = "",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where, such as staging.")] = "",
    values: options.Set = [],  # noqa: B006  typer copies it
    workspace: options.Workspace = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    yes: options.Yes = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Ask for a resource: shows which definition would make it, what it changes and what it costs."""

    async def work(session: contexts.Session) -> None:
        client = session.client
        if not type_:
            await _list(client, form)
            return
        _, found = await finding.type_named(client, type_)
        spec = ResourceTypeSpec.read(found["spec"])
        claim = resources.claim(installing.plural_of(spec), spec.kind, spec.versions[0].name)
        manifest = _claim(claim, spec, await _place(client, name, environment, ask=not yes), values, ask=not yes)
        planned = await client.create(claim, manifest, manifest["metadata"]["namespace"], dry_run=True)
        _show_plan(planned, form, quiet=not dry_run and form is not Format.TABLE)
        if dry_run:
            return
        if not yes and not typer.confirm("Make it?", default=True):
            return
        made = await client.create(claim, manifest, manifest["metadata"]["namespace"])
        ready = await waiting.until_ready(
            client, claim, made["metadata"]["name"], made["metadata"]["namespace"], seconds=_READY_SECONDS
        )
        if form is Format.TABLE:
            explaining.print_explanation(ready)
        else:
            output.print_data(ready, form)

    contexts.run(ctx, workspace, work)


async def _list(client: Client, form: Format) -> None:
    found = await finding.across(client, resources.RESOURCE_TYPES)
    if form is not Format.TABLE:
        output.print_data({"items": [manifest for _, manifest in found]}, form)
        return
    specs = [(m["metadata"]["name"], ResourceTypeSpec.read(m["spec"])) for _, m in found]
    output.print_table(["TYPE", "TITLE", "DESCRIPTION"], [[n, s.title, s.description] for n, s in specs])


async def _place(client: Client, name: str, environment: str, *, ask: bool) -> tuple[str, str]:
    """(name, namespace), asked for on a terminal."""
    known = [m["metadata"]["name"] for m in (await client.list(resources.ENVIRONMENTS)).items]
    if not name:
        if not ask:
            raise CommandError("Give the resource a name: portway request TYPE NAME.")
        name = typer.prompt("Name")
    if not environment:
        if not ask:
            raise CommandError(f"Say where with --environment; {client.workspace} has {', '.join(known) or 'none'}.")
        environment = typer.prompt(f"Environment ({', '.join(known)})", default=known[0] if known else "default")
    if environment not in known and environment != "default":
        raise CommandError(
            f"{client.workspace} has no environment {environment!r}; it has {', '.join(known) or 'none'}."
        )
    return name, environment


def _claim(
    claim: Resource, spec: ResourceTypeSpec, place: tuple[str, str], flags: list[str], *, ask: bool
) -> dict[str, Any]:
    given = answering.parse_flags(flags)
    reserved = {key: given.pop(key) for key in ("class", "id", "deletionPolicy") if key in given}
    values = answering.complete([spec.versions[0].schema_], given, ask=ask)
    return {
        "apiVersion": claim.api_version,
        "kind": claim.kind,
        "metadata": {"name": place[0], "namespace": place[1]},
        "spec": {**values, **reserved},
    }


def _show_plan(planned: Manifest, form: Format, *, quiet: bool) -> None:
    if quiet:
        return
    status = ClaimStatus.read(planned.get("status"))
    if form is not Format.TABLE:
        output.print_data(status.write(), form)
        return
    output.console.print(f"[bold]{escape(planned['kind'])} {escape(planned['metadata']['name'])}[/bold]")
    explaining.print_match(status.match)
    if status.plan is not None:
        explaining.print_plan(status.plan)
    elif status.message:
        output.console.print(f"  {escape(status.message)}")
