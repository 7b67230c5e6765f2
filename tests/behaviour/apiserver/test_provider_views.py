"""A provider's one view over all who bind its export: what is in it, and all that is not."""

from __future__ import annotations

from typing import Any

import pytest

from .test_exports import ACCESS, APIS, CRDS, EVERYTHING, WIDGETS, _binding, _consumer, _grant, _provider

CONFIGS = "/api/v1/namespaces/default/configmaps"
CLAIM = {"group": "", "resource": "configmaps", "all": True}


class World:
    """A shop with consumers a and b, a workspace c of its own with a CRD of the same name, and the shop's operator."""

    def __init__(self, api: Any, operator: Any, cluster: str) -> None:
        self.api = api
        self.operator = operator
        self.all = f"/services/apiexport/{cluster}/shop/clusters/*"
        self._one = f"/services/apiexport/{cluster}/shop/clusters/"

    async def one(self, name: str) -> str:
        workspace = await self.api.get(f"/apis/tenancy.kcp.io/v1alpha1/workspaces/{name}")
        return self._one + str(workspace["spec"]["cluster"])


@pytest.fixture
async def world(api: Any, server: Any, make: Any) -> World:
    provider = await _provider(api, permissionClaims=[CLAIM])
    accepted = [{**CLAIM, "state": "Accepted"}]
    a = await _consumer(api, "a", _binding(permissionClaims=accepted))
    b = await _consumer(api, "b", _binding(permissionClaims=[{**CLAIM, "state": "Rejected"}]))
    c = await _consumer(api, "c")
    await c.post(CRDS, make.definition({"n": {"type": "integer"}}))
    for number, consumer in enumerate((a, b, c)):
        await consumer.post(WIDGETS, make.widget("w", n=number))
        await consumer.post(CONFIGS, make.config("settings"))
    await _grant(provider, "operator", ACCESS, {**EVERYTHING, "resources": ["apiexports/content"]})
    operator = api.as_user(await server.tokens.mint("operator"))
    export = await provider.get(f"{APIS}/apiexports/shop")
    return World(api, operator, export["metadata"]["annotations"]["kcp.io/cluster"])


def _numbers(listing: Any) -> list[int]:
    return sorted(item["spec"]["n"] for item in listing["items"])


async def test_it_shows_bound_objects_of_consumers_only(world: World) -> None:
    listed = await world.operator.get(f"{world.all}/apis/example.org/v1/widgets", limit=500)
    assert _numbers(listed) == [0, 1]
    assert "remainingItemCount" not in listed["metadata"]
    assert all("kcp.io/path" not in item["metadata"]["annotations"] for item in listed["items"])
    assert _numbers(await world.operator.get(f"{world.all}{WIDGETS}", labelSelector="x=y")) == []


async def test_it_pages_over_consumers(world: World) -> None:
    first = await world.operator.get(f"{world.all}/apis/example.org/v1/widgets", limit=1)
    rest = await world.operator.get(
        f"{world.all}/apis/example.org/v1/widgets", limit=1, **{"continue": first["metadata"]["continue"]}
    )
    assert sorted([*_numbers(first), *_numbers(rest)]) == [0, 1]


async def test_it_writes_status_and_spec_in_one_consumer(world: World) -> None:
    one = await world.one("a")
    widget = await world.operator.get(f"{one}{WIDGETS}/w")
    widget["spec"]["n"] = 7
    await world.operator.put(f"{one}{WIDGETS}/w", widget)
    assert (await world.api.at("root:a").get(f"{WIDGETS}/w"))["spec"] == {"n": 7}
    assert (await world.operator.refused("POST", f"{world.all}{WIDGETS}", widget))[0] == 405


async def test_it_watches_all_consumers(world: World, make: Any) -> None:
    listed = await world.operator.get(f"{world.all}/apis/example.org/v1/widgets")
    revision = listed["metadata"]["resourceVersion"]
    async with world.operator.watch(f"{world.all}/apis/example.org/v1/widgets", resourceVersion=revision) as watch:
        for name in ("c", "a", "b"):
            await world.api.at(f"root:{name}").post(WIDGETS, make.widget(f"of-{name}", n=1))
        assert await watch.names(2) == [("ADDED", "of-a"), ("ADDED", "of-b")]


async def test_claimed_objects_are_seen_where_the_claim_was_accepted(world: World) -> None:
    listed = await world.operator.get(f"{world.all}/api/v1/configmaps", fieldSelector="metadata.name=settings")
    assert len(listed["items"]) == 1
    assert (await world.operator.get(f"{await world.one('a')}{CONFIGS}/settings"))["metadata"]["name"] == "settings"
    assert (await world.operator.refused("GET", f"{await world.one('b')}{CONFIGS}/settings"))[0] == 404


