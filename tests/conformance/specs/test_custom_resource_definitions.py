"""[sig-api-machinery] CustomResourceDefinition resources, and CustomResourceDefinition Watch."""

from __future__ import annotations

import uuid

from tests.conformance.specs.goclient import (
    CRDS,
    JSON_PATCH,
    OPEN_SCHEMA,
    GoClient,
    Manifest,
    definition,
    random_name,
    resource_path,
    until,
)


async def test_a_definition_is_created_and_deleted(go: GoClient) -> None:
    crd = definition()
    await go.define(crd)
    await go.undefine(crd)


async def test_definitions_are_listed_and_deleted_by_selector(go: GoClient) -> None:
    label = str(uuid.uuid4())
    made = {}
    for _ in range(10):
        crd = definition()
        crd["metadata"]["labels"] = {"e2e-list-test-uuid": label}
        made[crd["metadata"]["name"]] = (await go.create(CRDS, crd))["spec"]
    other = definition()
    await go.define(other)
    selector = {"labelSelector": f"e2e-list-test-uuid={label}"}
    listed = await go.get(CRDS, **selector)
    assert {item["metadata"]["name"]: item["spec"] for item in listed["items"]} == made
    await go.do("DELETE", CRDS, {"kind": "DeleteOptions", "apiVersion": "v1"}, **selector)

    async def are_gone() -> bool:
        return not (await go.get(CRDS, **selector))["items"]

    await until(are_gone, "the labelled definitions are gone")
    assert (await go.get(f"{CRDS}/{other['metadata']['name']}"))["spec"]["group"] == "mygroup.example.com"


async def test_the_status_of_a_definition_is_read_updated_and_patched(go: GoClient) -> None:
    crd = definition()
    created = await go.define(crd)
    path = f"{CRDS}/{crd['metadata']['name']}/status"
    status = await go.get(path)
    assert status["spec"] == created["spec"]
    condition = {"type": "", "status": "", "lastTransitionTime": None, "message": "updated"}
    status["status"]["conditions"].append(condition)
    updated = await go.update(path, status)
    assert "updated" in messages(updated)
    conditions = [{"message": "patched"}]
    patched = await go.patch(path, [{"op": "add", "path": "/status/conditions", "value": conditions}], JSON_PATCH)
    assert "patched" in messages(patched)
    await go.undefine(crd)


def messages(crd: Manifest) -> list[str]:
    return [condition.get("message", "") for condition in crd["status"]["conditions"]]


async def test_definitions_are_in_the_discovery_documents(go: GoClient) -> None:
    groups = (await go.get("/apis"))["groups"]
    [group] = [group for group in groups if group["name"] == "apiextensions.k8s.io"]
    assert "v1" in [version["version"] for version in group["versions"]]
    group = await go.get("/apis/apiextensions.k8s.io")
    assert group["name"] == "apiextensions.k8s.io"
    assert "v1" in [version["version"] for version in group["versions"]]
    resources = await go.get("/apis/apiextensions.k8s.io/v1")
    assert resources["groupVersion"] == "apiextensions.k8s.io/v1"
    assert "customresourcedefinitions" in [resource["name"] for resource in resources["resources"]]


async def test_defaults_apply_to_requests_and_to_what_is_stored(go: GoClient) -> None:
    crd = definition(schema={**OPEN_SCHEMA, "properties": {"a": {"type": "string"}, "b": {"type": "string"}}})
    await go.define(crd)
    path, definition_path = resource_path(crd), f"{CRDS}/{crd['metadata']['name']}"
    head = {"apiVersion": "mygroup.example.com/v1beta1", "kind": crd["spec"]["names"]["kind"]}
    first, second = random_name("cr-1"), random_name("cr-2")
    await go.create(path, {**head, "metadata": {"name": first}})
    properties = "/spec/versions/0/schema/openAPIV3Schema/properties"
    await go.patch(definition_path, [{"op": "add", "path": f"{properties}/a/default", "value": "A"}], JSON_PATCH)
    assert (await go.get(f"{path}/{first}"))["a"] == "A"
    assert (await go.create(path, {**head, "metadata": {"name": second}}))["a"] == "A"
    patch = [
        {"op": "remove", "path": f"{properties}/a/default"},
        {"op": "add", "path": f"{properties}/b/default", "value": "B"},
    ]
    await go.patch(definition_path, patch, JSON_PATCH)
    found = await go.get(f"{path}/{second}")
    assert (found["a"], found["b"]) == ("A", "B")
    assert "a" not in await go.get(f"{path}/{first}")
    await go.undefine(crd)


