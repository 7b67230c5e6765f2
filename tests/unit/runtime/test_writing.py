"""Statuses, finalizers, events and references against the in-memory API."""

from __future__ import annotations

import pytest

from portway.apis.resources import EVENTS
from portway.client.contract import ALL_WORKSPACES, Resource
from portway.client.memory import MemoryClient
from portway.kit.clocks import ManualClock
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import events, finalizers, objects, statuses
from portway.runtime.contract import Request

WIDGETS = Resource("tests.portway.dev", "v1", "widgets", "Widget")
PARTS = Resource("tests.portway.dev", "v1", "parts", "Part")


@pytest.fixture
def client() -> MemoryClient:
    return MemoryClient("root:acme")


async def widget(client: MemoryClient, **metadata: object) -> Manifest:
    return await client.create(WIDGETS, {"metadata": {"name": "one", "namespace": "dev", **metadata}})


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1, "b": 2}, {"b": 3}, {"a": None, "b": 3}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "z": 3}}, {"a": {"y": None, "z": 3}}),
        ({"a": [1, 2]}, {"a": [2]}, {"a": [2]}),
        ({}, {"a": {}}, {"a": {}}),
    ],
)
def test_the_difference_is_the_smallest_merge_patch(before: Manifest, after: Manifest, patch: Manifest) -> None:
    assert statuses.merge_difference(before, after) == patch


async def test_a_status_is_written_once_and_guarded_by_what_was_read(client: MemoryClient) -> None:
    created = await widget(client)
    written = await statuses.write(client, WIDGETS, created, {"phase": "Up"})
    assert written["status"] == {"phase": "Up"}
    assert await statuses.write(client, WIDGETS, written, {"phase": "Up"}) is written
    with pytest.raises(StatusError) as stale:
        await statuses.write(client, WIDGETS, created, {"phase": "Down"})
    assert stale.value.code == 409


async def test_changing_the_status_of_a_gone_object_is_nothing(client: MemoryClient) -> None:
    request = Request("root:acme", "dev", "one")
    assert await statuses.change(client, WIDGETS, request, lambda _: {"phase": "Up"}) is None
    await widget(client)
    changed = await statuses.change(client, WIDGETS, request, lambda _: {"phase": "Up"})
    assert changed is not None
    assert changed["status"] == {"phase": "Up"}


async def test_finalizers_are_added_and_removed_once_beside_those_of_others(client: MemoryClient) -> None:
    created = await widget(client, finalizers=["other"])
    added = await finalizers.add(client, WIDGETS, created, "portway.dev/test")
    assert added["metadata"]["finalizers"] == ["other", "portway.dev/test"]
    assert await finalizers.add(client, WIDGETS, added, "portway.dev/test") is added
    await finalizers.remove(client, WIDGETS, added, "portway.dev/test")
    left = await client.get(WIDGETS, "one", "dev")
    assert left["metadata"]["finalizers"] == ["other"]
    await client.patch(WIDGETS, "one", {"metadata": {"finalizers": None}}, "dev")
    await client.delete(WIDGETS, "one", "dev")
    await finalizers.remove(client, WIDGETS, added, "portway.dev/test")


async def test_repeated_events_are_one_with_a_count_even_after_a_restart(client: MemoryClient) -> None:
    about = await widget(client)
    clock = ManualClock()
    recorder = events.EventRecorder(client, "tests", clock=clock)
    for _ in range(3):
        await recorder.warning("root:acme", about, "Failed", "it broke")
    await clock.advance(60)
    await recorder.warning("root:acme", about, "Failed", "it broke")
    await events.EventRecorder(client, "tests", clock=clock).warning("root:acme", about, "Failed", "it broke")
    found = (await client.list(EVENTS, "dev")).items
    assert [(e["type"], e["reason"], e["message"], e["count"]) for e in found] == [("Warning", "Failed", "it broke", 5)]
    assert found[0]["involvedObject"]["uid"] == about["metadata"]["uid"]


async def test_events_of_cluster_scoped_objects_are_in_the_default_namespace(client: MemoryClient) -> None:
    environments = Resource("tests.portway.dev", "v1", "environments", "Environment", namespaced=False)
    about = await client.create(environments, {"metadata": {"name": "staging"}})
    await events.EventRecorder(client, "tests").normal("root:acme", about, "Made", "namespace staging made")
    found = (await client.list(EVENTS)).items
    assert [e["metadata"]["namespace"] for e in found] == ["default"]


async def test_a_dependent_wakes_its_owner(client: MemoryClient) -> None:
    owner = await widget(client)
    references = [objects.owner_reference(owner)]
    await client.create(PARTS, {"metadata": {"name": "p", "namespace": "dev", "ownerReferences": references}})
    part = (await client.at(ALL_WORKSPACES).list(PARTS)).items[0]
    assert list(objects.wakes_owner(WIDGETS)(part)) == [Request("root:acme", "dev", "one")]
    assert list(objects.wakes_owner(PARTS)(part)) == []
    assert objects.is_owned_by(part, owner)
    assert objects.key_of(part) == Request("root:acme", "dev", "p")


async def test_the_workspace_of_an_object_read_elsewise_is_an_error(client: MemoryClient) -> None:
    with pytest.raises(ValueError, match="was not read by a list or watch of all workspaces"):
        objects.workspace_of(await widget(client))
