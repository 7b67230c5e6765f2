"""[sig-api-machinery] ServerSideApply. What upstream shows on Pods and Deployments is shown on kinds served here."""

from __future__ import annotations

import orjson
import pytest
from tests.conformance.specs.goclient import APPLY, MERGE, GoClient, Manifest, definition, resource_path
from tests.conformance.specs.test_field_validation import SPEC

from portway.krm.errors import StatusError


async def test_what_is_not_there_is_created_and_two_appliers_share_it(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/test-account"
    body = orjson.dumps(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "test-account"},
            "secrets": [{"name": "one"}],
        }
    )
    await go.apply(path, body.decode(), "apply_test")
    await go.get(path)
    applied = await go.apply(path, body.decode(), "apply_test_2")
    fields = {entry["manager"]: entry["fieldsV1"] for entry in applied["metadata"]["managedFields"]}
    expected: Manifest = {"f:secrets": {'k:{"name":"one"}': {}}}  # a reference is owned as a whole
    assert fields == {"apply_test": expected, "apply_test_2": expected}


async def test_status_is_applied_through_its_subresource_only(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    patch = {**head, "status": {"conditions": [{"type": "MyStatus", "status": "True"}]}}
    await go.apply(path, {**head, "metadata": {"name": namespace, "labels": {"a": "b"}}}, "apply_test")
    await go.apply(path, patch, "apply_test2")
    assert "conditions" not in (await go.get(path))["status"]
    await go.apply(f"{path}/status", patch, "apply_test2")
    assert [c["type"] for c in (await go.get(path))["status"]["conditions"]] == ["MyStatus"]


def quota(**hard: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": {"hard": hard}}


async def test_fields_no_longer_applied_go_unless_others_apply_them(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/quota"
    await go.apply(path, quota(**{"count/configmaps": "5", "count/secrets": "5"}), "apply_test")
    left = await go.apply(path, quota(**{"count/secrets": "5"}), "apply_test")
    assert left["spec"]["hard"] == {"count/secrets": "5"}
    for manager in ("shared_owner_1", "shared_owner_2"):
        await go.apply(path, quota(**{"count/configmaps": "3", "count/secrets": "5"}), manager)
    left = await go.apply(path, quota(**{"count/secrets": "5"}), "shared_owner_1")
    assert left["spec"]["hard"] == {"count/configmaps": "3", "count/secrets": "5"}


async def test_force_settles_conflicts(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/quota"
    body = quota(**{"count/configmaps": "3"})
    await go.apply(path, body, "apply_test")
    await go.patch(path, {"spec": {"hard": {"count/configmaps": "5"}}}, MERGE)
    with pytest.raises(StatusError) as refused:
        await go.apply(path, body, "apply_test")
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert [cause.reason for cause in refused.value.causes] == ["FieldManagerConflict"]
    forced = await go.apply(path, body, "apply_test", force="true")
    assert forced["spec"]["hard"] == {"count/configmaps": "3"}


async def test_an_update_takes_ownership(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/quota"
    await go.apply(path, quota(**{"count/configmaps": "3", "count/secrets": "1"}), "test_applier")
    found = await go.get(path)
    found["spec"]["hard"]["count/configmaps"] = "4"
    await go.typed("PUT", path, found)
    left = await go.apply(path, quota(**{"count/secrets": "1"}), "test_applier")
    assert left["spec"]["hard"] == {"count/configmaps": "4", "count/secrets": "1"}


def config(crd: Manifest, version: str, *, finalizers: bool = True) -> str:
    ends = "  finalizers:\n  - test-finalizer\n" if finalizers else ""
    return f"""
apiVersion: mygroup.example.com/{version}
kind: {crd["spec"]["names"]["kind"]}
metadata:
  name: mytest
{ends}spec:
  cronSpec: "* * * * */5"
  replicas: 1
  ports:
  - name: x
    containerPort: 80
    protocol: TCP"""


def port(crd: Manifest, number: int) -> str:
    kind = crd["spec"]["names"]["kind"]
    head = f"\napiVersion: mygroup.example.com/v1beta1\nkind: {kind}\nmetadata:\n  name: mytest\nspec:\n  ports:\n"
    return f'{head}  - name: "y"\n    containerPort: {number}\n    protocol: TCP'


async def test_custom_resources_are_applied_in_every_version(go: GoClient) -> None:
    spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": SPEC}
    schema = {"type": "object", "properties": {"spec": spec}}
    crd = definition("v1beta1", "v1", schema=schema, storage="v1", status=True)
    await go.define(crd)
    path, beta = f"{resource_path(crd)}/mytest", config(crd, "v1beta1")
    made = await go.apply(path, beta, "apply_test")
    assert made["metadata"]["finalizers"] == ["test-finalizer"]
    assert (made["spec"]["replicas"], len(made["spec"]["ports"])) == (1, 1)
    stable = f"{resource_path(crd, 'v1')}/mytest"
    made = await go.apply(stable, config(crd, "v1", finalizers=False), "apply_test")
    assert (made["spec"]["replicas"], len(made["spec"]["ports"])) == (1, 1)
    both = ["test-finalizer", "another-one"]
    assert (await go.patch(path, {"metadata": {"finalizers": both}}))["metadata"]["finalizers"] == both
    assert sorted((await go.apply(path, beta, "apply_test"))["metadata"]["finalizers"]) == sorted(both)
    assert (await go.patch(path, {"spec": {"replicas": 5}}))["spec"]["replicas"] == 5
    await conflicts(go, path, beta, "apply_test")
    assert (await go.apply(path, beta, "apply_test", force="true"))["spec"]["replicas"] == 1
    await conflicts(go, path, port(crd, 80), "apply_test_2")
    assert len((await go.apply(path, port(crd, 8080), "apply_test_2"))["spec"]["ports"]) == 2
    missing = {**made, "apiVersion": "mygroup.example.com/v1beta1", "metadata": {"name": "should-not-exist"}}
    with pytest.raises(StatusError) as refused:
        await go.update(f"{resource_path(crd)}/should-not-exist", missing, fieldManager="apply_test")
    assert refused.value.reason == "NotFound"
    await go.patch(path, {"metadata": {"finalizers": []}})
    await go.undefine(crd)


async def conflicts(go: GoClient, path: str, body: str, manager: str) -> None:
    with pytest.raises(StatusError) as refused:
        await go.apply(path, body, manager)
    assert (refused.value.code, len(refused.value.causes)) == (409, 1)


async def test_atomic_lists_are_replaced(go: GoClient) -> None:
    items = {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}}
    spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"atomicList": items}}
    crd = definition(schema={"type": "object", "properties": {"spec": spec}})
    await go.define(crd)
    path, kind = f"{resource_path(crd)}/mytest", crd["spec"]["names"]["kind"]
    head = {"apiVersion": "mygroup.example.com/v1beta1", "kind": kind, "metadata": {"name": "mytest"}}
    for manager, item in (("apply_test", "item1"), ("apply_test_2", "item2")):
        body = {**head, "spec": {"atomicList": [item]}}
        answer = await go.patch(path, body, APPLY, fieldManager=manager, force="true")
        assert answer["spec"]["atomicList"] == [item]
    await go.undefine(crd)
