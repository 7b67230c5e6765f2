"""``portway access``: may I, and if not, what is missing and who could give it."""

from __future__ import annotations

from typing import Annotated

import typer

from portway.cli import contexts, finding, options, output
from portway.krm.identity import Manifest

_AUTHORIZATION = "/apis/authorization.k8s.io/v1"


def may(
    ctx: typer.Context,
    verb: Annotated[str, typer.Argument(help="Such as get, list, create, update, delete.")],
    resource: Annotated[str, typer.Argument(help="Such as secrets or workloads/status; or a path such as /metrics.")],
    name: Annotated[str, typer.Argument(help="Of one object.")] = "",
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    user: Annotated[str, typer.Option("--user", help="Ask for somebody else.", show_default=False)] = "",
    groups: Annotated[
        list[str] | None, typer.Option("--group", help="A group of that user; may be given often.")
    ] = None,
) -> None:
    """Say whether something is allowed; if not, which rule is missing and who could give it."""

    async def work(session: contexts.Session) -> Manifest:
        spec: Manifest
        if resource.startswith("/"):
            spec = {"nonResourceAttributes": {"verb": verb, "path": resource}}
        else:
            word, _, subresource = resource.partition("/")
            found = await finding.resource_named(session.client, word)
            asked = {
                "verb": verb,
                "group": found.group,
                "resource": found.plural,
                "subresource": subresource,
                "name": name,
            }
            if found.namespaced:
                asked["namespace"] = namespace or session.connection.namespace
            spec = {"resourceAttributes": {key: value for key, value in asked.items() if value}}
        kind = "subjectaccessreviews" if user or groups else "selfsubjectaccessreviews"
        if user or groups:
            spec |= {"user": user, "groups": [*(groups or ()), "system:authenticated"]}
        answer: Manifest = await session.client.post(f"{_AUTHORIZATION}/{kind}", {"spec": spec})
        return answer

    status: Manifest = contexts.run(ctx, workspace, work)["status"]
    if status.get("allowed"):
        output.console.print("[green]yes[/green]")
        return
    output.console.print("[red]no[/red]")
    for sentence in str(status.get("reason", "")).split(". "):
        output.console.print(f"  {sentence.rstrip('.')}.", soft_wrap=True, markup=False)
    raise typer.Exit(1)
