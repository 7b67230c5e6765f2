"""``portway history`` and ``portway undelete``: what an object was, and bringing a deleted one back."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from portway.cli import contexts, finding, options, output
from portway.cli.errors import CommandError
from portway.cli.output import Format
from portway.client import paths
from portway.client.contract import Resource
from portway.client.rest import RestClient
from portway.krm.identity import Manifest

_LONGEST = 200
_What = Annotated[str, typer.Argument(metavar="KIND/NAME", help="Such as postgres/orders-db or configmap/settings.")]


def history(
    ctx: typer.Context,
    what: _What,
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    form: options.Output = Format.TABLE,
) -> None:
    """Say who changed which field of an object when, also of a deleted one."""
    kind, name = _parts(what)

    async def work(session: contexts.Session) -> None:
        resource = await finding.resource_named(session.client, kind)
        place = namespace or await _namespace_of(session.client, resource, name)
        found = await session.client.read(_path(session.client, resource, name, place, "history"))
        if form is Format.TABLE:
            for item in found["items"]:
                _print(item)
        else:
            output.print_data(found, form)

    contexts.run(ctx, workspace, work)


def undelete(
    ctx: typer.Context,
    what: _What,
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    version: Annotated[
        str, typer.Option("--resource-version", help="Of the deletion, as `portway history` tells; default: the last.")
    ] = "",
) -> None:
    """Bring a deleted object back as it last was, as a new object."""
    kind, name = _parts(what)

    async def work(session: contexts.Session) -> None:
        resource = await finding.resource_named(session.client, kind)
        path = _path(session.client, resource, name, namespace or "default", "undelete")
        made = await session.client.post(path, {"resourceVersion": version} if version else {})
        place = f" in {made['metadata']['namespace']}" if made["metadata"].get("namespace") else ""
        output.console.print(f"{resource.kind} {escape(name)}{escape(place)} is back.", soft_wrap=True)

    contexts.run(ctx, workspace, work)


def _parts(what: str) -> tuple[str, str]:
    kind, _, name = what.partition("/")
    if not kind or not name:
        raise CommandError(f"{what!r}: expected KIND/NAME, such as postgres/orders-db.")
    return kind, name


async def _namespace_of(client: RestClient, resource: Resource, name: str) -> str:
    """Where the object is; ``default`` when it is nowhere or in several namespaces."""
    if not resource.namespaced:
        return ""
    found = (await client.list(resource, fields=f"metadata.name={name}")).items
    return str(found[0]["metadata"]["namespace"]) if len(found) == 1 else "default"


def _path(client: RestClient, resource: Resource, name: str, namespace: str, subresource: str) -> str:
    whole = paths.single(client.workspace, resource, name, namespace or None, subresource)
    return whole.removeprefix(paths.workspace_root(client.workspace))


def _print(item: Manifest) -> None:
    by = escape(item["user"] or "unknown")
    using = f" with {escape(', '.join(item['managers']))}" if item["managers"] else ""
    head = f"[bold]{item['action']}[/bold] by {by}{using}, {item['time']}"
    output.console.print(f"{head}  [dim]{item['resourceVersion']}[/dim]", soft_wrap=True)
    if item.get("incomplete"):
        output.console.print("  [dim]what it was before is not kept any more[/dim]")
    for change in item["changes"]:
        output.console.print(f"  {escape(change['path'])}: {_values(change)}", soft_wrap=True)


def _values(change: Manifest) -> str:
    was, now = (_short(change[side]) if side in change else "" for side in ("was", "now"))
    if was and now:
        return f"[red]{was}[/red] → [green]{now}[/green]"
    return f"[red]{was}[/red] removed" if was else f"[green]{now}[/green]"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")