async def test_custom_resources_are_watched_by_name(go: GoClient) -> None:
    crd = definition()
    crd["metadata"]["name"] = "noxus.mygroup.example.com"
    crd["spec"]["names"] = {
        "plural": "noxus",
        "singular": "nonenglishnoxu",
        "kind": "WishIHadChosenNoxu",
        "shortNames": ["foo", "bar", "abc", "def"],
        "listKind": "NoxuItemList",
        "categories": ["all"],
    }
    await go.define(crd)
    path = resource_path(crd)

    def instance(name: str) -> Manifest:
        return {
            "apiVersion": "mygroup.example.com/v1beta1",
            "kind": "WishIHadChosenNoxu",
            "metadata": {"namespace": "", "name": name},
            "content": {"key": "value"},
            "num": {"num1": 9223372036854775807, "num2": 1000000},
        }

    def by_name(name: str) -> dict[str, str]:
        return {"fieldSelector": f"metadata.name={name}", "timeoutSeconds": "600"}

    async with go.watch(path, **by_name("name1")) as a, go.watch(path, **by_name("name2")) as b:
        for watch, name in ((a, "name1"), (b, "name2")):
            created = await go.create(path, instance(name))
            assert created["metadata"]["uid"]
            assert created["num"] == {"num1": 9223372036854775807, "num2": 1000000}
            assert await watch.next("ADDED") == created
        for watch, name in ((a, "name1"), (b, "name2")):
            await go.patch(f"{path}/{name}", [{"op": "add", "path": "/dummy", "value": "test"}], JSON_PATCH)
            assert (await watch.next("MODIFIED"))["dummy"] == "test"
        for watch, name in ((a, "name1"), (b, "name2")):
            await go.delete(f"{path}/{name}")
            assert (await watch.next("DELETED"))["metadata"]["name"] == name
    await go.undefine(crd)


async def test_selectable_fields_choose_in_lists_watches_and_collections(go: GoClient, namespace: str) -> None:
    """Upstream's spec converts between versions by a webhook; here the one version has the fields."""
    schema = {"type": "object", "properties": {"host": {"type": "string"}, "port": {"type": "string"}}}
    crd = definition("v2", scope="Namespaced", schema=schema)
    crd["spec"]["versions"][0]["selectableFields"] = [{"jsonPath": ".host"}, {"jsonPath": ".port"}]
    await go.define(crd)
    path = resource_path(crd, namespace=namespace)
    one, both = {"fieldSelector": "host=host1"}, {"fieldSelector": "host=host1,port=80"}
    head = {"apiVersion": "mygroup.example.com/v2", "kind": crd["spec"]["names"]["kind"]}

    async def names(**query: str) -> list[str]:
        return [item["metadata"]["name"] for item in (await go.get(path, **query))["items"]]

    async with go.watch(path, **one) as of_host, go.watch(path, **both) as of_port:
        for name, fields in (
            ("a", {"host": "host1", "port": "80"}),
            ("b", {"host": "host1", "port": "8080"}),
            ("c", {"host": "host2"}),
        ):
            await go.create(path, {**head, "metadata": {"name": name, "namespace": namespace}, **fields})
        assert await names(**one) == ["a", "b"]
        assert await names(**both) == ["a"]
        assert [(await of_host.next("ADDED"))["metadata"]["name"] for _ in range(2)] == ["a", "b"]
        assert (await of_port.next("ADDED"))["metadata"]["name"] == "a"
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        await go.do("DELETE", path, options, **both)
        found = await go.get(f"{path}/b")
        await go.update(f"{path}/b", {**found, "host": "host2"})
        assert await names(**one) == []
        assert await names(**both) == []
        assert [(await of_host.next("DELETED"))["metadata"]["name"] for _ in range(2)] == ["a", "b"]
        assert (await of_port.next("DELETED"))["metadata"]["name"] == "a"
    await go.undefine(crd)
