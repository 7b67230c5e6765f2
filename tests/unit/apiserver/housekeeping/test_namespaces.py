from __future__ import annotations

from portway.krm.identity import Manifest

from .conftest import World


def status_of(world: World, name: str) -> Manifest:
    namespace = world.read(name, plural="namespaces")
    return {} if namespace is None else namespace.get("status", {})


async def test_a_namespace_goes_with_all_that_is_in_it(world: World) -> None:
    await world.create("team", plural="namespaces")
    await world.create("settings", namespace="team")
    await world.create("password", namespace="team", plural="secrets")
    await world.delete("team", plural="namespaces")
    await world.until(lambda: world.read("team", plural="namespaces") is None)
    assert [record.key for record in world.cache.all() if record.key.namespace == "team"] == []


async def test_a_namespace_waits_for_finalizers_of_its_contents_and_says_so(world: World) -> None:
    await world.create("team", plural="namespaces")
    await world.create("held", namespace="team", finalizers=("example.org/hold",))
    await world.settle()
    await world.delete("team", plural="namespaces")
    await world.until(lambda: len(status_of(world, "team").get("conditions", [])) == 5)
    status = status_of(world, "team")
    assert status["phase"] == "Terminating"
    assert {each["type"]: (each["status"], each["message"]) for each in status["conditions"][3:]} == {
        "NamespaceContentRemaining": (
            "True",
            "Some resources are remaining: configmaps. has 1 resource instances",
        ),
        "NamespaceFinalizersRemaining": (
            "True",
            "Some content in the namespace has finalizers remaining: example.org/hold in 1 resource instances",
        ),
    }
    await world.release("held", "example.org/hold", namespace="team")
    await world.until(lambda: world.read("team", plural="namespaces") is None)


async def test_every_namespace_gets_an_account_and_the_root_certificate_and_keeps_them(world: World) -> None:
    await world.create("team", plural="namespaces")

    def has_account() -> bool:
        return world.read("default", plural="serviceaccounts", namespace="team") is not None

    def has_certificate() -> bool:
        return world.read("kube-root-ca.crt", namespace="team") is not None

    await world.until(has_account)
    await world.until(has_certificate)
    await world.delete("default", plural="serviceaccounts", namespace="team")
    await world.delete("kube-root-ca.crt", namespace="team")
    await world.until(lambda: has_account() and has_certificate())
