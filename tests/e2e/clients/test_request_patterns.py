"""What Helm, Argo CD and Flux ask, replayed as they send it."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.e2e.clients.conftest import Kubectl

APPLY = "application/apply-patch+yaml"
SECRETS = "/api/v1/namespaces/default/secrets"


@pytest.fixture
def http(kubectl: Kubectl) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=str(kubectl.server.certificate))
    address = f"{kubectl.server.url}/clusters/{kubectl.workspace}"
    headers = {"Authorization": f"Bearer {kubectl.token}", "Accept": "application/json"}
    with httpx.Client(base_url=address, headers=headers, verify=context, timeout=30) as client:
        yield client


def release(revision: int, status: str) -> dict[str, Any]:
    """As helm/pkg/storage/driver/secrets.go writes it."""
    packed = base64.b64encode(gzip.compress(json.dumps({"name": "shop", "version": revision}).encode())).decode()
    labels = {"name": "shop", "owner": "helm", "status": status, "version": str(revision), "modifiedAt": "1700000000"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": f"sh.helm.release.v1.shop.v{revision}", "labels": labels},
        "data": {"release": base64.b64encode(packed.encode()).decode()},
    }


def test_helm_install_upgrade_history_uninstall(http: httpx.Client) -> None:
    query = {"labelSelector": "name=shop,owner=helm,status=deployed"}
    assert http.get(SECRETS, params=query).json()["items"] == []
    assert http.post(SECRETS, json=release(1, "pending-install")).status_code == 201
    assert http.put(f"{SECRETS}/sh.helm.release.v1.shop.v1", json=release(1, "deployed")).status_code == 200
    assert http.post(SECRETS, json=release(1, "deployed")).status_code == 409
    assert http.post(SECRETS, json=release(2, "pending-upgrade")).status_code == 201
    assert http.put(f"{SECRETS}/sh.helm.release.v1.shop.v1", json=release(1, "superseded")).status_code == 200
    assert http.put(f"{SECRETS}/sh.helm.release.v1.shop.v2", json=release(2, "deployed")).status_code == 200
    [deployed] = http.get(SECRETS, params=query).json()["items"]
    packed = base64.b64decode(base64.b64decode(deployed["data"]["release"]))
    assert json.loads(gzip.decompress(packed)) == {"name": "shop", "version": 2}
    by_type = {"fieldSelector": "type=helm.sh/release.v1", "labelSelector": "owner=helm"}
    assert len(http.get(SECRETS, params=by_type).json()["items"]) == 2
    assert (
        http.get(SECRETS, params={"fieldSelector": "type!=helm.sh/release.v1", "labelSelector": "owner=helm"}).json()[
            "items"
        ]
        == []
    )
    changed = {**release(2, "deployed"), "type": "Opaque"}
    refused = http.put(f"{SECRETS}/sh.helm.release.v1.shop.v2", json=changed)
    assert (refused.status_code, "field is immutable" in refused.json()["message"]) == (422, True)
    for revision in (1, 2):
        assert http.delete(f"{SECRETS}/sh.helm.release.v1.shop.v{revision}").status_code == 200


def resources(http: httpx.Client) -> list[str]:
    """Paths of all resources that can be listed and watched, as Argo CD's cluster cache finds them."""
    paths = []
    for root in ("/api", "/apis"):
        accept = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
        for group in http.get(root, headers=accept).json()["items"]:
            name = group["metadata"].get("name", "")
            prefix = f"/apis/{name}" if name else "/api"
            version = group["versions"][0]
            paths += [
                f"{prefix}/{version['version']}/{found['resource']}"
                for found in version["resources"]
                if {"list", "watch"} <= set(found["verbs"])
            ]
    return paths


def test_argo_cd_lists_and_watches_everything(http: httpx.Client) -> None:
    paths = resources(http)
    assert len(paths) > 20
    for path in paths:
        listed = http.get(path, params={"limit": "500", "resourceVersion": "0"})
        assert listed.status_code == 200, (path, listed.text)
        revision = listed.json()["metadata"]["resourceVersion"]
        query = {"watch": "true", "resourceVersion": revision, "allowWatchBookmarks": "true", "timeoutSeconds": "1"}
        with http.stream("GET", path, params=query) as watch:
            assert watch.status_code == 200, path


def test_cluster_wide_sync_by_watch_list(http: httpx.Client) -> None:
    for number in range(3):
        body = {"metadata": {"name": f"sync-{number}"}}
        http.post("/api/v1/namespaces/default/configmaps", json=body).raise_for_status()
    query = {
        "watch": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "30",
    }
    names = []
    with http.stream("GET", "/api/v1/configmaps", params=query) as watch:
        for line in watch.iter_lines():
            event = json.loads(line)
            metadata = event["object"]["metadata"]
            if event["type"] == "BOOKMARK":
                assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
                assert int(metadata["resourceVersion"])
                break
            assert event["type"] == "ADDED"
            names.append(metadata["name"])
    assert {"sync-0", "sync-1", "sync-2", "kube-root-ca.crt"} <= set(names)


def test_the_open_api_is_read_again_after_each_definition(http: httpx.Client) -> None:
    before = http.get("/openapi/v3").json()["paths"]
    started = time.monotonic()
    for number in range(5):
        group = f"g{number}.example.org"
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": "things", "kind": f"Thing{number}"}
        spec = {"group": group, "scope": "Cluster", "names": names, "versions": [version]}
        body = {"metadata": {"name": f"things.{group}"}, "spec": spec}
        http.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=body).raise_for_status()
        deadline = time.monotonic() + 30
        while f"apis/{group}/v1" not in (paths := http.get("/openapi/v3").json()["paths"]):
            assert time.monotonic() < deadline
        document = http.get(paths[f"apis/{group}/v1"]["serverRelativeURL"])
        assert document.headers.get("etag")
        assert http.get(f"/apis/{group}/v1/things").status_code == 200
        assert http.get("/openapi/v2").status_code == 200
    after = http.get("/openapi/v3").json()["paths"]
    assert {path: after[path] for path in before} == before  # what did not change is still cached
    assert time.monotonic() - started < 30


def test_flux_dry_run_then_apply_is_deterministic(http: httpx.Client) -> None:
    path = "/api/v1/namespaces/default/configmaps/flux"
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "flux", "labels": {"a": "b"}},
        "data": {"x": "1"},
    }
    query = {"fieldManager": "kustomize-controller", "force": "true"}
    headers = {"Content-Type": APPLY}

    def apply(body: dict[str, Any], **more: str) -> Any:
        answer = http.patch(path, params={**query, **more}, content=json.dumps(body), headers=headers)
        answer.raise_for_status()
        return answer.json()

    def shown(found: Any) -> Any:
        metadata = {
            k: v for k, v in found["metadata"].items() if k not in ("uid", "creationTimestamp", "managedFields")
        }
        return {**found, "metadata": metadata}

    first, second = apply(body, dryRun="All"), apply(body, dryRun="All")
    assert shown(first) == shown(second)
    assert http.get(path).status_code == 404
    stored = apply(body)
    assert apply(body, dryRun="All") == stored
    assert apply(body) == stored
    drifted = apply({**body, "data": {"x": "2"}}, dryRun="All")
    assert drifted["data"] == {"x": "2"}
    assert http.get(path).json() == stored
