"""``portway get``: objects as a short table, or whole."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import typer

from portway.cli import contexts, finding, options, output
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.client.contract import ALL_WORKSPACES, Client, Resource
from portway.krm import ages
from portway.krm.identity import Manifest

_LONGEST_MESSAGE = 100


def get(
    ctx: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="Such as components, workloads, postgres, or kind/name.")
    ],
    name: Annotated[str, typer.Argument(help="Name of one object.", show_default=False)] = "",
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    labels: Annotated[str, typer.Option("--selector", "-l", help="Label selector, such as team=payments.")] = "",
    everywhere: Annotated[bool, typer.Option("--all-workspaces", help="Of all workspaces (administrators).")] = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Show objects of a workspace: all of a kind, or one."""
    kind, slash, part = what.partition("/")
    name = part if slash else name

    async def work(session: contexts.Session) -> None:
        resource = await finding.resource_named(session.client, kind)
        client = session.client.at(ALL_WORKSPACES) if everywhere else session.client
        fields = f"metadata.name={name}" if name else ""
        found = (await client.list(resource, _place(resource, namespace), labels=labels, fields=fields)).items
        if name and not found:
            raise CommandError(_missing(resource, name, namespace, client))
        if form is not Format.TABLE:
            output.print_data(output.for_people(found[0]) if name and len(found) == 1 else output.as_list(found), form)
        elif found:
            _print(found, everywhere, resource)
        else:
            place = f" in namespace {namespace}" if namespace else ""
            output.notes.print(f"No {resource.plural} in {_title(client)}{place}.", soft_wrap=True)

    contexts.run(ctx, workspace, work)


def _place(resource: Resource, namespace: str) -> str | None:
    if namespace and not resource.namespaced:
        raise CommandError(f"{resource.plural} are in no namespace; leave --namespace out.")
    return namespace or None


def _missing(resource: Resource, name: str, namespace: str, client: Client) -> str:
    place = f"namespace {namespace} of {_title(client)}" if namespace else _title(client)
    return f"There is no {resource.kind} {name!r} in {place}; `portway get {resource.plural}` lists those there are."


def _title(client: Client) -> str:
    return "all workspaces" if client.workspace == ALL_WORKSPACES else client.workspace


def _print(found: list[Manifest], everywhere: bool, resource: Resource) -> None:
    now = datetime.datetime.now(datetime.UTC)
    headings = ["NAME", "STATE", "AGE", "MESSAGE"]
    rows = [
        [
            m["metadata"]["name"],
            output.state_of(m),
            ages.since(m["metadata"].get("creationTimestamp"), now),
            _shortened(output.message_of(m)),
        ]
        for m in found
    ]
    if resource.namespaced:
        headings.insert(0, "NAMESPACE")
        rows = [[m["metadata"]["namespace"], *row] for m, row in zip(found, rows, strict=True)]
    if everywhere:
        headings.insert(0, "WORKSPACE")
        rows = [[_workspace(m), *row] for m, row in zip(found, rows, strict=True)]
    output.print_table(headings, rows)


def _shortened(message: str) -> str:
    first = " ".join(message.split())
    return first if len(first) <= _LONGEST_MESSAGE else first[: _LONGEST_MESSAGE - 1] + "…"


def _workspace(manifest: dict[str, Any]) -> str:
    return str((manifest["metadata"].get("annotations") or {}).get("kcp.io/path", ""))
