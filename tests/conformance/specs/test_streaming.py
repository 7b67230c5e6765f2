"""[sig-api-machinery] API Streaming (aka. WatchList)."""

from __future__ import annotations

import pytest
from tests.conformance.specs.goclient import JSON, PROTOBUF, TABLE, GoClient, Manifest

WATCH_LIST = {
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
    "labelSelector": "watchlist=true",
}


async def five_secrets(go: GoClient, namespace: str) -> list[Manifest]:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    return [await go.typed("POST", path, secret(f"secret-{number}")) for number in range(1, 6)]


def secret(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": {"watchlist": "true"}}}


@pytest.mark.parametrize("accept", [f"{PROTOBUF},{JSON}", JSON])
async def test_an_informer_is_synchronised_by_one_stream(go: GoClient, namespace: str, accept: str) -> None:
    """The last case: a Table was preferred, which streams do not give, and JSON is good too."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    made = await five_secrets(go, namespace)
    async with go.watch(path, accept=accept, timeoutSeconds="400", **WATCH_LIST) as watch:
        assert [await watch.next("ADDED") for _ in range(5)] == made
        bookmark = await watch.next("BOOKMARK")
        assert bookmark["kind"] == "Secret"
        assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert bookmark["metadata"]["resourceVersion"]
        found = await go.get(f"{path}/secret-1")
        changed = await go.typed("PUT", f"{path}/secret-1", {**found, "stringData": {"foo": "bar"}})
        assert await watch.next("MODIFIED") == changed
        assert changed["data"] == {"foo": "YmFy"}


async def test_lists_are_lists(go: GoClient, namespace: str) -> None:
    made = await five_secrets(go, namespace)
    path = f"/api/v1/namespaces/{namespace}/secrets"
    listed = await go.do("GET", path, accept=f"{PROTOBUF},{JSON}", labelSelector="watchlist=true")
    untyped = [{name: value for name, value in one.items() if name not in ("apiVersion", "kind")} for one in made]
    assert (listed["kind"], listed["apiVersion"], listed["items"]) == ("SecretList", "v1", untyped)
    accept = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
    accept += "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    listed = await go.do("GET", path, accept=accept, labelSelector="watchlist=true")
    assert listed["kind"] == "PartialObjectMetadataList"
    assert listed["items"] == [{"metadata": found["metadata"]} for found in made]  # as in Protobuf, without a type


async def test_streams_are_given_as_tables(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    made = await five_secrets(go, namespace)
    expected = [await go.do("GET", f"{path}/{one['metadata']['name']}", accept=TABLE) for one in made]
    for table in expected[1:]:
        table["columnDefinitions"] = None
    async with go.watch(path, accept=TABLE, **WATCH_LIST) as watch:
        found = [await watch.next("ADDED") for _ in range(5)]
        bookmark = await watch.next("BOOKMARK")
    assert [_without_age(table) for table in found] == [_without_age(table) for table in expected]
    assert bookmark["kind"] == "Table"
    [row] = bookmark["rows"]
    assert row["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def _without_age(table: Manifest) -> Manifest:
    """The age goes on while the test runs; it is the last cell of a Secret."""
    return {**table, "rows": [{**row, "cells": row["cells"][:-1]} for row in table["rows"]]}
