"""``portway request``: ask for a resource, see the plan, get it."""

from __future__ import annotations

from dataclasses import dataclass
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
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

_READY_SECONDS = 300.0
_RESERVED = ("class", "id", "deletionPolicy")
_EVERYWHERE = "default"
"""The namespace for what belongs to no environment."""


def request(
    ctx: typer.Context,
    type_: Annotated[
        str,
        typer.Argument(metavar="TYPE", help="Resource type; without one they are listed.", show_default=False),
    ] = "",
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new resource.", show_default=False)] = "",
    environment: Annotated[
        str, typer.Option("--environment", "-e", help="Where, such as staging.", show_default=False)
    ] = "",
    values: options.Set = [],  # noqa: B006  typer copies it
    workspace: options.Workspace = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    yes: options.Yes = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Ask for a resource: shows which definition makes it, what it changes and costs, then makes it."""

    async def work(session: contexts.Session) -> None:
        if not type_:
            await _list(session.client, form)
            return
        _, found = await finding.type_named(session.client, type_)
        spec = ResourceTypeSpec.read(found["spec"])
        ask = not yes and answering.may_ask()
        client, place = await _place(session.client, _Asked(name, environment), ask=ask)
        claim = resources.claim(installing.plural_of(spec), spec.kind, spec.versions[0].name)
        manifest = _claim(claim, spec, place, values, ask=ask)
        planned = await _create(client, claim, manifest, dry_run=True)
        _show_plan(planned, form, alone=dry_run)
        if dry_run:
            return
        _refuse_without_definition(planned)
        if _confirmed(yes=yes):
            ready = await _make(client, claim, manifest, form)
            explaining.show(ready, form)

    contexts.run(ctx, workspace, work)


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    environment: str


async def _make(client: Client, claim: Resource, manifest: Manifest, form: Format) -> Manifest:
    made = await _create(client, claim, manifest)
    metadata, console = made["metadata"], output.progress_console(form)
    awaited = waiting.Awaited(client, claim, metadata["name"], metadata["namespace"], console)
    return await waiting.until_ready(awaited, seconds=_READY_SECONDS)


async def _list(client: Client, form: Format) -> None:
    found = await finding.around(client, resources.RESOURCE_TYPES)
    if form is not Format.TABLE:
        output.print_data(output.as_list([manifest for _, manifest in found]), form)
        return
    if not found:
        raise CommandError(f"{client.workspace} has no resource types that you may read; see --workspace.")
    specs = [(path, m["metadata"]["name"], ResourceTypeSpec.read(m["spec"])) for path, m in found]
    rows = [[name, path, spec.title, spec.description] for path, name, spec in specs]
    output.print_table(["TYPE", "WORKSPACE", "TITLE", "DESCRIPTION"], rows)


async def _place(client: Client, asked: _Asked, *, ask: bool) -> tuple[Client, tuple[str, str]]:
    """The workspace, and (name, namespace); asked for on a terminal."""
    name, environment = asked.name, asked.environment
    if not name:
        if not ask:
            raise CommandError("Give the resource a name: portway request TYPE NAME.")
        name = answering.ask_text("Name")
    own = [m["metadata"]["name"] for m in (await client.list(resources.ENVIRONMENTS)).items]
    if not environment:
        if not ask or not own:
            raise CommandError(f"Say where with --environment; {await _environments(client)}.")
        environment = answering.ask_text(f"Environment ({', '.join(own)})", own[0])
    if environment in own or environment == _EVERYWHERE:
        return client, (name, environment)
    below = [p for p, m in await finding.around(client, resources.ENVIRONMENTS) if m["metadata"]["name"] == environment]
    if len(below) == 1 and not own:
        return client.at(below[0]), (name, environment)
    if below and not own:
        raise CommandError(f"{', '.join(below)} have an environment {environment!r}; choose one with --workspace.")
    raise CommandError(f"There is no environment {environment!r} here; {await _environments(client)}.")


async def _environments(client: Client) -> str:
    """``root:acme:payments has development, staging``."""
    places: dict[str, list[str]] = {}
    for path, manifest in await finding.around(client, resources.ENVIRONMENTS):
        places.setdefault(path, []).append(manifest["metadata"]["name"])
    own = places.get(client.workspace)
    shown = {client.workspace: own} if own else places
    return "; ".join(f"{path} has {', '.join(names)}" for path, names in shown.items()) or "no workspace here has any"


def _claim(
    claim: Resource, spec: ResourceTypeSpec, place: tuple[str, str], flags: list[str], *, ask: bool
) -> dict[str, Any]:
    given = answering.parse_flags(flags)
    reserved = {key: given.pop(key) for key in _RESERVED if key in given}
    values = answering.complete(answering.Form([spec.versions[0].schema_]), given, ask=ask)
    return {
        "apiVersion": claim.api_version,
        "kind": claim.kind,
        "metadata": {"name": place[0], "namespace": place[1]},
        "spec": {**values, **reserved},
    }


async def _create(client: Client, claim: Resource, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    try:
        return await client.create(claim, manifest, namespace, dry_run=dry_run)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
        raise CommandError(
            f"{namespace} of {client.workspace} has a {claim.kind} {name!r} already; choose another name, or see it "
            f"with `portway explain {claim.plural}/{name} -w {client.workspace} -n {namespace}`."
        ) from None


def _confirmed(*, yes: bool) -> bool:
    if yes:
        return True
    if not answering.may_ask():
        raise CommandError("Nobody is there to confirm; give --yes to make it, or --dry-run to see the plan only.")
    return typer.confirm("Make it?", default=True, err=True)


def _refuse_without_definition(planned: Manifest) -> None:
    lines = ClaimStatus.read(planned.get("status")).match
    if lines and not any(line.chosen for line in lines):
        raise CommandError("No definition makes this; nothing was made. Change the request, or ask who offers it.")


def _show_plan(planned: Manifest, form: Format, *, alone: bool) -> None:
    """``alone``: it is the command's result."""
    status = ClaimStatus.read(planned.get("status"))
    if form is not Format.TABLE:
        if alone:
            output.print_data(status.write(), form)
        return
    output.console.print(f"[bold]{escape(planned['kind'])} {escape(planned['metadata']['name'])}[/bold]")
    explaining.print_match(status.match)
    if status.plan is not None:
        explaining.print_plan(status.plan)
    elif status.message:
        output.console.print(f"  {escape(status.message)}", soft_wrap=True)
