"""``portway create``: a new thing from a template."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from portway.apis import resources, wellknown
from portway.apis.platform import Phase, StepStatus
from portway.apis.portal import TemplateRunStatus
from portway.cli import answering, contexts, finding, options, output, waiting
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.client.contract import Client
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest


def create(
    ctx: typer.Context,
    template: Annotated[str, typer.Argument(help="Name of a template; without one they are listed.")] = "",
    values: options.Set = [],  # noqa: B006  typer copies it
    workspace: options.Workspace = "",
    yes: options.Yes = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the end.")] = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Make something from a template, asking for what was not given with --set."""

    async def work(session: contexts.Session) -> None:
        if not template:
            await _list(session.client, form)
            return
        path, found = await finding.template_named(session.client, template)
        parameters = answering.complete(
            _pages(found["spec"].get("parameters")), answering.parse_flags(values), ask=not yes
        )
        client = await _team(session.client, parameters, chosen=bool(workspace))
        run = await _start(client, path, template, parameters)
        name = run["metadata"]["name"]
        if form is not Format.TABLE and detach:
            output.print_data(run, form)
            return
        output.console.print(f"TemplateRun [bold]{escape(name)}[/bold] in {escape(client.workspace)}")
        if not detach:
            done = await waiting.until_finished(client, resources.TEMPLATE_RUNS, name, "default", _steps)
            _print_result(done, form)

    contexts.run(ctx, workspace, work)


async def _list(client: Client, form: Format) -> None:
    found = await finding.across(client, resources.TEMPLATES)
    if form is not Format.TABLE:
        output.print_data({"items": [manifest for _, manifest in found]}, form)
        return
    rows = [
        [m["metadata"]["name"], (m.get("about") or {}).get("title", ""), (m.get("about") or {}).get("description", "")]
        for _, m in found
    ]
    output.print_table(["TEMPLATE", "TITLE", "DESCRIPTION"], rows)


def _pages(parameters: Any) -> list[dict[str, Any]]:
    if isinstance(parameters, dict):
        return [parameters]
    return [page for page in parameters or [] if isinstance(page, dict)]


async def _team(client: Client, parameters: dict[str, Any], *, chosen: bool) -> Client:
    """The workspace of the owner group, unless one was chosen."""
    owner = parameters.get("owner")
    if chosen or not isinstance(owner, str):
        return client
    name = owner.rpartition(":")[2].rpartition("/")[2].lower()
    for _, group in await finding.across(client, resources.GROUPS):
        if group["metadata"]["name"] == name:
            team = (group["metadata"].get("annotations") or {}).get(wellknown.WORKSPACE)
            return client.at(team) if team else client
    raise CommandError(f"owner: there is no group {owner!r}.")


async def _start(client: Client, path: str, template: str, parameters: dict[str, Any]) -> Manifest:
    manifest: Manifest = {
        "apiVersion": resources.TEMPLATE_RUNS.api_version,
        "kind": "TemplateRun",
        "metadata": {"generateName": f"{template}-", "namespace": "default"},
        "spec": {"template": {"name": template, "workspace": path}, "parameters": parameters},
    }
    try:
        return await client.create(resources.TEMPLATE_RUNS, manifest, "default")
    except StatusError as error:
        raise CommandError(f"{client.workspace}: {error.message}") from error


def _steps(manifest: Manifest) -> tuple[Phase, str, list[StepStatus]]:
    status = TemplateRunStatus.read(manifest.get("status"))
    return status.phase, status.message, status.steps


def _print_result(manifest: Manifest, form: Format) -> None:
    if form is not Format.TABLE:
        output.print_data(manifest.get("status") or {}, form)
        return
    made = TemplateRunStatus.read(manifest.get("status")).output
    for link in made.links if made else []:
        output.console.print(f"  {escape(link.title)}: {escape(link.url or link.entity_ref)}", soft_wrap=True)
    for text in made.text if made else []:
        output.console.print(f"  {escape(text.title)}: {escape(text.content)}")
