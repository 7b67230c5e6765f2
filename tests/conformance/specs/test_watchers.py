"""[sig-api-machinery] Watchers."""

from __future__ import annotations

import asyncio
import random
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from tests.conformance.specs.goclient import GoClient, Manifest, Watch

LABEL = "watch-this-configmap"
A, B = "multiple-watchers-A", "multiple-watchers-B"


def config(name: str, label: str) -> Manifest:
    metadata = {"name": name, "labels": {LABEL: label}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


class ConfigMaps:
    def __init__(self, go: GoClient, namespace: str) -> None:
        self.go, self.path = go, f"/api/v1/namespaces/{namespace}/configmaps"

    async def create(self, name: str, label: str) -> Manifest:
        return await self.go.typed("POST", self.path, config(name, label))

    async def mutate(self, name: str, value: str) -> Manifest:
        found = await self.go.get(f"{self.path}/{name}")
        found["data"] = {**(found.get("data") or {}), "mutation": value}
        return await self.go.typed("PUT", f"{self.path}/{name}", found)

    async def label(self, name: str, value: str) -> Manifest:
        found = await self.go.get(f"{self.path}/{name}")
        found["metadata"]["labels"][LABEL] = value
        return await self.go.typed("PUT", f"{self.path}/{name}", found)

    async def delete(self, name: str) -> None:
        await self.go.delete(f"{self.path}/{name}")

    def watch(self, *labels: str, revision: str = "") -> AbstractAsyncContextManager[Watch]:
        selector = f"{LABEL} in ({','.join(labels)})"
        options = {"labelSelector": selector, **({"resourceVersion": revision} if revision else {})}
        return self.go.watch(self.path, **options)


@pytest.fixture
def configs(go: GoClient, namespace: str) -> ConfigMaps:
    return ConfigMaps(go, namespace)


async def test_add_update_and_delete_are_told_to_those_whose_selector_matches(configs: ConfigMaps) -> None:
    async with configs.watch(A) as a, configs.watch(B) as b, configs.watch(A, B) as both:
        created = await configs.create("e2e-watch-test-configmap-a", A)
        changes = [created] + [await configs.mutate("e2e-watch-test-configmap-a", str(n)) for n in (1, 2)]
        await configs.delete("e2e-watch-test-configmap-a")
        for watch in (a, both):
            for type_, expected in zip(("ADDED", "MODIFIED", "MODIFIED"), changes, strict=True):
                assert await watch.next(type_) == expected
            await watch.next("DELETED")
        other = await configs.create("e2e-watch-test-configmap-b", B)
        await configs.delete("e2e-watch-test-configmap-b")
        for watch in (b, both):  # b was told nothing before
            assert await watch.next("ADDED") == other
            await watch.next("DELETED")


async def test_a_watch_starts_from_a_specific_resource_version(configs: ConfigMaps) -> None:
    name, label = "e2e-watch-test-resource-version", "from-resource-version"
    await configs.create(name, label)
    first, second = await configs.mutate(name, "1"), await configs.mutate(name, "2")
    await configs.delete(name)
    async with configs.watch(label, revision=first["metadata"]["resourceVersion"]) as watch:
        assert await watch.next("MODIFIED") == second
        await watch.next("DELETED")


async def test_a_watch_restarts_from_the_last_resource_version_observed(configs: ConfigMaps) -> None:
    name, label = "e2e-watch-test-watch-closed", "watch-closed-and-restarted"
    async with configs.watch(label) as watch:
        created = await configs.create(name, label)
        await configs.mutate(name, "1")
        assert await watch.next("ADDED") == created
        last = await watch.next("MODIFIED")
    second = await configs.mutate(name, "2")
    async with configs.watch(label, revision=last["metadata"]["resourceVersion"]) as watch:
        await configs.delete(name)
        assert await watch.next("MODIFIED") == second
        await watch.next("DELETED")


async def test_leaving_the_selector_is_a_deletion(configs: ConfigMaps) -> None:
    name, label = "e2e-watch-test-label-changed", "label-changed-and-restored"
    async with configs.watch(label) as watch:
        created = await configs.create(name, label)
        first = await configs.mutate(name, "1")
        await configs.label(name, "wrong-value")
        assert await watch.next("ADDED") == created
        assert await watch.next("MODIFIED") == first
        await watch.next("DELETED")
        await configs.mutate(name, "2")
        restored = await configs.label(name, label)
        third = await configs.mutate(name, "3")
        await configs.delete(name)
        assert await watch.next("ADDED") == restored
        assert await watch.next("MODIFIED") == third
        await watch.next("DELETED")


async def test_concurrent_watches_receive_events_in_the_same_order(configs: ConfigMaps) -> None:
    go, path = configs.go, configs.path
    revision = (await go.get(path))["metadata"]["resourceVersion"]
    done = asyncio.Event()

    async def produce() -> None:
        """As upstream: creations, updates and deletions of random names, one after the other."""
        existing: list[str] = []
        count = 0
        while not done.is_set():
            kind = random.choice(("create", "update", "delete")) if existing else "create"
            if kind == "create":
                count += 1
                existing.append(f"cm-{count}")
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": existing[-1]}}
                await go.typed("POST", path, body)
            elif kind == "update":
                name = random.choice(existing)
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
                await go.typed("PUT", f"{path}/{name}", {**body, "data": {"n": str(random.random())}})
            else:
                await go.delete(f"{path}/{existing.pop(random.randrange(len(existing)))}")
            await asyncio.sleep(0.005)

    producing = asyncio.create_task(produce())
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        watches: list[Watch] = []
        for _ in range(30):
            options = {"resourceVersion": revision, "allowWatchBookmarks": "true"}
            watches.append(await stack.enter_async_context(go.watch(path, **options)))
            seen = [(await watch.next())["metadata"]["resourceVersion"] for watch in watches]
            assert len(set(seen)) == 1, seen
            revision = seen[0]
        done.set()
        await producing
