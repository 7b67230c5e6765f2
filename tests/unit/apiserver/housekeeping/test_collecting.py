from __future__ import annotations

import random
import uuid

import pytest

from portway.krm.identity import Manifest
from portway.store.contract import Put

from .conftest import World


async def test_dependents_go_with_their_owner_to_any_depth(world: World) -> None:
    owner = await world.create("owner")
    child = await world.create("child", owner)
    await world.create("grandchild", child)
    await world.create("free")
    await world.delete("owner")
    await world.until(lambda: world.names() == {"free"})


async def test_a_dependent_with_another_owner_stays_and_loses_the_reference(world: World) -> None:
    first, second = await world.create("first"), await world.create("second")
    await world.create("child", first, second)
    await world.delete("first")

    def kept() -> bool:
        child = world.read("child")
        assert child is not None
        return [owner["name"] for owner in child["metadata"]["ownerReferences"]] == ["second"]

    await world.until(kept)


async def test_orphaned_dependents_stay_without_the_reference(world: World) -> None:
    owner = await world.create("owner")
    await world.create("child", owner)
    await world.delete("owner", "Orphan")
    await world.until(lambda: world.names() == {"child"})
    child = world.read("child")
    assert child is not None
    assert "ownerReferences" not in child["metadata"]


async def test_an_owner_deleted_in_the_foreground_goes_last(world: World) -> None:
    owner = await world.create("owner")
    await world.create("child", owner, blocks=True, finalizers=("example.org/hold",))
    await world.delete("owner", "Foreground")

    def child_is_going() -> bool:
        child = world.read("child")
        return child is not None and "deletionTimestamp" in child["metadata"]

    await world.until(child_is_going)
    await world.settle()
    assert world.names() == {"owner", "child"}
    await world.release("child", "example.org/hold")
    await world.until(lambda: not world.names())


async def test_a_foreground_deletion_does_not_wait_for_dependents_that_do_not_block(world: World) -> None:
    owner = await world.create("owner")
    await world.create("child", owner, finalizers=("example.org/hold",))
    await world.delete("owner", "Foreground")
    await world.until(lambda: world.names() == {"child"})


async def test_an_owner_that_never_was_takes_its_dependent_away(world: World) -> None:
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ghost", "uid": str(uuid.uuid4())}}
    await world.create("child", ghost)
    await world.until(lambda: not world.names())


async def test_an_owner_of_the_same_name_but_another_uid_does_not_count(world: World) -> None:
    owner = await world.create("owner")
    owner["metadata"]["uid"] = str(uuid.uuid4())
    await world.create("child", owner)
    await world.until(lambda: world.names() == {"owner"})


async def test_an_owner_in_another_namespace_does_not_count(world: World) -> None:
    owner = await world.create("owner", namespace="kube-system")
    await world.create("child", owner)
    await world.until(lambda: not world.names())


async def test_owners_of_kinds_that_are_not_served_are_taken_to_exist(world: World) -> None:
    owner = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "uid": str(uuid.uuid4())}}
    await world.create("child", owner)
    await world.settle()
    assert world.names() == {"child"}


async def test_a_cluster_scoped_owner_owns_in_all_namespaces(world: World) -> None:
    owner = await world.create("owner", plural="namespaces")
    await world.create("child", owner)
    await world.settle()
    assert world.names() == {"child"}
    await world.delete("owner", plural="namespaces")
    await world.until(lambda: not world.names())


async def test_a_circle_goes_in_the_background_and_in_the_foreground(world: World) -> None:
    for propagation in ("Background", "Foreground"):
        first = await world.create("first")
        second = await world.create("second", first, blocks=True)
        third = await world.create("third", second, blocks=True)
        record = world.cache.get(world.key("first"))
        assert record is not None
        await world.own("first", third)
        await world.delete("second", propagation)
        await world.until(lambda: not world.names())


async def test_what_became_garbage_while_nobody_looked_is_found_at_the_start(world: World) -> None:
    owner = await world.create("owner")
    await world.settle()
    await world.pause()
    await world.create("child", owner)
    await world.delete("owner")
    assert world.names() == {"child"}
    world.resume()
    await world.until(lambda: not world.names())


async def test_many_dependents_go_together(world: World) -> None:
    owner = await world.create("owner")
    for number in range(300):
        await world.create(f"child-{number}", owner)
    await world.delete("owner")
    await world.until(lambda: not world.names())


async def test_sealed_objects_own_and_are_owned(world: World) -> None:
    owner = await world.create("owner", plural="secrets")
    child = await world.create("child", owner)
    await world.create("grandchild", child, plural="secrets")
    await world.delete("owner", plural="secrets")
    await world.until(lambda: world.cache.get(world.key("grandchild", plural="secrets")) is None)
    assert world.names() == set()


async def test_an_object_nobody_can_read_does_not_stop_the_rest(world: World) -> None:
    await world.cache.commit([Put(world.key("broken"), lambda _: b'{"ownerReferences"', 0)])
    owner = await world.create("owner")
    await world.create("child", owner)
    await world.delete("owner")
    await world.until(lambda: world.names() == {"broken"})


def survivors(owners: dict[str, set[str]], deleted: str) -> set[str]:
    """What is not owned at all, or by something that survives."""
    alive = set(owners) - {deleted}
    while gone := {name for name in alive if owners[name] and not owners[name] & alive}:
        alive -= gone
    return alive


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_what_survives_in_any_graph_is_what_has_a_living_owner_or_none(world: World, propagation: str) -> None:
    choose = random.Random(propagation)
    for round_number in range(15):
        made: dict[str, Manifest] = {}
        owners: dict[str, set[str]] = {}
        for number in range(8):
            name = f"r{round_number}-{number}"
            owners[name] = set(choose.sample(sorted(made), min(len(made), choose.choice([0, 1, 1, 2, 3]))))
            held_by = [made[owner] for owner in sorted(owners[name])]
            made[name] = await world.create(name, *held_by, blocks=choose.random() < 0.5)
        for name, owner in zip(choose.sample(sorted(made), 2), choose.sample(sorted(made), 2), strict=True):
            if owner not in owners[name] and owner != name:  # may close a circle
                await world.own(name, made[owner])
                owners[name].add(owner)
        deleted = choose.choice(sorted(made))
        expected = survivors(owners, deleted)
        await world.delete(deleted, propagation)
        await world.until(lambda made=made, expected=expected: world.names() & set(made) == expected)  # type: ignore[misc]
        await world.settle()
        assert world.names() & set(made) == expected
