"""[sig-api-machinery] ResourceQuota, for configmaps, secrets and custom resources."""

from __future__ import annotations

import pytest
from tests.conformance.specs.goclient import GoClient, Manifest, definition, resource_path, until

from portway.krm.errors import StatusError

HARD = {
    "pods": "5",
    "services": "10",
    "services.nodeports": "1",
    "replicationcontrollers": "10",
    "resourcequotas": "1",
    "cpu": "1",
    "memory": "500Mi",
    "configmaps": "10",
    "secrets": "10",
    "persistentvolumeclaims": "10",
    "requests.storage": "10Gi",
    "count/replicasets.apps": "5",
}


async def quota(go: GoClient, namespace: str, name: str, hard: Manifest) -> str:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard}}
    created = await go.typed("POST", path, body)
    assert created["spec"]["hard"] == hard
    return f"{path}/{name}"


async def shows(go: GoClient, path: str, **used: str) -> None:
    async def is_so() -> bool:
        found = (await go.get(path)).get("status") or {}
        return used.items() <= (found.get("used") or {}).items()

    await until(is_so, f"the quota shows {used}")


@pytest.mark.parametrize(("kind", "plural", "before"), [("ConfigMap", "configmaps", 1), ("Secret", "secrets", 0)])
async def test_the_life_of_an_object_is_counted(
    go: GoClient, namespace: str, kind: str, plural: str, before: int
) -> None:
    path = await quota(go, namespace, "test-quota", HARD)
    await shows(go, path, **{"resourcequotas": "1", plural: str(before)})
    objects = f"/api/v1/namespaces/{namespace}/{plural}"
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "test"}, "data": {"a": "YQ=="}}
    await go.typed("POST", objects, body)
    await shows(go, path, **{plural: str(before + 1)})
    await go.delete(f"{objects}/test")
    await shows(go, path, **{plural: str(before)})


async def test_custom_resources_are_counted(go: GoClient, namespace: str) -> None:
    crd = definition("v1", scope="Namespaced")
    await go.define(crd)
    name = f"count/{crd['metadata']['name']}"
    path = await quota(go, namespace, f"quota-for-{crd['spec']['names']['plural']}", {name: "1"})
    await shows(go, path, **{name: "0"})
    objects = resource_path(crd, namespace=namespace)
    head = {"apiVersion": "mygroup.example.com/v1", "kind": crd["spec"]["names"]["kind"]}
    await go.create(objects, {**head, "metadata": {"name": "test-cr-1"}})
    await shows(go, path, **{name: "1"})
    with pytest.raises(StatusError) as refused:
        await go.create(objects, {**head, "metadata": {"name": "test-cr-2"}})
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    assert "exceeded quota: quota-for-" in refused.value.message
    await go.delete(f"{objects}/test-cr-1")
    await shows(go, path, **{name: "0"})
    await go.undefine(crd)
