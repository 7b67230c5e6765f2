"""[sig-api-machinery] Discovery, AggregatedDiscovery, server version, request timeout."""

from __future__ import annotations

import base64
import hashlib

import pytest
from tests.conformance.specs.goclient import GoClient, Manifest, definition

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
PRESENT = [
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
    ("authentication.k8s.io", "v1", "tokenreviews"),
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
    ("coordination.k8s.io", "v1", "leases"),
    ("events.k8s.io", "v1", "events"),
]


async def test_every_group_has_a_preferred_version_among_its_versions(go: GoClient) -> None:
    groups = (await go.get("/apis/"))["groups"]
    assert groups
    for listed in groups:
        group = await go.get(f"/apis/{listed['name']}/")
        versions = [version["groupVersion"] for version in group["versions"]]
        assert group["preferredVersion"]["groupVersion"] in versions


@pytest.mark.parametrize(("group", "version", "resource"), [("", "v1", "namespaces"), *PRESENT])
async def test_group_versions_list_their_resources(go: GoClient, group: str, version: str, resource: str) -> None:
    found = await go.get(f"/apis/{group}/{version}" if group else f"/api/{version}")
    assert found["groupVersion"] == (f"{group}/{version}" if group else version)
    assert resource in [listed["name"] for listed in found["resources"]]


async def test_custom_resources_have_a_storage_version_hash(go: GoClient) -> None:
    crd = definition("v1")
    await go.define(crd)
    found = await go.get("/apis/mygroup.example.com/v1")
    [resource] = [r for r in found["resources"] if r["name"] == crd["spec"]["names"]["plural"]]
    text = f"mygroup.example.com/v1/{crd['spec']['names']['kind']}"
    expected = base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()
    assert resource["storageVersionHash"] == expected
    await go.undefine(crd)


def present(document: Manifest, group: str, version: str, resource: str) -> bool:
    return any(
        item["metadata"].get("name", "") == group and found["version"] == version and resource == listed["resource"]
        for item in document["items"]
        for found in item["versions"]
        for listed in found["resources"]
    )


async def test_aggregated_discovery_has_built_in_and_custom_resources(go: GoClient) -> None:
    crd = definition("v1", scope="Namespaced")
    await go.define(crd)
    answer = await go.call("GET", "/apis", accept=AGGREGATED)
    assert answer.headers["content-type"] == AGGREGATED
    for gvr in (*PRESENT, ("mygroup.example.com", "v1", crd["spec"]["names"]["plural"])):
        assert present(answer.json(), *gvr), gvr
    legacy = await go.call("GET", "/api", accept=AGGREGATED)
    assert present(legacy.json(), "", "v1", "namespaces")
    await go.undefine(crd)


async def test_the_server_version_is_of_two_whole_numbers(go: GoClient) -> None:
    version = await go.get("/version")
    assert version["major"].isdigit()
    assert version["minor"].isdigit()


@pytest.mark.parametrize(("timeout", "code"), [("invalid", 400), ("3m", 200), ("0s", 200), ("", 200), ("1m30.5s", 200)])
async def test_the_timeout_of_a_request_is_a_duration(go: GoClient, timeout: str, code: int) -> None:
    answer = await go.call("GET", "/version", timeout=timeout)
    assert answer.status_code == code
    if code == 400:
        assert "invalid timeout specified in the request URL" in answer.text
