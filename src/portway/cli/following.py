"""``portway logs``: what a workload writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from portway.apis import resources
from portway.cli import contexts, options
from portway.cli.errors import CommandError
from portway.kit import lazily
from portway.krm.errors import StatusError

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")


def logs(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Name of a workload.")],
    workspace: options.Workspace = "",
    namespace: options.Namespace = "",
    container: Annotated[
        str, typer.Option("--container", "-c", help="One container, when it has several.", show_default=False)
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    tail: Annotated[int, typer.Option("--tail", min=0, max=10000, help="How many lines back.")] = 100,
) -> None:
    """Print the log of a workload."""

    async def work(session: contexts.Session) -> None:
        place = namespace or await _namespace_of(session, name)
        path = f"/logs/{session.client.workspace}/{place}/workloads/{name}"
        async with session.plain() as http:
            timeout = httpx.Timeout(30.0, read=None if follow else 30.0)
            params = {"tail": str(tail), "follow": "1" if follow else "0", "container": container}
            async with http.stream("GET", path, params=params, timeout=timeout) as answer:
                if answer.status_code != 200:
                    said = (await answer.aread()).decode(errors="replace").strip()
                    raise StatusError(answer.status_code, "", said or "the server has no log of it")
                async for line in answer.aiter_lines():
                    print(line, flush=True)

    contexts.run(ctx, workspace, work)


async def _namespace_of(session: contexts.Session, name: str) -> str:
    found = (await session.client.list(resources.WORKLOADS, fields=f"metadata.name={name}")).items
    places = [m["metadata"]["namespace"] for m in found]
    if not places:
        here = session.client.workspace
        raise CommandError(f"There is no workload {name!r} in {here}; `portway get workloads -w {here}` lists them.")
    if len(places) > 1:
        raise CommandError(f"Workload {name!r} is in {', '.join(places)}; choose one with --namespace.")
    return str(places[0])
