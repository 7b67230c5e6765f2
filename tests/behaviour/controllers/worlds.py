"""A small organisation on the in-memory API with all controllers running."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.behaviour.controllers.collaborators import MemoryJobs, MemoryRepositories, MemorySources

from portway.apis.resources import (
    ENVIRONMENTS,
    EVENTS,
    RESOURCE_DEFINITIONS,
    RESOURCE_TYPES,
    WORKSPACES,
    claim,
)
from portway.client.contract import Resource
from portway.client.memory import MemoryClient
from portway.controllers import composing
from portway.drivers.memory import MemoryDriver
from portway.kit.backoffs import Backoff
from portway.kit.clocks import SystemClock
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import conditions
from portway.runtime.running import ControllerRuntime

ORGANISATION, TEAM = "root:acme", "root:acme:payments"
THINGS = claim("things", "Thing")
_DEADLINE_SECONDS = 30.0


@dataclass
class World:
    client: MemoryClient = field(default_factory=MemoryClient)
    driver: MemoryDriver = field(default_factory=MemoryDriver)
    repositories: MemoryRepositories = field(default_factory=MemoryRepositories)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    sources: MemorySources = field(default_factory=MemorySources)
    home: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "portway-worlds")
    planner: Any = None
    pushes: Any = None
    vetting: Any = None
    previewer: Any = None

    async def create(self, workspace: str, resource: Resource, name: str, spec: Manifest, **metadata: Any) -> Manifest:
        namespace = metadata.pop("namespace", None)
        manifest = {"metadata": {"name": name, **metadata}, "spec": spec}
        return await self.client.at(workspace).create(resource, manifest, namespace)

    async def claim(self, name: str, namespace: str = "staging", **spec: Any) -> Manifest:
        return await self.create(TEAM, THINGS, name, spec, namespace=namespace)

    async def get(self, resource: Resource, name: str, namespace: str | None = None, *, at: str = TEAM) -> Manifest:
        return await self.client.at(at).get(resource, name, namespace)

    async def until(
        self,
        what: str,
        resource: Resource,
        name: str,
        namespace: str | None,
        test: Callable[[Manifest], bool],
        *,
        at: str = TEAM,
    ) -> Manifest:
        """The object once it passes the test."""
        last: Manifest = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DEADLINE_SECONDS):
                while True:
                    with contextlib.suppress(StatusError):
                        last = await self.get(resource, name, namespace, at=at)
                        if test(last):
                            return last
                    await asyncio.sleep(0.01)
        raise AssertionError(f"waited in vain until {what}; last seen: {last.get('status')}")

    async def ready(self, resource: Resource, name: str, namespace: str | None = None, *, at: str = TEAM) -> Manifest:
        return await self.until(f"{name} is Ready", resource, name, namespace, conditions.is_true, at=at)

    async def not_ready(
        self, resource: Resource, name: str, namespace: str | None, reason: str, *, says: str = ""
    ) -> Manifest:
        def test(manifest: Manifest) -> bool:
            found = conditions.get(manifest, "Ready") or {}
            said = says in found.get("message", "")
            return said and (found.get("status"), found.get("reason")) == ("False", reason)

        return await self.until(f"{name} is not Ready for {reason}", resource, name, namespace, test)

    async def gone(self, resource: Resource, name: str, namespace: str | None = None, *, at: str = TEAM) -> None:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while True:
                listing = await self.client.at(at).list(resource, namespace, fields=f"metadata.name={name}")
                if not listing.items:
                    return
                await asyncio.sleep(0.01)

    async def events(self, namespace: str = "staging") -> dict[str, str]:
        """Reason → message."""
        listing = await self.client.at(TEAM).list(EVENTS, namespace)
        return {event["reason"]: event["message"] for event in listing.items}

    async def event(self, reason: str) -> str:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while True:
                found = await self.events()
                if reason in found:
                    return found[reason]
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    """All controllers at work; may be done again on the same world, as after a crash."""
    runtime = ControllerRuntime(world.client, backoff=Backoff(0.01, 0.2))
    given = composing.Collaborators(
        {"memory": world.driver}, world.repositories, world.jobs, world.sources, world.home / "runs"
    )
    made = composing.compose(runtime, given, SystemClock())
    world.planner, world.pushes, world.vetting = made.planner, made.pushes, made.vetting
    world.previewer = made.previewer
    task = asyncio.create_task(runtime.run(made.controllers))
    try:
        yield world
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def furnish(world: World) -> None:
    """Organisation, team, environment, a type with one definition."""
    for parent, name in (("root", "acme"), (ORGANISATION, "payments")):
        made = await world.create(parent, WORKSPACES, name, {"type": {"name": "universal"}})
        await world.client.at(parent).update(WORKSPACES, {**made, "status": {"phase": "Ready"}}, subresource="status")
    await world.create(TEAM, ENVIRONMENTS, "staging", {"type": "development"})
    await world.create(ORGANISATION, RESOURCE_TYPES, "thing", thing_type())
    await define(world, "things", inputs={"size": "${claim.spec.size}"}, cost={"monthly": 4})
    await define(world, "runtime", type="workload")
    repository = {"kind": "Repository", "plural": "repositories", "versions": [{"name": "v1", "schema": {}}]}
    await world.create(ORGANISATION, RESOURCE_TYPES, "repository", repository)
    await define(world, "repository", type="repository")


async def define(world: World, name: str, **spec: Any) -> Manifest:
    return await world.create(ORGANISATION, RESOURCE_DEFINITIONS, name, {"type": "thing", "driver": "memory", **spec})


def thing_type() -> Manifest:
    return {
        "kind": "Thing",
        "bindingType": "memory",
        "versions": [{"name": "v1", "schema": {"type": "object", "properties": {"size": {"type": "integer"}}}}],
        "outputs": {"host": {}, "password": {"secret": True}},
    }


class _Mortal(MemoryClient):
    """Stands still for ever after so many writes, as a killed process does."""

    left: list[int]
    dead: asyncio.Event

    def at(self, workspace: str) -> MemoryClient:
        view = super().at(workspace)
        mortal = _Mortal.__new__(_Mortal)
        mortal.__dict__.update(view.__dict__, left=self.left, dead=self.dead)
        return mortal

    async def _spend(self) -> None:
        if self.left[0] <= 0:
            self.dead.set()
            await asyncio.Event().wait()
        self.left[0] -= 1

    async def create(self, *args: Any, **kwargs: Any) -> Manifest:
        await self._spend()
        return await super().create(*args, **kwargs)

    async def patch(self, *args: Any, **kwargs: Any) -> Manifest:
        await self._spend()
        return await super().patch(*args, **kwargs)

    async def update(self, *args: Any, **kwargs: Any) -> Manifest:
        await self._spend()
        return await super().update(*args, **kwargs)


async def run_until_death(world: World, writes: int) -> bool:
    """Run the controllers until they have made so many writes (True), or the claim is Ready before (False)."""
    mortal = _Mortal.__new__(_Mortal)
    mortal.__dict__.update(world.client.__dict__, left=[writes], dead=asyncio.Event())
    async with running(World(client=mortal, driver=world.driver)), asyncio.timeout(_DEADLINE_SECONDS):
        while not mortal.dead.is_set():
            if conditions.is_true(await world.get(THINGS, "box", "staging")):
                return False
            await asyncio.sleep(0.005)
    return True
