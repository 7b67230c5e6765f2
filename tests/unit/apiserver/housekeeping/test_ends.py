"""The end of CRDs and of workspaces."""

from __future__ import annotations

from typing import Any

import orjson

from portway.apiserver import crds
from portway.apiserver.admission import roots
from portway.apiserver.admission.workspacecreation import WORKSPACES
from portway.apiserver.housekeeping.editing import Editor, without_finalizer
from portway.apiserver.tenants import Tenant
from portway.krm.identity import Manifest
from portway.store.contract import Key

from .conftest import World

WIDGETS = "widgets.example.org"
DEFINITION: Manifest = {
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    }
}


async def define(world: World, tenant: Tenant) -> None:
    await world.make(
        world.resource("customresourcedefinitions", "apiextensions.k8s.io", tenant=tenant), WIDGETS, DEFINITION, tenant
    )


async def widget(world: World, tenant: Tenant, name: str, *finalizers: str) -> Key:
    await world.make(world.resource("widgets", "example.org", tenant=tenant), name, {}, tenant)
    key = Key(WIDGETS, tenant.cluster, "default", name)

    def hold(manifest: Manifest) -> bool:
        manifest["metadata"]["finalizers"] = list(finalizers)
        return bool(finalizers)

    await editor(world).edit(key, hold)
    return key


def editor(world: World) -> Editor:
    return Editor(world.server.context.storage, world.server.context.now)


async def workspace(world: World, name: str, parent: Tenant = roots.ROOT) -> Tenant:
    resource = world.resource("workspaces", "tenancy.kcp.io", "v1alpha1", tenant=parent)
    await world.make(resource, name, {"spec": {"type": {"name": "universal"}}}, parent)
    tenant = world.server.context.tenants.resolve(f"{parent.path}:{name}")
    assert tenant is not None
    return tenant


def contents(world: World, tenant: Tenant) -> set[str]:
    return {record.key.resource for record in world.cache.all() if record.key.cluster == tenant.cluster}


async def test_a_definition_goes_after_its_instances(world: World) -> None:
    await define(world, roots.ROOT)
    await widget(world, roots.ROOT, "free")
    held = await widget(world, roots.ROOT, "held", "example.org/hold")
    definition = Key(crds.CRDS, "root", "", WIDGETS)
    await world.remove(world.resource("customresourcedefinitions", "apiextensions.k8s.io"), WIDGETS)

    def says_why() -> bool:
        record = world.cache.get(definition)
        assert record is not None
        conditions = {each["type"]: each for each in orjson.loads(record.value)["status"]["conditions"]}
        return "1 instances remain" in conditions.get("Terminating", {}).get("message", "")

    await world.until(says_why)
    assert world.cache.count(WIDGETS) == 1
    await editor(world).edit(held, without_finalizer("example.org/hold"))
    await world.until(lambda: world.cache.get(definition) is None)


async def test_a_workspace_goes_with_everything_in_and_below_it(world: World) -> None:
    acme = await workspace(world, "acme")
    payments = await workspace(world, "payments", acme)
    await define(world, payments)
    await widget(world, payments, "a")
    await world.remove(world.resource("workspaces", "tenancy.kcp.io", "v1alpha1"), "acme")
    await world.until(lambda: world.cache.get(Key(WORKSPACES, "root", "", "acme")) is None)
    assert contents(world, acme) | contents(world, payments) == set()
    assert world.server.context.tenants.resolve("root:acme") is None


async def test_a_workspace_keeps_what_controllers_need_until_they_are_done(world: World) -> None:
    acme = await workspace(world, "acme")
    await define(world, acme)
    held = await widget(world, acme, "a", "example.org/hold")
    before = contents(world, acme)
    await world.remove(world.resource("workspaces", "tenancy.kcp.io", "v1alpha1"), "acme")

    def status(key: Key) -> Any:
        record = world.cache.get(key)
        assert record is not None
        return orjson.loads(record.value)["status"]

    def says_why() -> bool:
        inside = status(Key("logicalclusters.core.kcp.io", acme.cluster, "", "cluster")).get("conditions") or ()
        above = status(Key(WORKSPACES, "root", "", "acme"))
        assert WIDGETS not in str(above), "readers of the parent do not see what is inside"
        return above["phase"] == "Deleting" and any(WIDGETS in each.get("message", "") for each in inside)

    await world.until(says_why)
    assert contents(world, acme) == before
    await editor(world).edit(held, without_finalizer("example.org/hold"))
    await world.until(lambda: world.cache.get(Key(WORKSPACES, "root", "", "acme")) is None)
    assert contents(world, acme) == set()


async def test_custom_objects_own_and_are_owned(world: World) -> None:
    await define(world, roots.ROOT)
    resource = world.resource("widgets", "example.org")
    owner = await world.make(resource, "owner", {})
    child = await world.create("child", owner)
    await world.make(resource, "grandchild", {})

    def owned(manifest: Manifest) -> bool:
        metadata = child["metadata"]
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "child", "uid": metadata["uid"]}
        manifest["metadata"]["ownerReferences"] = [reference]
        return True

    await editor(world).edit(Key(WIDGETS, "root", "default", "grandchild"), owned)
    await world.remove(resource, "owner")
    await world.until(lambda: world.cache.count(WIDGETS) == 0)
    assert world.names() == set()
