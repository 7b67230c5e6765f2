"""From kubectl's client-side apply to server-side apply, as test/cmd/apply.sh has it."""

from __future__ import annotations

import orjson
import pytest
from tests.conformance.specs.goclient import STRATEGIC, GoClient, Manifest

from portway.krm.errors import StatusError

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def config(**data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "test", "annotations": {}}, "data": data}


async def client_side(go: GoClient, path: str, **data: str) -> None:
    noted = orjson.dumps(config(**data)).decode() + "\n"
    body = config(**data)
    body["metadata"]["annotations"] = {LAST: noted}
    await go.typed("POST", path, body, fieldManager="kubectl-client-side-apply")


async def test_kubectl_takes_over_what_it_applied_on_the_client_side(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await client_side(go, path, key="value", legacy="unused")
    applied = await go.apply(f"{path}/test", config(key="new"), "kubectl", fieldValidation="Strict")
    assert applied["data"]["key"] == "new"
    noted = orjson.loads(applied["metadata"]["annotations"][LAST])
    assert noted["data"] == {"key": "new"}


async def test_others_conflict_and_so_does_what_changed_since(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await client_side(go, path, key="value")
    with pytest.raises(StatusError) as refused:
        await go.apply(f"{path}/test", config(key="new"), "somebody")
    assert refused.value.code == 409
    await go.patch(f"{path}/test", {"data": {"key": "changed"}}, STRATEGIC, fieldManager="kubectl-edit")
    with pytest.raises(StatusError) as refused:
        await go.apply(f"{path}/test", config(key="new"), "kubectl")
    assert [cause.field for cause in refused.value.causes] == [".data.key"]
