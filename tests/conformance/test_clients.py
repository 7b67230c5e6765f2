"""What every client must do: in memory, and over both transports."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests import servers

from portway.apis.resources import CLUSTER_ROLES
from portway.client.contract import ALL_WORKSPACES, Client, PatchType, Resource, WatchEvent
from portway.client.http import HttpTransport
from portway.client.inprocess import AsgiApp, InProcessTransport
from portway.client.memory import MemoryClient
from portway.client.rest import RestClient
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")
POSTGRESES = Resource("resources.portway.dev", "v1", "postgreses", "Postgres")
ENVIRONMENTS = Resource("platform.portway.dev", "v1alpha1", "environments", "Environment", namespaced=False)


RESOURCES = (CONFIG_MAPS, SECRETS, POSTGRESES, ENVIRONMENTS, CLUSTER_ROLES)
TOKENS = {"ada": "t-ada", "bob": "t-bob"}
USERS = {token: user for user, token in TOKENS.items()}
FrontOf = Callable[[MemoryClient, Sequence[Resource]], AsgiApp]


@pytest.fixture
def memory() -> MemoryClient:
    TOKENS.update({user: token for token, user in USERS.items()})
    return MemoryClient("root:acme:payments", user="ada", users=USERS)


without_server = pytest.mark.parametrize("client", ["memory", "in-process", "http"], indirect=True)


@pytest.fixture(params=["memory", "in-process", "http", "API server"])
async def client(
    request: pytest.FixtureRequest, memory: MemoryClient, front_of: FrontOf, tmp_path: Path
) -> AsyncIterator[Client]:
    match request.param:
        case "memory":
            yield memory
        case "in-process":
            transport = InProcessTransport(front_of(memory, RESOURCES))
            yield RestClient(transport, "root:acme:payments", "t-ada")
        case "API server":
            async with servers.api_server(tmp_path) as app:
                boot = servers.boot_client(app)
                for workspace in ("root:acme", "root:acme:payments", "root:acme:search"):
                    await servers.make_workspace(boot, workspace, ["staging"], (POSTGRESES, ENVIRONMENTS))
                for user in TOKENS:
                    TOKENS[user] = await app.tokens.mint(user, ["system:masters"])
                yield boot.at("root:acme:payments").with_token(TOKENS["ada"])
        case _:
            async with serving(front_of(memory, RESOURCES)) as address:
                client = RestClient(HttpTransport(address), "root:acme:payments", "t-ada")
                yield client
                await client.close()


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


def postgres(name: str, **metadata: object) -> Manifest:
    return {"metadata": {"name": name, "namespace": "staging", **metadata}, "spec": {"size": "s"}}


async def take(events: AsyncIterator[WatchEvent], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(10):
        taken = [await anext(events) for _ in range(count)]
    return [(event.type, event.object["metadata"].get("name", "")) for event in taken]


async def test_a_created_object_has_what_the_server_gives(client: Client) -> None:
    created = await client.create(POSTGRESES, postgres("orders") | {"status": {"phase": "made up"}})
    metadata = created["metadata"]
    assert (created["apiVersion"], created["kind"]) == ("resources.portway.dev/v1", "Postgres")
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")
    assert metadata["generation"] == 1
    assert metadata["annotations"]["portway.dev/requested-by"] == "ada"
    assert "status" not in created
    assert await client.get(POSTGRESES, "orders", "staging") == created


async def test_creating_twice_is_a_conflict_and_a_missing_object_is_404(client: Client) -> None:
    await client.create(POSTGRESES, postgres("orders"))
    with pytest.raises(StatusError) as again:
        await client.create(POSTGRESES, postgres("orders"))
    with pytest.raises(StatusError) as missing:
        await client.get(POSTGRESES, "other", "staging")
    assert (again.value.code, again.value.reason) == (409, "AlreadyExists")
    assert (missing.value.code, missing.value.reason) == (404, "NotFound")
    assert missing.value.message == 'postgreses.resources.portway.dev "other" not found'


async def test_generation_counts_changes_of_spec_and_not_of_status_or_labels(client: Client) -> None:
    await client.create(POSTGRESES, postgres("orders"))
    status = {"status": {"phase": "Ready"}}
    ready = await client.patch(POSTGRESES, "orders", status, "staging", subresource="status")
    ignored = await client.patch(POSTGRESES, "orders", {"status": {"phase": "x"}}, "staging")
    labelled = await client.patch(POSTGRESES, "orders", {"metadata": {"labels": {"a": "b"}}}, "staging")
    resized = await client.patch(POSTGRESES, "orders", {"spec": {"size": "m"}}, "staging")
    assert ready["status"] == ignored["status"] == {"phase": "Ready"}
    assert ignored["metadata"]["resourceVersion"] == ready["metadata"]["resourceVersion"]
    assert labelled["metadata"]["generation"] == 1
    assert resized["metadata"]["generation"] == 2
    assert resized["metadata"]["labels"] == {"a": "b"}


async def test_a_write_that_changes_nothing_has_no_revision(client: Client) -> None:
    created = await client.create(POSTGRESES, postgres("orders"))
    assert await client.update(POSTGRESES, created) == created


async def test_an_update_of_an_old_version_is_a_conflict(client: Client) -> None:
    created = await client.create(POSTGRESES, postgres("orders"))
    await client.patch(POSTGRESES, "orders", {"spec": {"size": "m"}}, "staging")
    with pytest.raises(StatusError) as stale:
        await client.update(POSTGRESES, created | {"spec": {"size": "l"}})
    assert (stale.value.code, stale.value.reason) == (409, "Conflict")


async def test_finalizers_hold_the_object_until_they_are_gone(client: Client) -> None:
    await client.create(POSTGRESES, postgres("orders", finalizers=["portway.dev/claim"]))
    await client.delete(POSTGRESES, "orders", "staging")
    deleting = await client.get(POSTGRESES, "orders", "staging")
    assert deleting["metadata"]["deletionTimestamp"]
    more = {"metadata": {"finalizers": ["portway.dev/claim", "another"]}}
    with pytest.raises(StatusError) as added:
        await client.patch(POSTGRESES, "orders", more, "staging")
    assert added.value.code == 422
    version = deleting["metadata"]["resourceVersion"]
    operations = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "remove", "path": "/metadata/finalizers/0"},
    ]
    await client.patch(POSTGRESES, "orders", operations, "staging", type=PatchType.JSON)
    assert (await client.list(POSTGRESES)).items == []


@without_server  # its garbage collection is a controller beside it
@pytest.mark.parametrize(
    ("propagation", "left"),
    [("Background", []), ("Foreground", []), ("Orphan", ["child", "grandchild"])],
)
async def test_deletion_reaches_the_owned_as_the_propagation_says(
    client: Client, propagation: str, left: list[str]
) -> None:
    owner = await client.create(POSTGRESES, postgres("orders"))
    child = await client.create(POSTGRESES, postgres("child", ownerReferences=[_reference(owner)]))
    await client.create(POSTGRESES, postgres("grandchild", ownerReferences=[_reference(child)]))
    await client.delete(POSTGRESES, "orders", "staging", propagation=propagation)
    found = (await client.list(POSTGRESES)).items
    assert [item["metadata"]["name"] for item in found] == left


@without_server
async def test_an_object_with_another_owner_stays_and_forgets_the_gone_one(client: Client) -> None:
    one = await client.create(POSTGRESES, postgres("one"))
    two = await client.create(POSTGRESES, postgres("two"))
    await client.create(POSTGRESES, postgres("child", ownerReferences=[_reference(one), _reference(two)]))
    await client.delete(POSTGRESES, "one", "staging")
    child = await client.get(POSTGRESES, "child", "staging")
    assert child["metadata"]["ownerReferences"] == [_reference(two)]


async def test_workspaces_are_apart_and_a_wildcard_list_names_each(client: Client) -> None:
    other = client.at("root:acme:search")
    await client.create(ENVIRONMENTS, {"metadata": {"name": "staging"}})
    await other.create(ENVIRONMENTS, {"metadata": {"name": "staging"}})
    listed = (await client.at(ALL_WORKSPACES).list(ENVIRONMENTS)).items
    found = {item["metadata"]["annotations"]["kcp.io/path"]: item for item in listed}
    assert sorted(found) == ["root:acme:payments", "root:acme:search"]
    assert "kcp.io/path" not in (await client.get(ENVIRONMENTS, "staging"))["metadata"]["annotations"]
    written_back = await client.update(ENVIRONMENTS, found["root:acme:payments"] | {"spec": {"type": "prod"}})
    assert "kcp.io/path" not in written_back["metadata"]["annotations"]


async def test_nobody_can_say_of_an_object_that_it_is_in_another_workspace(client: Client) -> None:
    forged = {"annotations": {"kcp.io/path": "root:other", "kcp.io/cluster": "other"}}
    cluster = (await client.create(ENVIRONMENTS, {"metadata": {"name": "a", **forged}}))["metadata"]["annotations"]
    labels = {"kcp.io/path": "x", "kcp.io/cluster": cluster["kcp.io/cluster"]}
    await client.create(ENVIRONMENTS, {"metadata": {"name": "b", "labels": labels}})
    await client.patch(ENVIRONMENTS, "b", {"metadata": forged})
    found = (await client.at(ALL_WORKSPACES).list(ENVIRONMENTS)).items
    places = [item["metadata"]["annotations"]["kcp.io/path"] for item in found]
    assert places == ["root:acme:payments", "root:acme:payments"]


async def test_selectors_narrow_lists(client: Client) -> None:
    for name, labels in (("a", {"tier": "db"}), ("b", {"tier": "web"}), ("c", {})):
        await client.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": labels}}, "default")

    async def names(**selectors: str) -> str:
        found = (await client.list(CONFIG_MAPS, "default", **selectors)).items
        return "".join(item["metadata"]["name"] for item in found)

    assert await names(labels="tier=db") == "a"
    assert await names(labels="tier in (db, web),tier!=db") == "b"
    assert await names(labels="!tier,tier!=x", fields="metadata.name=c") == "c"
    assert await names(labels="tier", fields="metadata.name!=b") == "a"


async def test_a_watch_replays_and_then_follows(client: Client) -> None:
    listing = await client.list(POSTGRESES)
    await client.create(POSTGRESES, postgres("orders"))
    await client.patch(POSTGRESES, "orders", {"spec": {"size": "m"}}, "staging")
    replaying = client.watch(POSTGRESES, since=listing.resource_version)
    async with contextlib.aclosing(replaying), contextlib.aclosing(client.watch(POSTGRESES)) as fresh:
        assert await take(replaying, 2) == [("ADDED", "orders"), ("MODIFIED", "orders")]
        assert await take(fresh, 1) == [("ADDED", "orders")]
        await client.delete(POSTGRESES, "orders", "staging")
        assert await take(replaying, 1) == await take(fresh, 1) == [("DELETED", "orders")]


async def test_an_object_that_leaves_the_selector_is_deleted_for_its_watch(client: Client) -> None:
    async with contextlib.aclosing(client.watch(POSTGRESES, labels="tier=db", since="1")) as events:
        await client.create(POSTGRESES, postgres("orders"))
        await client.patch(POSTGRESES, "orders", {"metadata": {"labels": {"tier": "db"}}}, "staging")
        await client.patch(POSTGRESES, "orders", {"metadata": {"labels": None}}, "staging")
        assert await take(events, 2) == [("ADDED", "orders"), ("DELETED", "orders")]


@without_server  # it forgets only after hours
async def test_a_watch_from_a_forgotten_revision_is_410(client: Client, memory: MemoryClient) -> None:
    old = (await client.list(POSTGRESES)).resource_version
    await client.create(POSTGRESES, postgres("orders"))
    memory.compact()
    with pytest.raises(StatusError) as gone:
        await anext(client.watch(POSTGRESES, since=old))
    assert (gone.value.code, gone.value.reason) == (410, "Expired")


async def test_apply_creates_merges_and_takes_back_what_its_manager_dropped(client: Client) -> None:
    first = postgres("orders", labels={"a": "1", "b": "2"})
    await client.apply(POSTGRESES, first, manager="one")
    await client.apply(POSTGRESES, postgres("orders", labels={"c": "3"}), manager="two")
    applied = await client.apply(POSTGRESES, postgres("orders", labels={"a": "1"}), manager="one")
    assert applied["metadata"]["labels"] == {"a": "1", "c": "3"}
    assert applied["metadata"]["generation"] == 1


async def test_secrets_are_written_as_text_and_read_as_base64(client: Client) -> None:
    await client.create(SECRETS, {"metadata": {"name": "db"}, "stringData": {"user": "ada"}}, "default")
    secret = await client.get(SECRETS, "db", "default")
    assert (secret["data"], secret["type"]) == ({"user": "YWRh"}, "Opaque")


async def test_a_token_decides_who_acts_and_an_unknown_one_is_401(client: Client) -> None:
    created = await client.with_token(TOKENS["bob"]).create(POSTGRESES, postgres("orders"))
    assert created["metadata"]["annotations"]["portway.dev/requested-by"] == "bob"
    with pytest.raises(StatusError) as refused:
        await client.with_token("guess").list(POSTGRESES)
    assert refused.value.code == 401


def _reference(owner: Manifest) -> Manifest:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }


async def test_a_dry_run_answers_and_leaves_nothing(client: Client) -> None:
    shown = await client.create(POSTGRESES, postgres("orders"), dry_run=True)
    assert shown["spec"] == {"size": "s"}
    assert (await client.list(POSTGRESES)).items == []


async def test_deleting_another_uid_is_a_conflict(client: Client) -> None:
    await client.create(POSTGRESES, postgres("orders"))
    with pytest.raises(StatusError) as refused:
        await client.delete(POSTGRESES, "orders", "staging", uid="another")
    assert refused.value.code == 409


@pytest.mark.parametrize("name", ["", "..", "a/b", "../../../../api/v1/secrets/x"])
async def test_a_name_never_leaves_its_place_in_the_path(client: Client, name: str) -> None:
    with pytest.raises(StatusError) as refused:
        await client.get(POSTGRESES, name, "staging")
    assert refused.value.code == 400


async def test_odd_but_valid_names_come_through(client: Client) -> None:
    await client.create(CLUSTER_ROLES, {"metadata": {"name": "system:a b?c#d"}, "rules": []})
    assert (await client.get(CLUSTER_ROLES, "system:a b?c#d"))["metadata"]["name"] == "system:a b?c#d"


async def test_a_namespaced_resource_needs_its_namespace(client: Client) -> None:
    with pytest.raises(StatusError) as refused:
        await client.get(POSTGRESES, "orders")
    assert refused.value.code == 400


async def test_an_access_review_is_answered(client: Client) -> None:
    spec = {"resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": "staging"}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    answer = await client.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert answer["status"]["allowed"]


async def test_nobody_listening_any_more_ends_the_watch_on_the_server(memory: MemoryClient, front_of: Any) -> None:
    front = front_of(memory, RESOURCES)
    client = RestClient(InProcessTransport(front), "root:acme:payments", "t-ada")
    await client.create(POSTGRESES, postgres("orders"))
    async with contextlib.aclosing(client.watch(POSTGRESES)) as events:
        await anext(events)
        assert front.watching == 1
    assert front.watching == 0


async def test_a_reader_that_lags_gets_every_event_in_order(memory: MemoryClient, front_of: FrontOf) -> None:
    client = RestClient(InProcessTransport(front_of(memory, RESOURCES)), "root:acme:payments", "t-ada")
    async with contextlib.aclosing(client.watch(POSTGRESES, since="1")) as events:
        for number in range(500):
            await memory.create(POSTGRESES, postgres(f"n{number}"))
        assert await take(events, 500) == [("ADDED", f"n{number}") for number in range(500)]


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = RestClient(HttpTransport(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        with pytest.raises(StatusError) as refused:
            await client.list(POSTGRESES)
        await client.close()
    assert refused.value.code == 503
    assert "Is Portway running there?" in refused.value.message


async def test_a_server_that_does_not_answer_is_a_timeout() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(StatusError) as late:
        await RestClient(InProcessTransport(silent), deadline_seconds=0.05).list(POSTGRESES)
    assert (late.value.code, late.value.reason) == (504, "Timeout")


async def test_an_application_that_breaks_off_is_unavailable_and_an_odd_answer_is_quoted() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        if scope["query_string"].startswith(b"watch"):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 502, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>bad gateway"})

    client = RestClient(InProcessTransport(broken))
    with pytest.raises(StatusError) as off:
        await anext(client.watch(POSTGRESES))
    with pytest.raises(StatusError) as odd:
        await client.list(POSTGRESES)
    assert (off.value.code, odd.value.code) == (503, 502)
    assert odd.value.message == "the server answered 502: <html>bad gateway"
