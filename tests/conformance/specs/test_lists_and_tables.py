"""[sig-api-machinery] Servers with support for API chunking, Servers with support for Table transformation."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.conformance.specs.goclient import JSON, PROTOBUF, TABLE, GoClient, Manifest

from portway.krm import protobuf
from portway.krm.errors import StatusError
from portway.store.caching import Cache

TOTAL = 400
TABLE_BETA = "application/json;as=Table;v=v1beta1;g=meta.k8s.io"


async def fill(go: GoClient, path: str, count: int) -> None:
    """Twenty at a time, as upstream's BeforeEach."""
    turns = asyncio.Semaphore(20)

    async def create(number: int) -> None:
        async with turns:
            await go.typed("POST", path, template(number))

    await asyncio.gather(*(create(number) for number in range(count)))


def template(number: int) -> Manifest:
    container = {"name": "test", "image": "test2"}
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": f"template-{number:04}"},
        "template": {"spec": {"containers": [container]}},
    }


def numbers(listing: Manifest) -> list[int]:
    names = [item["metadata"]["name"] for item in listing["items"]]
    assert all(item["template"]["spec"]["containers"][0]["image"] == "test2" for item in listing["items"])
    return [int(name.removeprefix("template-")) for name in names]


async def test_lists_come_in_chunks_of_one_revision(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/podtemplates"
    await fill(go, path, TOTAL)
    for _ in range(3):
        found: list[int] = []
        seen, token, revision = 0, "", ""
        while True:
            limit = random.randint(1, TOTAL // 10)
            query = {"limit": str(limit), **({"continue": token} if token else {})}
            page = await go.do("GET", path, accept=f"{PROTOBUF},{JSON}", **query)
            metadata = page["metadata"]
            assert len(page["items"]) <= limit
            revision = revision or metadata["resourceVersion"]
            assert metadata["resourceVersion"] == revision
            found += numbers(page)
            seen += len(page["items"])
            token = metadata.get("continue", "")
            if not token:
                assert "remainingItemCount" not in metadata
                break
            assert metadata["remainingItemCount"] + seen == TOTAL
        assert found == list(range(TOTAL))
    assert len((await go.get(path, limit=str(TOTAL + 1)))["items"]) == TOTAL


async def test_a_list_goes_on_inconsistently_after_compaction(go: GoClient, namespace: str, cache: Cache) -> None:
    path = f"/api/v1/namespaces/{namespace}/podtemplates"
    await fill(go, path, TOTAL)
    tenth = TOTAL // 10
    page = await go.get(path, limit=str(tenth))
    token, revision = page["metadata"]["continue"], page["metadata"]["resourceVersion"]
    assert page["metadata"]["remainingItemCount"] + tenth == TOTAL
    await go.get(path, **{"limit": str(tenth), "continue": token})
    await go.typed("POST", "/api/v1/namespaces/default/podtemplates", template(0))  # time goes by
    await cache.compact(cache.revision)
    with pytest.raises(StatusError) as gone:
        await go.get(path, **{"limit": str(tenth), "continue": token})
    assert (gone.value.code, gone.value.reason) == (410, "Expired")
    assert "inconsistent list" in gone.value.message
    token = gone.value.continue_token
    page = await go.get(path, **{"limit": str(tenth), "continue": token})
    assert page["metadata"]["resourceVersion"] != revision
    assert len(page["items"]) == tenth
    seen, found, latest = tenth * 2, numbers(page), page["metadata"]["resourceVersion"]
    assert page["metadata"]["remainingItemCount"] + seen == TOTAL
    while token := page["metadata"].get("continue", ""):
        page = await go.get(path, **{"limit": str(tenth), "continue": token})
        assert page["metadata"]["resourceVersion"] == latest
        found += numbers(page)
    assert found == list(range(tenth, TOTAL))


async def test_tables_come_in_chunks(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/podtemplates"
    await fill(go, path, 20)
    page = await go.get(path, limit="2", accept=TABLE_BETA)
    assert page["kind"] == "Table"
    assert page["apiVersion"] == "meta.k8s.io/v1beta1"
    assert [row["cells"][0] for row in page["rows"]] == ["template-0000", "template-0001"]
    assert page["metadata"]["resourceVersion"]
    assert page["rows"][0]["cells"][1:] == ["test", "test2", "<none>"]
    rest = await go.get(path, accept=TABLE_BETA, **{"continue": page["metadata"]["continue"]})
    assert rest["rows"][0]["cells"][0] == "template-0002"
    assert len(rest["rows"]) == 18


async def test_one_object_is_a_table_of_one_row(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt"
    table = await go.get(path, accept=TABLE_BETA)
    assert len(table["columnDefinitions"]) > 2
    assert table["columnDefinitions"][0]["name"] == "Name"
    [row] = table["rows"]
    assert len(row["cells"]) == len(table["columnDefinitions"])
    assert row["cells"][0] == "kube-root-ca.crt"


async def test_a_backend_without_metadata_answers_406_to_tables(go: GoClient) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = await go.call("POST", path, protobuf.encode(review), PROTOBUF, accept=TABLE)
    assert answer.status_code == 406
    assert answer.json()["reason"] == "NotAcceptable"
