"""[sig-api-machinery] Namespaces, Garbage collector (on custom resources and ConfigMaps)."""

from __future__ import annotations

import asyncio
import uuid

from tests.conformance.specs.goclient import (
    MERGE,
    STRATEGIC,
    GoClient,
    Manifest,
    definition,
    random_name,
    resource_path,
    until,
)

NAMESPACES = "/api/v1/namespaces"


async def made(go: GoClient, prefix: str) -> str:
    name = f"{prefix}{uuid.uuid4()}"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"e2e-run": "x"}}}
    await go.typed("POST", NAMESPACES, manifest)
    return name


async def test_a_namespace_is_patched(go: GoClient) -> None:
    name = await made(go, "nspatchtest-")
    await go.patch(f"{NAMESPACES}/{name}", {"metadata": {"labels": {"testLabel": "testValue"}}}, STRATEGIC)
    assert (await go.get(f"{NAMESPACES}/{name}"))["metadata"]["labels"]["testLabel"] == "testValue"


async def test_a_namespace_is_updated(go: GoClient, namespace: str) -> None:
    found = await go.get(f"{NAMESPACES}/{namespace}")
    found["metadata"]["labels"][namespace] = "updated"
    updated = await go.typed("PUT", f"{NAMESPACES}/{namespace}", found)
    assert updated["metadata"]["labels"][namespace] == "updated"


async def test_the_status_of_a_namespace_is_read_patched_and_updated(go: GoClient, namespace: str) -> None:
    path = f"{NAMESPACES}/{namespace}/status"
    assert (await go.get(path))["status"]["phase"] == "Active"
    condition = {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "Patched by an e2e test"}
    body = {"metadata": {"annotations": {"e2e-patched-ns-status": namespace}}, "status": {"conditions": [condition]}}
    patched = await go.patch(path, body, MERGE)
    assert patched["metadata"]["annotations"]["e2e-patched-ns-status"] == namespace
    assert [c["message"] for c in patched["status"]["conditions"]] == ["Patched by an e2e test"]
    found = await go.get(f"{NAMESPACES}/{namespace}")
    found["status"]["conditions"].append(
        {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Updated by an e2e test"}
    )
    updated = await go.typed("PUT", path, found)
    assert [c["type"] for c in updated["status"]["conditions"]] == ["StatusPatch", "StatusUpdate"]
    assert updated["status"]["phase"] == "Active"


async def test_a_finalizer_is_put_on_a_namespace_and_taken_off(go: GoClient, namespace: str) -> None:
    fake = "e2e.example.com/fakeFinalizer"
    path = f"{NAMESPACES}/{namespace}"
    found = await go.get(path)
    found["spec"]["finalizers"].append(fake)
    updated = await go.typed("PUT", f"{path}/finalize", found)
    assert updated["spec"]["finalizers"] == ["kubernetes", fake]
    updated["spec"]["finalizers"] = ["kubernetes"]
    assert (await go.typed("PUT", f"{path}/finalize", updated))["spec"]["finalizers"] == ["kubernetes"]


async def test_all_that_is_in_a_namespace_goes_with_it(go: GoClient) -> None:
    name = await made(go, "nsdeletetest-")
    path = f"{NAMESPACES}/{name}"
    await go.typed(
        "POST", f"{path}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held"}}
    )
    await go.delete(path)
    await until(lambda: go.is_gone(path), "the namespace is gone")
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await go.typed("POST", NAMESPACES, manifest)
    assert "held" not in str(await go.get(f"{path}/configmaps"))


async def test_a_hundred_namespaces_go_fast(go: GoClient) -> None:
    names = await asyncio.gather(*(made(go, "nslifetest-") for _ in range(100)))
    await asyncio.gather(*(go.delete(f"{NAMESPACES}/{name}") for name in names))

    async def are_gone() -> bool:
        left = {item["metadata"]["name"] for item in (await go.get(NAMESPACES))["items"]}
        return not left & set(names)

    await until(are_gone, "all of them are gone", seconds=120)


async def owned(go: GoClient, path: str, crd: Manifest) -> tuple[str, str]:
    head = {"apiVersion": "mygroup.example.com/v1beta1", "kind": crd["spec"]["names"]["kind"]}
    owner, dependent = random_name("owner"), random_name("dependent")
    created = await go.create(path, {**head, "metadata": {"name": owner}})
    reference = {**head, "uid": created["metadata"]["uid"], "name": owner}
    await go.create(path, {**head, "metadata": {"name": dependent, "ownerReferences": [reference]}})
    return f"{path}/{owner}", f"{path}/{dependent}"


async def test_dependents_go_with_their_owner(go: GoClient) -> None:
    crd = definition()
    await go.define(crd)
    owner, dependent = await owned(go, resource_path(crd), crd)
    await go.delete(owner, {"propagationPolicy": "Background"})
    await until(lambda: go.is_gone(dependent), "the dependent is gone")
    assert await go.is_gone(owner)
    await go.undefine(crd)


async def test_orphans_stay(go: GoClient) -> None:
    crd = definition()
    await go.define(crd)
    owner, dependent = await owned(go, resource_path(crd), crd)
    await go.delete(owner, {"propagationPolicy": "Orphan"})
    await until(lambda: go.is_gone(owner), "the owner is gone")
    assert "ownerReferences" not in (await go.get(dependent))["metadata"]
    await go.undefine(crd)


async def test_a_circle_of_dependents_goes_in_the_foreground(go: GoClient, namespace: str) -> None:
    path = f"{NAMESPACES}/{namespace}/configmaps"
    uids = {}
    for name in ("pod1", "pod2", "pod3"):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        uids[name] = (await go.typed("POST", path, body))["metadata"]["uid"]
    for name, owner in (("pod1", "pod3"), ("pod2", "pod1"), ("pod3", "pod2")):
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uids[owner]}
        reference |= {"controller": True, "blockOwnerDeletion": True}
        await go.patch(f"{path}/{name}", {"metadata": {"ownerReferences": [reference]}}, STRATEGIC)
    options = {"propagationPolicy": "Foreground", "preconditions": {"uid": uids["pod1"]}}
    await go.delete(f"{path}/pod1", options)

    async def are_gone() -> bool:
        return len((await go.get(path))["items"]) == 1  # kube-root-ca.crt stays

    await until(are_gone, "all three are gone", seconds=60)


async def test_a_dependent_with_another_valid_owner_stays(go: GoClient, namespace: str) -> None:
    path = f"{NAMESPACES}/{namespace}/configmaps"
    references = []
    for name in ("to-be-deleted", "to-stay"):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        uid = (await go.typed("POST", path, body))["metadata"]["uid"]
        references.append({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid})
    references[0]["blockOwnerDeletion"] = True
    both = {"name": "both", "ownerReferences": references}
    one = {"name": "one", "ownerReferences": references[:1]}
    for metadata in (both, one):
        await go.typed("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    await go.delete(f"{path}/to-be-deleted", {"propagationPolicy": "Foreground"})
    await until(lambda: go.is_gone(f"{path}/to-be-deleted"), "the owner is gone")
    assert await go.is_gone(f"{path}/one")
    left = (await go.get(f"{path}/both"))["metadata"]["ownerReferences"]
    assert [reference["name"] for reference in left] == ["to-stay"]
