"""Server time of the portal's pages over a catalog of 10,000 entities in 100 workspaces."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from benchmarks.reports import Measure, median
from portway.apis import resources
from portway.client.memory import MemoryClient
from portway.index.following import Index
from portway.portal.application import create_app
from portway.portal.dependencies import Deps

ENTITIES = 10_000
TEAMS = 100
ROUNDS = 9
LIMIT_MILLISECONDS = 100.0
TOKEN = "pw_benchmark"
PAGES = {
    "home": "/",
    "catalog, first page": "/catalog",
    "catalog, last page by owner": f"/catalog?sort=owner&offset={ENTITIES - 50}",
    "catalog, three filters": "/catalog?kind=Component&type=service&lifecycle=production",
    "catalog, search": "/catalog?q=service-77",
    "catalog, mine": "/catalog?scope=mine",
    "entity": "/catalog/root:acme:team-1/component/default/service-1",
    "owner of a hundred": "/catalog/root:acme:team-1/group/default/team-1",
    "search": "/search?q=vice-9",
    "palette": "/palette?q=service-1234",
    "wizard": "/create",
}


def run() -> list[Measure]:
    return asyncio.run(_run())


def manifests() -> list[dict[str, Any]]:
    """A team's group, and its services, each with an API, dependencies, tags and a health."""
    found = []
    for team in range(TEAMS):
        place = f"root:acme:team-{team}"
        found.append(_entity("Group", f"team-{team}", place, {"type": "team", "children": []}))
        found.append(_entity("User", f"user-{team}", place, {"memberOf": [f"team-{team}"]}))
    for number in range((ENTITIES - len(found)) // 2):
        team = number % TEAMS
        place, owner = f"root:acme:team-{team}", f"team-{team}"
        spec = {
            "type": ("service", "website", "library")[number % 3],
            "lifecycle": ("production", "experimental", "deprecated")[number % 3],
            "owner": owner,
            "system": f"system-{number % 200}",
            "providesApis": [f"api-{number}"],
            "dependsOn": [f"component:service-{max(number - TEAMS, 0)}"],
        }
        tags = [f"tag-{number % 40}", "python"]
        found.append(_entity("Component", f"service-{number}", place, spec, tags))
        api = {"type": "openapi", "lifecycle": "production", "owner": owner}
        found.append(_entity("API", f"api-{number}", place, api, tags))
    return found


def _entity(
    kind: str, name: str, workspace: str, spec: dict[str, Any], tags: list[str] | None = None
) -> dict[str, Any]:
    notes = {"kcp.io/path": workspace}
    metadata = {"name": name, "namespace": "default", "annotations": notes}
    status = {"health": "healthy"} if kind == "Component" else {}
    about = {"name": name, "description": f"What {name} is there for.", "tags": tags or []}
    return {"kind": kind, "metadata": metadata, "spec": spec, "about": about, "status": status}


async def _run() -> list[Measure]:
    api = MemoryClient(users={TOKEN: "user-1"})
    index = Index()
    begun = time.perf_counter()
    found = manifests()
    for manifest in found:
        index.catalog.put(manifest)
    filled = time.perf_counter() - begun
    for resource, name in (("components", "service-1"), ("groups", "team-1")):
        await _create(api, resource, name)
    transport = httpx.ASGITransport(create_app(Deps(api, index)))
    measures = [Measure(f"index filled with {len(found)} entities", filled * 1000, "ms")]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        browser.cookies.set("portway_session", TOKEN)
        for name, path in PAGES.items():
            measures.append(await _page(browser, name, path))
    return measures


async def _create(api: MemoryClient, plural: str, name: str) -> None:
    resource = next(r for r in resources.ENTITIES if r.plural == plural)
    await api.at("root:acme:team-1").create(resource, {"metadata": {"name": name}, "spec": {}}, "default")


async def _page(browser: httpx.AsyncClient, name: str, path: str) -> Measure:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = await browser.get(path)
        times.append((time.perf_counter() - begun) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
    return Measure(f"page: {name}", median(times), "ms", LIMIT_MILLISECONDS, f"slowest {max(times):.0f} ms")


if __name__ == "__main__":
    for measure in run():
        print(measure)
