"""``portway create``: a new thing from a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.markup import escape

from portway.apis import resources, wellknown
from portway.apis.platform import Phase, StepStatus
from portway.apis.portal import TemplateRunStatus
from portway.cli import answering, contexts, finding, options, output, waiting
from portway.cli.errors import CommandError
from portway.cli.finding import Placed
from portway.cli.output import Format
from portway.client.contract import Client
from portway.krm.identity import Manifest


def create(
    ctx: typer.Context,
    template: Annotated[
        str, typer.Argument(help="Name of a template; without one they are listed.", show_default=False)
    ] = "",
    values: options.Set = [],  # noqa: B006  typer copies it
    workspace: options.Workspace = "",
    yes: options.Yes = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start it and do not wait for the end.")] = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Make something from a template; asks for what --set does not give.

    It is made in the workspace of the team that owns it, unless --workspace says otherwise.
    """

    async def work(session: contexts.Session) -> None:
        if not template:
            await _list(session.client, form)
            return
        path, found = await finding.template_named(session.client, template)
        groups = await finding.around(session.client, resources.GROUPS)
        asked = answering.Form(pages := _pages(found["spec"].get("parameters")), _suggested(pages, groups))
        parameters = answering.complete(asked, answering.parse_flags(values), ask=not yes)
        client = _team(session.client, groups, parameters, chosen=bool(workspace))
        run = await _start(client, path, template, parameters)
        await _follow(_Started(client, run, session.connection.server), detach=detach, form=form)

    contexts.run(ctx, workspace, work)


@dataclass(frozen=True, slots=True)
class _Started:
    client: Client
    run: Manifest
    server: str


async def _follow(started: _Started, *, detach: bool, form: Format) -> None:
    name = started.run["metadata"]["name"]
    console = output.progress_console(form)
    console.print(
        f"TemplateRun [bold]{escape(name)}[/bold] in {escape(started.client.workspace)}; "
        f"its page: `portway open /runs/templateruns/{started.client.workspace}/default/{escape(name)}`",
        soft_wrap=True,
    )
    done = started.run
    if not detach:
        awaited = waiting.Awaited(started.client, resources.TEMPLATE_RUNS, name, "default", console)
        done = await waiting.until_finished(awaited, _steps)
    if form is not Format.TABLE:
        output.print_data(output.for_people(done), form)
    elif not detach:
        _print_result(done)


async def _list(client: Client, form: Format) -> None:
    found = await finding.around(client, resources.TEMPLATES)
    if form is not Format.TABLE:
        output.print_data(output.as_list([manifest for _, manifest in found]), form)
        return
    if not found:
        raise CommandError(f"{client.workspace} has no templates that you may read; choose another with --workspace.")
    rows = [[m["metadata"]["name"], p, *(str(about.get(k) or "") for k in ("title", "description"))]
            for p, m in found for about in (m.get("about") or {},)]  # fmt: skip
    output.print_table(["TEMPLATE", "WORKSPACE", "TITLE", "DESCRIPTION"], rows)


def _pages(parameters: Any) -> list[dict[str, Any]]:
    if isinstance(parameters, dict):
        return [parameters]
    return [page for page in parameters or [] if isinstance(page, dict)]


def _suggested(pages: list[dict[str, Any]], groups: list[Placed]) -> dict[str, list[str]]:
    """Teams, for fields that ask for an owner."""
    teams = sorted({m["metadata"]["name"] for _, m in groups if _workspace_of(m)})
    properties = {name: schema for page in pages for name, schema in (page.get("properties") or {}).items()}
    return {name: teams for name, schema in properties.items() if schema.get("ui:field") == "OwnerPicker"}


def _team(client: Client, groups: list[Placed], parameters: dict[str, Any], *, chosen: bool) -> Client:
    """The workspace of the owner group, unless one was chosen."""
    owner = parameters.get("owner")
    if not isinstance(owner, str):
        return client
    name = owner.rpartition(":")[2].rpartition("/")[2].lower()
    group = next((m for _, m in groups if m["metadata"]["name"] == name), None)
    if group is None and groups and not chosen:
        known = ", ".join(sorted({m["metadata"]["name"] for _, m in groups}))
        raise CommandError(f"owner: there is no group {owner!r}; there are {known}.")
    team = _workspace_of(group) if group else ""
    return client if chosen or not team else client.at(team)


def _workspace_of(group: Manifest) -> str:
    return str((group["metadata"].get("annotations") or {}).get(wellknown.WORKSPACE) or "")


async def _start(client: Client, path: str, template: str, parameters: dict[str, Any]) -> Manifest:
    manifest: Manifest = {
        "apiVersion": resources.TEMPLATE_RUNS.api_version,
        "kind": "TemplateRun",
        "metadata": {"generateName": f"{template}-", "namespace": "default"},
        "spec": {"template": {"name": template, "workspace": path}, "parameters": parameters},
    }
    return await client.create(resources.TEMPLATE_RUNS, manifest, "default")


def _steps(manifest: Manifest) -> tuple[Phase, str, list[StepStatus]]:
    status = TemplateRunStatus.read(manifest.get("status"))
    return status.phase, status.message, status.steps


def _print_result(manifest: Manifest) -> None:
    made = TemplateRunStatus.read(manifest.get("status")).output
    for link in made.links if made else []:
        output.console.print(f"  {escape(link.title)}: {escape(link.url or link.entity_ref)}", soft_wrap=True)
    for text in made.text if made else []:
        output.console.print(f"  {escape(text.title)}: {escape(text.content)}", soft_wrap=True)
