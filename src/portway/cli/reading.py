"""``portway get``: objects as a short table, or whole."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import typer

from portway.cli import contexts, finding, options, output
from portway.cli.output import Format
from portway.client.contract import ALL_WORKSPACES, Client, Resource
from portway.krm.identity import Manifest


def get(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(help="Resource, such as components, workloads, postgreses, or kind/name.")],
    name: Annotated[str, typer.Argument(help="Name of one object.")] = "",
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    everywhere: Annotated[bool, typer.Option("--all-workspaces", help="Of all workspaces (administrators).")] = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Show objects."""
    kind, slash, part = what.partition("/")
    name = part if slash else name

    async def work(session: contexts.Session) -> None:
        resource = await finding.resource_named(session.client, kind)
        client = session.client.at(ALL_WORKSPACES) if everywhere else session.client
        found = await _find(client, resource, name, namespace)
        if form is Format.TABLE:
            _print(found, everywhere, resource)
        else:
            output.print_data(found[0] if name and len(found) == 1 else {"items": found}, form)

    contexts.run(ctx, workspace, work)


async def _find(client: Client, resource: Resource, name: str, namespace: str) -> list[Manifest]:
    place = namespace or None
    if name and (place or not resource.namespaced):
        return [await client.get(resource, name, place)]
    found = await client.list(resource, place, fields=f"metadata.name={name}" if name else "")
    return found.items


def _print(found: list[Manifest], everywhere: bool, resource: Resource) -> None:
    if not found:
        output.console.print(f"No {resource.plural}.")
        return
    headings = ["NAME", "STATE", "AGE", "MESSAGE"]
    rows = [[m["metadata"]["name"], output.state_of(m), age(m), output.message_of(m)[:100]] for m in found]
    if resource.namespaced:
        headings.insert(0, "NAMESPACE")
        rows = [[m["metadata"]["namespace"], *row] for m, row in zip(found, rows, strict=True)]
    if everywhere:
        headings.insert(0, "WORKSPACE")
        rows = [[_workspace(m), *row] for m, row in zip(found, rows, strict=True)]
    output.print_table(headings, rows)


def _workspace(manifest: dict[str, Any]) -> str:
    return str((manifest["metadata"].get("annotations") or {}).get("kcp.io/path", ""))


def age(manifest: Manifest) -> str:
    """How long ago an object was made, as kubectl says it."""
    created = manifest["metadata"].get("creationTimestamp")
    if not created:
        return ""
    passed = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(created)
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
