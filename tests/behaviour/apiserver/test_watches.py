"""Watches: order, selectors, starting points, forms, endings."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import Any

import pytest

CONFIGS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


async def test_changes_are_told_in_order(api: Any, make: Any) -> None:
    revision = (await api.get(CONFIGS))["metadata"]["resourceVersion"]
    async with api.watch(CONFIGS, resourceVersion=revision) as watch:
        await api.post(CONFIGS, make.config("a"))
        await api.patch(f"{CONFIGS}/a", {"data": {"x": "1"}})
        await api.delete(f"{CONFIGS}/a")
        seen = [await watch.next() for _ in range(3)]
    assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
    revisions = [int(found["metadata"]["resourceVersion"]) for _, found in seen]
    assert revisions == sorted(set(revisions))
    assert seen[2][1]["data"] == {"x": "1"}


async def test_a_watch_without_revision_starts_with_what_is_there(api: Any) -> None:
    async with api.watch(CONFIGS) as watch:
        assert await watch.names(1) == [("ADDED", "kube-root-ca.crt")]


async def test_a_watch_resumes_from_any_revision(api: Any, make: Any) -> None:
    created = await api.post(CONFIGS, make.config("a"))
    await api.patch(f"{CONFIGS}/a", {"data": {"x": "1"}})
    await api.delete(f"{CONFIGS}/a")
    async with api.watch(CONFIGS, resourceVersion=created["metadata"]["resourceVersion"]) as watch:
        assert await watch.names(2) == [("MODIFIED", "a"), ("DELETED", "a")]


async def test_leaving_a_selector_is_a_deletion_and_entering_an_addition(api: Any, make: Any) -> None:
    revision = (await api.get(CONFIGS))["metadata"]["resourceVersion"]
    async with api.watch(CONFIGS, resourceVersion=revision, labelSelector="app=x") as watch:
        await api.post(CONFIGS, make.config("a"))
        for value in ("x", "y", "x"):
            await api.patch(f"{CONFIGS}/a", {"metadata": {"labels": {"app": value}}})
        await api.patch(f"{CONFIGS}/a", {"data": {"k": "v"}})
        await api.delete(f"{CONFIGS}/a")
        seen = [await watch.next() for _ in range(5)]
    assert [kind for kind, _ in seen] == ["ADDED", "DELETED", "ADDED", "MODIFIED", "DELETED"]
    assert seen[1][1]["metadata"]["labels"] == {"app": "x"}


async def test_initial_events_end_with_a_marked_bookmark(api: Any, make: Any) -> None:
    await api.post(CONFIGS, make.config("a"))
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with api.watch(CONFIGS, **options) as watch:
        assert await watch.names(2) == [("ADDED", "a"), ("ADDED", "kube-root-ca.crt")]
        kind, bookmark = await watch.next()
    assert kind == "BOOKMARK"
    assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert bookmark["kind"] == "ConfigMap"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"sendInitialEvents": "true"}, 422),
        ({"resourceVersionMatch": "NotOlderThan", "resourceVersion": "1"}, 422),
        ({"includeObject": "All", "headers": {"accept": TABLE}}, 400),
    ],
)
async def test_options_that_do_not_fit_are_refused(api: Any, options: dict[str, Any], code: int) -> None:
    assert (await api.refused("GET", CONFIGS, watch="true", **options))[0] == code


async def test_events_as_tables_say_once_what_the_columns_are(api: Any, make: Any) -> None:
    async with api.watch(CONFIGS, accept=TABLE) as watch:
        kind, first = await watch.next()
        await api.post(CONFIGS, make.config("a"))
        _, second = await watch.next()
    assert (kind, first["kind"], first["rows"][0]["cells"][0]) == ("ADDED", "Table", "kube-root-ca.crt")
    assert [column["name"] for column in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert (second["rows"][0]["cells"][0], second["columnDefinitions"]) == ("a", None)


async def test_initial_events_as_tables_end_with_a_marked_row(api: Any) -> None:
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with api.watch(CONFIGS, accept=TABLE, includeObject="None", **options) as watch:
        await watch.next()
        kind, table = await watch.next()
    metadata = {"resourceVersion": table["metadata"]["resourceVersion"]}
    assert (kind, table["kind"], len(table["rows"])) == ("BOOKMARK", "Table", 1)
    assert table["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {**metadata, "annotations": {"k8s.io/initial-events-end": "true"}},
    }


async def test_a_watch_ends_after_its_time(api: Any) -> None:
    answer = await api.call("GET", CONFIGS, watch="true", timeoutSeconds=1)
    assert answer.status_code == 200
    assert answer.text.count("\n") == 1


async def test_one_object_is_watched_by_its_name(api: Any, make: Any) -> None:
    revision = (await api.get(CONFIGS))["metadata"]["resourceVersion"]
    async with api.watch(CONFIGS, resourceVersion=revision, fieldSelector="metadata.name=b") as watch:
        await make.configs(api, "abc")
        await api.delete(f"{CONFIGS}/b")
        assert await watch.names(2) == [("ADDED", "b"), ("DELETED", "b")]


async def test_a_watch_over_websocket_sends_a_frame_per_event(api: Any, server: Any, make: Any) -> None:
    sent: asyncio.Queue[Any] = asyncio.Queue()
    left = asyncio.Event()
    connected = False

    async def receive() -> dict[str, Any]:
        nonlocal connected
        if not connected:
            connected = True
            return {"type": "websocket.connect"}
        await left.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    token = base64.urlsafe_b64encode(api.token.encode()).decode().rstrip("=")
    scope = {
        "type": "websocket",
        "path": CONFIGS,
        "query_string": b"watch=1",
        "headers": [],
        "subprotocols": [f"base64url.bearer.authorization.k8s.io.{token}", "base64.binary.k8s.io"],
    }
    serving = asyncio.create_task(server(scope, receive, sent.put))
    accepted = {"type": "websocket.accept", "subprotocol": "base64.binary.k8s.io", "headers": []}
    assert (await sent.get()) == accepted
    assert json.loads((await sent.get())["text"])["object"]["metadata"]["name"] == "kube-root-ca.crt"
    await api.post(CONFIGS, make.config("a"))
    assert json.loads((await sent.get())["text"])["type"] == "ADDED"
    left.set()
    await serving


def _watchers(cache: Any, count: int) -> Any:
    async def holds() -> bool:
        return bool(cache.watchers == count)

    return holds


async def test_a_client_that_leaves_leaves_nothing_behind(api: Any, server: Any, make: Any) -> None:
    cache = server.context.storage.cache
    before = len(server.context.storage.followers) + 1  # its indexes and its housekeeping
    await make.eventually(_watchers(cache, before), "the server's own watches")
    async with api.watch(CONFIGS) as watch:
        await watch.next()
        await api.post(CONFIGS, make.config("a"))
        await watch.next()
        assert cache.watchers == before + 1
    assert cache.watchers == before
    assert server.metrics.watches == 0


async def test_a_burst_reaches_every_watcher_in_the_same_order(api: Any, make: Any) -> None:
    revision = (await api.get(CONFIGS))["metadata"]["resourceVersion"]
    async with contextlib.AsyncExitStack() as stack:
        watches = [await stack.enter_async_context(api.watch(CONFIGS, resourceVersion=revision)) for _ in range(20)]
        names = [f"c{number}" for number in range(30)]
        await asyncio.gather(*(api.post(CONFIGS, make.config(name)) for name in names))
        seen = [await watch.names(len(names)) for watch in watches]
    assert all(order == seen[0] for order in seen)
    assert sorted(name for _, name in seen[0]) == sorted(names)
