"""Requests that must not hurt others, and options that every verb has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from urllib.parse import urlsplit

import pytest
from tests.conformance.specs.goclient import APPLY, GoClient, Manifest, until

from portway.apiserver import responses
from portway.apiserver.app import ApiServer
from portway.krm.errors import StatusError

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def config(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"of": "test"}}, "data": data}


async def connect(go: GoClient, request: str, body: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(str(go.http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
    head = f"{request} HTTP/1.1\r\nhost: portway\r\nauthorization: Bearer {go.token}\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return reader, writer


async def test_metadata_alone_is_watched(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    async with go.watch(path, accept=METADATA, labelSelector="of=test") as watch:
        await go.typed("POST", path, config("a", key="value"))
        seen = await watch.next("ADDED")
        assert (seen["kind"], seen["apiVersion"], seen["metadata"]["name"]) == (
            "PartialObjectMetadata",
            "meta.k8s.io/v1",
            "a",
        )
        assert "data" not in seen


async def test_dry_runs_of_every_verb_change_nothing(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    dry = {"dryRun": "All"}
    assert (await go.typed("POST", path, config("new"), **dry))["metadata"]["uid"]
    assert await go.is_gone(f"{path}/new")
    made = await go.typed("POST", path, config("a", key="1"))
    assert (await go.typed("PUT", f"{path}/a", config("a", key="2"), **dry))["data"] == {"key": "2"}
    assert (await go.patch(f"{path}/a", {"data": {"key": "3"}}, **dry))["data"] == {"key": "3"}
    applied = await go.patch(f"{path}/a", config("a", key="4"), APPLY, fieldManager="x", force="true", **dry)
    assert applied["data"] == {"key": "4"}
    await go.delete(f"{path}/a", {"dryRun": ["All"]})
    await go.do("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]})
    await go.do("DELETE", path, **dry)
    assert await go.get(f"{path}/a") == made
    with pytest.raises(StatusError) as refused:
        await go.typed("POST", path, config("b"), dryRun="some")
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")


@pytest.mark.parametrize(
    ("body", "content", "code"),
    [
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "application/json", 400),
        (b"{" + b" " * 4_000_000 + b"}", "application/json", 413),
        (b"a: &a [x, x]\nb: &b [*a, *a]\n" + b"c: [" + b"*b, " * 100_000 + b"*b]", "application/yaml", 400),
        (b"k8s\x00" + b"\xff" * 100, "application/vnd.kubernetes.protobuf", 400),
    ],
    ids=["brackets", "nested", "large", "bomb", "protobuf"],
)
async def test_bodies_beyond_bounds_are_refused(
    go: GoClient, namespace: str, body: bytes, content: str, code: int
) -> None:
    answer = await go.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", body, content)
    assert answer.status_code == code
    assert answer.json()["kind"] == "Status"


async def test_a_body_that_never_ends_times_out(go: GoClient) -> None:
    request = "POST /api/v1/namespaces/default/configmaps?timeout=500ms"
    head = b"content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
    reader, writer = await connect(go, request, head)
    assert b" 504 " in await asyncio.wait_for(reader.readline(), 20)
    writer.close()


async def test_a_client_that_does_not_read_its_watch_is_let_go(
    go: GoClient, namespace: str, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "PATIENCE_SECONDS", 0.3)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    _, writer = await connect(go, f"GET {path}?watch=true", b"\r\n")

    async def watches(count: int) -> bool:
        return server.metrics.watches == count

    await until(lambda: watches(1), "the watch is there")
    async with go.watch(path, labelSelector="of=test") as other:
        names = [f"large-{number}" for number in range(30)]
        for name in names:
            await go.typed("POST", path, config(name, key="x" * 500_000))
            assert (await other.next("ADDED"))["metadata"]["name"] == name
        await until(lambda: watches(1), "who does not read is gone, the other is not")
    writer.transport.abort()


async def test_a_large_list_arrives_whole_and_is_not_kept_for_who_does_not_read_it(
    go: GoClient, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(30):
        await go.typed("POST", path, config(f"large-{number:02}", key=str(number) * 500_000))
    listed = (await go.call("GET", path, b"", "application/json")).json()["items"]
    large = [item for item in listed if item["metadata"]["name"].startswith("large-")]
    assert [item["data"]["key"] for item in large] == [str(number) * 500_000 for number in range(30)]
    patiently, given_up = responses.patiently, asyncio.Event()

    async def watched(sending: Awaitable[None]) -> None:
        try:
            await patiently(sending)
        except responses.Unread:
            given_up.set()
            raise

    monkeypatch.setattr(responses, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(responses, "patiently", watched)
    reader, writer = await connect(go, f"GET {path}", b"\r\n")
    await asyncio.wait_for(given_up.wait(), 20)
    read = 0
    async with asyncio.timeout(20):
        while part := await reader.read(1_000_000):
            read += len(part)
    assert 0 < read < 15_000_000
    writer.close()
