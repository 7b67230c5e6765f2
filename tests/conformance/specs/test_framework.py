"""What the e2e framework and kubectl ask before, between and after specs."""

from __future__ import annotations

import pytest
from tests.conformance.specs.goclient import JSON, PROTOBUF, GoClient, until

from portway.krm.errors import StatusError


@pytest.mark.parametrize("path", ["/api/v1/nodes", "/api/v1/namespaces/default/pods", "/apis/apps/v1/deployments"])
async def test_what_is_not_served_is_not_found(go: GoClient, path: str) -> None:
    with pytest.raises(StatusError) as refused:
        await go.do("GET", path, accept=f"{PROTOBUF}, */*")
    assert (refused.value.code, refused.value.reason) == (404, "NotFound")
    assert refused.value.message == "the server could not find the requested resource"


async def test_a_cluster_has_its_namespaces_identity_and_service(go: GoClient) -> None:
    found = {item["metadata"]["name"] for item in (await go.get("/api/v1/namespaces"))["items"]}
    assert {"default", "kube-system", "kube-public", "kube-node-lease"} <= found
    assert (await go.get("/api/v1/namespaces/kube-system"))["metadata"]["uid"]
    service = await go.get("/api/v1/namespaces/default/services/kubernetes")
    assert service["spec"]["clusterIP"] == service["spec"]["clusterIPs"][0]


async def test_roles_are_bound_for_a_spec_and_hold_at_once(go: GoClient, namespace: str) -> None:
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    metadata = {"generateName": f"{namespace}--"}
    body = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": metadata}
    made = await go.typed("POST", path, {**body, "roleRef": role, "subjects": [subject]})
    assert made["metadata"]["name"].startswith(f"{namespace}--")
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:default",
            "resourceAttributes": {"namespace": namespace, "verb": "get", "resource": "configmaps"},
        },
    }
    answer = await go.typed("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer["status"]["allowed"] is True
    await go.delete(f"{path}/{made['metadata']['name']}")


async def test_a_namespace_is_made_by_generated_name_and_waited_away(go: GoClient) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "e2e-tests-"}}
    made = await go.typed("POST", "/api/v1/namespaces", body)
    path = f"/api/v1/namespaces/{made['metadata']['name']}"
    gone = await go.delete(path, accept=f"{PROTOBUF},{JSON}")
    assert gone["status"]["phase"] == "Terminating"
    await until(lambda: go.is_gone(path), "the namespace is gone")


async def test_openapi_v2_is_given_to_client_go_as_protobuf(go: GoClient) -> None:
    media = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    answer = await go.call("GET", "/openapi/v2", accept=media)
    assert answer.status_code == 200
    assert "protobuf" in answer.headers["content-type"]
    again = await go.http.get(
        "/openapi/v2",
        headers={
            "authorization": f"Bearer {go.token}",
            "accept": media,
            "if-none-match": answer.headers["etag"],
        },
    )
    assert again.status_code == 304