async def test_a_claim_may_be_for_objects_with_a_label(world: World, make: Any) -> None:
    b = world.api.at("root:b")
    chosen = {"group": "", "resource": "configmaps", "state": "Accepted", "selector": {"matchLabels": {"for": "shop"}}}
    path = f"{world.all}/api/v1/configmaps"
    revision = (await world.operator.get(path))["metadata"]["resourceVersion"]
    async with world.operator.watch(path, resourceVersion=revision) as watch:
        await b.patch(f"{APIS}/apibindings/shop", {"spec": {"permissionClaims": [chosen]}})
        kind, status = await watch.next()
        assert (kind, status["code"]) == ("ERROR", 410)
    labelled = make.config("labelled")
    labelled["metadata"]["labels"] = {"for": "shop"}
    await b.post(CONFIGS, labelled)
    one = await world.one("b")
    assert make.names_of(await world.operator.get(f"{one}/api/v1/configmaps")) == ["labelled"]
    await world.operator.post(f"{one}{CONFIGS}", {**labelled, "metadata": {**labelled["metadata"], "name": "made"}})
    assert (await world.operator.refused("POST", f"{one}{CONFIGS}", make.config("plain")))[0] == 403
    unlabelled = {"headers": {"content-type": "application/merge-patch+json"}}
    answer = await world.operator.call("PATCH", f"{one}{CONFIGS}/made", {"metadata": {"labels": None}}, **unlabelled)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/api/v1/secrets", "no claim"),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "built in, but not claimed"),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", "built in, but not claimed"),
        ("/apis/tenancy.kcp.io/v1alpha1/workspaces", "the tree is not the provider's business"),
    ],
)
async def test_nothing_else_is_there(world: World, path: str, reason: str) -> None:
    for base in (world.all, await world.one("a")):
        assert (await world.operator.refused("GET", base + path))[0] == 404, reason


async def test_discovery_names_what_is_seen(world: World) -> None:
    groups = await world.operator.get(f"{world.all}/apis")
    assert sorted(group["name"] for group in groups["groups"]) == ["apis.kcp.io", "example.org"]
    core = await world.operator.get(f"{world.all}/api/v1")
    assert [r["name"] for r in core["resources"]] == ["configmaps"]
    bindings = await world.operator.get(f"{world.all}{APIS}")
    assert [(r["name"], r["verbs"]) for r in bindings["resources"]] == [("apibindings", ["get", "list", "watch"])]
    assert (await world.operator.refused("GET", f"{await world.one('b')}/api/v1"))[0] == 404


async def test_the_bindings_to_the_export_are_listed(world: World, api: Any) -> None:
    await _provider(api, "other")
    await api.at("root:a").post(f"{APIS}/apibindings", _binding("other"))
    listed = await world.operator.get(f"{world.all}{APIS}/apibindings")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["shop", "shop"]


async def test_others_and_other_places_are_refused_in_the_same_words(world: World, server: Any) -> None:
    alice = world.api.as_user(await server.tokens.mint("alice"))
    cluster = world.all.split("/")[3]
    messages = set()
    for domain in (f"{cluster}/shop", f"{cluster}/none", "nowhere/shop"):
        code, _, message = await alice.refused("GET", f"/services/apiexport/{domain}/clusters/*{WIDGETS}")
        messages.add((code, message.replace(domain, "?")))
    assert len(messages) == 1
    texts = set()
    for cluster in ((await world.one("c")).rpartition("/")[2], "nowhere"):
        path = world.all.replace("*", cluster) + WIDGETS
        code, _, message = await world.operator.refused("GET", path)
        texts.add((code, message.replace(cluster, "?")))
    assert len(texts) == 1
    assert {code for code, _ in messages | texts} == {403}
    assert (await world.operator.refused("GET", f"/clusters/root:a{WIDGETS}"))[0] == 403


async def test_an_unbound_consumer_is_seen_no_more(world: World, make: Any) -> None:
    await world.api.at("root:a").delete(f"{APIS}/apibindings/shop")

    async def is_gone() -> bool:
        return bool((await world.operator.call("GET", f"{one}{WIDGETS}")).status_code == 403)

    one = await world.one("a")
    await make.eventually(is_gone, "only b is left")
    assert _numbers(await world.operator.get(f"{world.all}/apis/example.org/v1/widgets")) == [1]


async def test_to_apply_what_is_not_there_is_to_create_it_here_too(world: World, make: Any, server: Any) -> None:
    patching = {"apiGroups": ["apis.kcp.io"], "resources": ["apiexports/content"], "verbs": ["get", "patch"]}
    provider = world.api.at("root:shop")
    await _grant(provider, "patcher", ACCESS, patching)
    patcher = world.api.as_user(await server.tokens.mint("patcher"))
    one = await world.one("a")
    options = {"fieldManager": "x", "force": "true", "headers": {"content-type": "application/apply-patch+yaml"}}
    code, _, message = await patcher.refused("PATCH", f"{one}{WIDGETS}/new", make.widget("new", n=1), **options)
    assert (code, 'cannot create resource "widgets"' in message) == (403, True)
    assert (await patcher.call("PATCH", f"{one}{WIDGETS}/w", make.widget("w", n=1), **options)).status_code == 200
    assert (await world.operator.call("PATCH", f"{one}{WIDGETS}/new", make.widget("new"), **options)).status_code == 201
