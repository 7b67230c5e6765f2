"""A tenant who tries to learn of another: what one can ask from one workspace, and what must not be in the answers.

Mallory is administrator of root:m, victoria of root:v. What is and what is not there are refused in the same words.
"""

from __future__ import annotations

import base64
import time
from typing import Any

import orjson
import pytest

from .test_exports import ACCESS, APIS, EVERYTHING, RBAC, WIDGETS, _binding, _consumer, _grant, _provider
from .test_provider_views import CLAIM

CLUSTERS = "/apis/core.kcp.io/v1alpha1/logicalclusters"
CONFIGS = "/api/v1/namespaces/default/configmaps"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = {"content-type": "application/merge-patch+json"}
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
SARS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
WORKSPACES = "/apis/tenancy.kcp.io/v1alpha1/workspaces"
ACCOUNT = "system:serviceaccount:default:default"


class World:
    """``mallory`` and ``victoria`` at home; ``cluster`` of victoria's workspace."""

    def __init__(self, api: Any, mallory: Any, victoria: Any, clusters: dict[str, str]) -> None:
        self.api = api
        self.mallory = mallory
        self.victoria = victoria
        self.clusters = clusters

    async def token_of_victorias_account(self) -> str:
        asked = await self.victoria.post("/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {}})
        return str(asked["status"]["token"])


@pytest.fixture
async def world(api: Any, server: Any) -> World:
    clusters, users = {}, {}
    for name, user in (("m", "mallory"), ("v", "victoria")):
        made = await api.post(WORKSPACES, {"metadata": {"name": name}, "spec": {}})
        clusters[name] = made["spec"]["cluster"]
        place = api.at(f"root:{name}")
        await _grant(place, user, ACCESS, EVERYTHING, {"nonResourceURLs": ["*"], "verbs": ["*"]})
        users[user] = place.as_user(await server.tokens.mint(user))
    return World(api, users["mallory"], users["victoria"], clusters)


async def _alike(caller: Any, method: str, places: list[str], path: str, body: Any = None, **options: Any) -> None:
    """The same refusal for every place, but for its name."""
    answers = set()
    for place in places:
        answer = await caller.at(place).call(method, path, body, **options)
        told = answer.text.replace(place, "?")
        headers = {key: value for key, value in answer.headers.items() if key not in ("audit-id", "content-length")}
        answers.add((answer.status_code, told, tuple(sorted(headers.items()))))
    assert len(answers) == 1, answers
    assert answers.pop()[0] == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api"),
        ("GET", "/apis"),
        ("GET", "/openapi/v2"),
        ("GET", "/openapi/v3"),
        ("GET", "/metrics"),
        ("GET", "/services/apiexport/x/y"),
        ("GET", f"{CONFIGS}/settings"),
        ("GET", f"{CONFIGS}/settings/history"),
        ("POST", f"{CONFIGS}/settings/undelete"),
        ("GET", f"{CLUSTERS}/cluster"),
        ("DELETE", CONFIGS),
        ("PATCH", f"{CONFIGS}/settings"),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"),
        ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token"),
    ],
)
async def test_no_door_tells_whether_there_is_a_room(world: World, make: Any, method: str, path: str) -> None:
    await world.victoria.post(CONFIGS, make.config("settings"))
    places = ["root:v", world.clusters["v"], "root:nobody", "nobody", "root:v:below", "*", "root:", "system:admin"]
    await _alike(world.mallory, method, places, path, {} if method != "GET" else None)


@pytest.mark.parametrize("who", ["victoria", ACCOUNT, "system:admin"])
async def test_acting_as_another_opens_no_other_door(world: World, who: str) -> None:
    """An administrator may let anybody in at home, and act as anybody there."""
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:kcp:workspace:access"}
    await world.mallory.post(
        f"{RBAC}/clusterrolebindings", {"metadata": {"name": "all"}, "roleRef": role, "subjects": [subject]}
    )
    headers = {"impersonate-user": who}
    me = await world.mallory.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers=headers)
    assert me["status"]["userInfo"]["username"] == who
    await _alike(world.mallory, "GET", ["root:v", "root:nobody", "*"], CONFIGS, headers=headers)


async def test_nobody_becomes_a_master_at_home(world: World) -> None:
    headers = {"impersonate-user": "x", "impersonate-group": "system:masters"}
    assert (await world.mallory.refused("GET", CONFIGS, headers=headers))[0] == 403


async def test_the_token_of_an_account_is_good_at_home_only(world: World, server: Any) -> None:
    token = await world.token_of_victorias_account()
    stranger = world.api.as_user(token)
    await _alike(stranger, "GET", ["root:m", "root:nobody", "root"], CONFIGS)


async def test_the_account_of_another_workspace_is_nobody_in_a_token_review(world: World) -> None:
    """Its name is that of an account here, which may have rights."""
    token = await world.token_of_victorias_account()
    at_home = await world.victoria.post(REVIEWS, {"spec": {"token": token}})
    assert at_home["status"]["user"]["username"] == ACCOUNT
    seen = [await world.mallory.post(REVIEWS, {"spec": {"token": each}}) for each in (token, "nonsense")]
    assert seen[0]["status"] == seen[1]["status"]


async def test_the_account_of_another_workspace_has_no_rights_by_its_name(world: World) -> None:
    subject = [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    await world.mallory.post(
        f"{RBAC}/clusterrolebindings", {"metadata": {"name": "d"}, "roleRef": role, "subjects": subject}
    )
    asked = {"verb": "get", "resource": "secrets", "namespace": "default"}
    allowed = []
    for cluster in (world.clusters["m"], world.clusters["v"]):
        extra = {"authentication.kcp.io/cluster-name": [cluster]}
        body = {"spec": {"user": ACCOUNT, "extra": extra, "resourceAttributes": asked}}
        allowed.append((await world.mallory.post(SARS, body))["status"]["allowed"])
    assert allowed == [True, False]


async def test_a_made_up_token_to_go_on_reaches_no_other_workspace(world: World, make: Any) -> None:
    await world.victoria.post(CONFIGS, make.config("secret"))
    for start in (f"{world.clusters['v']}/default/", "//", f"{world.clusters['m']}/default/"):
        token = orjson.dumps({"v": "meta.k8s.io/v1", "rv": -1, "start": start})
        query = {"continue": base64.urlsafe_b64encode(token).decode(), "limit": "5"}
        listed = await world.mallory.get(CONFIGS, **query)
        assert {item["metadata"]["annotations"]["kcp.io/cluster"] for item in listed["items"]} <= {world.clusters["m"]}


async def _version(caller: Any, path: str, **options: Any) -> int:
    return int((await caller.get(path, **options))["metadata"]["resourceVersion"])


async def test_resource_versions_neither_count_nor_show_the_writes_of_others(world: World, make: Any) -> None:
    first = int((await world.mallory.post(CONFIGS, make.config("first")))["metadata"]["resourceVersion"])
    told = []
    for number in range(6):
        for path in (CONFIGS, "/api/v1/secrets", "/api/v1/namespaces"):
            told.append(await _version(world.mallory, path))
        await world.victoria.post(CONFIGS, make.config(f"hers-{number}"))
    assert set(told) == {first}
    gone = await world.mallory.call("DELETE", CONFIGS, labelSelector="none=such")
    assert gone.json()["metadata"]["resourceVersion"] == str(first)
    refused = await world.mallory.refused("GET", CONFIGS, resourceVersion="9" * 18)
    assert refused[2].endswith(f"current: {first}")
    second = int((await world.mallory.post(CONFIGS, make.config("second")))["metadata"]["resourceVersion"])
    assert second - first > 6
    assert abs(second - time.time() * 1_000_000) < 60_000_000


async def test_a_page_goes_on_where_it_was_whatever_others_write(world: World, make: Any) -> None:
    for name in "abc":
        await world.mallory.post(CONFIGS, make.config(name))
    page = await world.mallory.get(CONFIGS, limit=2)
    await world.victoria.post(CONFIGS, make.config("hers"))
    await world.mallory.post(CONFIGS, make.config("b-later"))
    rest = await world.mallory.get(CONFIGS, limit=9, **{"continue": page["metadata"]["continue"]})
    assert make.names_of(page) + make.names_of(rest) == ["a", "b", "c", "kube-root-ca.crt"]
    async with world.mallory.watch(CONFIGS, resourceVersion=page["metadata"]["resourceVersion"]) as watch:
        assert await watch.names(1) == [("ADDED", "b-later")]


async def test_documents_name_the_kinds_of_one_workspace(world: World, make: Any) -> None:
    await world.victoria.post(CRDS, make.definition({"victorias": {"type": "string"}}))
    for path in ("/openapi/v2", "/openapi/v3", "/apis", "/api"):
        answer = await world.mallory.call("GET", path)
        assert answer.status_code == 200
        assert "example.org" not in answer.text
    missing = await world.mallory.refused("GET", "/apis/example.org/v1/widgets")
    assert missing == await world.mallory.refused("GET", "/apis/example.com/v1/widgets")


async def test_a_workspace_is_made_and_ended_by_its_workspace_alone(world: World) -> None:
    made = {"metadata": {"name": "other", "annotations": {"kcp.io/path": "root:v"}}, "spec": {}}
    assert (await world.mallory.refused("POST", CLUSTERS, made))[0] == 403
    assert (await world.mallory.refused("DELETE", f"{CLUSTERS}/cluster"))[0] == 403
    assert (await world.mallory.refused("DELETE", CLUSTERS))[0] == 403
    moved = {"metadata": {"annotations": {"kcp.io/path": "root:v", "internal.tenancy.kcp.io/type": "root:root"}}}
    answer = await world.mallory.call("PATCH", f"{CLUSTERS}/cluster", moved, headers=MERGE)
    assert answer.status_code == 403


async def test_nothing_is_left_for_the_next_workspace_of_a_name(world: World, make: Any) -> None:
    token = await world.token_of_victorias_account()
    await world.victoria.post(CONFIGS, make.config("settings"))
    await world.victoria.post(CRDS, make.definition({}))
    await world.api.delete(f"{WORKSPACES}/v")

    async def is_gone() -> bool:
        return bool((await world.api.call("GET", f"{WORKSPACES}/v")).status_code == 404)

    await make.eventually(is_gone, "the workspace is gone")
    again = await world.api.post(WORKSPACES, {"metadata": {"name": "v"}, "spec": {}})
    assert again["spec"]["cluster"] != world.clusters["v"]
    new = world.api.at("root:v")
    for path in (f"{CONFIGS}/settings", f"{CONFIGS}/settings/history", f"{CRDS}/widgets.example.org/history"):
        assert (await new.refused("GET", path))[0] == 404, path
    assert (await new.refused("POST", f"{CONFIGS}/settings/undelete", {}))[0] == 404
    assert (await world.victoria.refused("GET", CONFIGS))[0] == 403
    assert (await new.as_user(token).refused("GET", CONFIGS))[0] == 401


async def test_measures_are_not_for_tenants(world: World) -> None:
    assert (await world.mallory.refused("GET", "/metrics"))[0] == 404
    assert (await world.mallory.at("root").refused("GET", "/metrics"))[0] == 403


class Market:
    """Two shops whose exports have one name, a consumer of each, and mallory, who runs the first shop."""

    def __init__(self, api: Any, mallory: Any, bases: dict[str, str]) -> None:
        self.api = api
        self.mallory = mallory
        self.all = f"{bases['evil']}/clusters/*"
        self.base = bases["evil"]
        self.bases = bases

    async def one(self, name: str) -> str:
        workspace = await self.api.get(f"{WORKSPACES}/{name}")
        return f"{self.base}/clusters/{workspace['spec']['cluster']}"


@pytest.fixture
async def market(api: Any, server: Any) -> Market:
    bases = {}
    accepted = {"permissionClaims": [{**CLAIM, "state": "Accepted"}]}
    for shop, consumer in (("evil", "c1"), ("good", "c2")):
        provider = await _provider(api, shop, permissionClaims=[CLAIM])
        second = {"metadata": {"name": "shop"}, "spec": (await provider.get(f"{APIS}/apiexports/{shop}"))["spec"]}
        made = await provider.post(f"{APIS}/apiexports", second)
        bases[shop] = f"/services/apiexport/{made['metadata']['annotations']['kcp.io/cluster']}/shop"
        reference = {"export": {"path": f"root:{shop}", "name": "shop"}}
        await _consumer(api, consumer, {"metadata": {"name": "shop"}, "spec": {"reference": reference, **accepted}})
    await _grant(api.at("root:evil"), "mallory", ACCESS, {**EVERYTHING, "resources": ["apiexports/content"]})
    return Market(api, api.as_user(await server.tokens.mint("mallory")), bases)


async def test_a_provider_does_not_try_paths(market: Market) -> None:
    cluster = (await market.one("c1")).rpartition("/")[2]
    assert (await market.mallory.get(f"{market.base}/clusters/{cluster}{WIDGETS}"))["items"] == []
    texts = set()
    for place in ("root:c1", "root:c2", "root:nobody", (await market.one("c2")).rpartition("/")[2]):
        code, _, message = await market.mallory.refused("GET", f"{market.base}/clusters/{place}{WIDGETS}")
        texts.add((code, message.replace(place, "?")))
    assert [code for code, _ in texts] == [403]


async def test_a_provider_sees_no_past_of_what_it_was_given(market: Market, make: Any) -> None:
    consumer = market.api.at("root:c1")
    await consumer.post(CONFIGS, make.config("settings", was="secret"))
    one = await market.one("c1")
    assert (await market.mallory.get(f"{one}{CONFIGS}/settings"))["data"] == {"was": "secret"}
    for method, past in (("GET", "history"), ("POST", "undelete")):
        refused = await market.mallory.refused(method, f"{one}{CONFIGS}/settings/{past}", {})
        assert refused[0] in (403, 404)
        assert refused == await market.mallory.refused(method, f"{one}{CONFIGS}/settings/{past}", {})
    assert (await market.mallory.refused("GET", f"{one}{CONFIGS}/settings/history"))[0] == 404


@pytest.mark.parametrize("path", ["/apis/example.org/v1/widgets", "/api/v1/configmaps"])
async def test_a_provider_counts_its_own_only(market: Market, make: Any, path: str) -> None:
    """A page that is the last of its own says so, whatever else there is before or behind it."""
    for name in ("c1", "c2"):
        await market.api.at(f"root:{name}").post(WIDGETS, make.widget("w", n=1))
    for base, consumer in ((market.bases["evil"], "c1"), (market.bases["good"], "c2")):
        whole = await market.api.get(f"{base}/clusters/*{path}")
        clusters = {item["metadata"]["annotations"]["kcp.io/cluster"] for item in whole["items"]}
        assert clusters == {(await market.one(consumer)).rpartition("/")[2]}
        page = await market.api.get(f"{base}/clusters/*{path}", limit=len(whole["items"]))
        assert page["items"] == whole["items"]
        assert page["metadata"].keys() == whole["metadata"].keys()


async def test_a_provider_is_not_told_when_others_write(market: Market, make: Any) -> None:
    await market.api.at("root:c1").post(WIDGETS, make.widget("mine", n=1))
    widgets = f"{market.all}/apis/example.org/v1/widgets"
    before = await _version(market.mallory, widgets)
    await market.api.at("root:c2").post(WIDGETS, make.widget("theirs", n=1))
    await market.api.post(CONFIGS, make.config("elsewhere"))
    assert await _version(market.mallory, widgets) == before
    await market.api.at("root:c1").post(WIDGETS, make.widget("another", n=2))
    assert await _version(market.mallory, widgets) > before
    async with market.mallory.watch(widgets, resourceVersion=str(before)) as watch:
        assert await watch.names(1) == [("ADDED", "another")]


async def test_a_watch_is_not_ended_by_claims_on_another_export_of_the_name(market: Market, make: Any) -> None:
    path = f"{market.all}/api/v1/configmaps"
    revision = (await market.mallory.get(path))["metadata"]["resourceVersion"]
    async with market.mallory.watch(path, resourceVersion=revision) as watch:
        claims = {"spec": {"permissionClaims": [{**CLAIM, "state": "Rejected"}]}}
        await market.api.at("root:c2").patch(f"{APIS}/apibindings/shop", claims)
        await market.api.at("root:c1").post(CONFIGS, make.config("mine"))
        assert await watch.names(1) == [("ADDED", "mine")]


async def test_a_provider_does_not_end_a_workspace(api: Any, server: Any) -> None:
    claim = {"group": "core.kcp.io", "resource": "logicalclusters", "all": True}
    provider = await _provider(api, permissionClaims=[claim])
    await _consumer(api, "a", _binding(permissionClaims=[{**claim, "state": "Accepted"}]))
    await _grant(provider, "operator", ACCESS, {**EVERYTHING, "resources": ["apiexports/content"]})
    operator = api.as_user(await server.tokens.mint("operator"))
    cluster = (await api.get(f"{WORKSPACES}/a"))["spec"]["cluster"]
    home = (await provider.get(f"{APIS}/apiexports/shop"))["metadata"]["annotations"]["kcp.io/cluster"]
    one = f"/services/apiexport/{home}/shop/clusters/{cluster}"
    assert (await operator.get(f"{one}{CLUSTERS}/cluster"))["metadata"]["annotations"]["kcp.io/path"] == "root:a"
    for method in ("DELETE", "PUT"):
        body = await operator.get(f"{one}{CLUSTERS}/cluster") if method == "PUT" else None
        if body is not None:
            body["metadata"]["annotations"]["kcp.io/path"] = "root"
            body["metadata"]["labels"] = {"a": "b"}
        assert (await operator.call(method, f"{one}{CLUSTERS}/cluster", body)).status_code == 403


async def test_a_controller_of_a_type_counts_those_who_wait_for_it_only(api: Any) -> None:
    types = "/apis/tenancy.kcp.io/v1alpha1/workspacetypes"
    for name in ("evil", "good"):
        await api.post(types, {"metadata": {"name": name}, "spec": {"initializer": True}})
        await api.post(WORKSPACES, {"metadata": {"name": name}, "spec": {"type": {"name": name}}})
    for name in ("evil", "good"):
        path = f"/services/initializingworkspaces/root:{name}/clusters/*{CLUSTERS}"
        page = await api.get(path, limit=1)
        assert [item["metadata"]["annotations"]["kcp.io/path"] for item in page["items"]] == [f"root:{name}"]
        assert page["metadata"].keys() == (await api.get(path))["metadata"].keys()


async def test_a_binding_does_not_follow_a_path_to_somebody_elses_workspace(api: Any, make: Any) -> None:
    """The path is free once a workspace is gone; who may bind its exports is for the next owner to say."""
    await _provider(api)
    consumer = await _consumer(api, "a", _binding())
    await consumer.post(WIDGETS, make.widget("w", n=1))
    slice_ = {"metadata": {"name": "s"}, "spec": {"export": {"path": "root:shop", "name": "shop"}}}
    first = await consumer.post(f"{APIS}/apiexportendpointslices", slice_)
    assert len(first["status"]["endpoints"]) == 1
    await api.delete(f"{WORKSPACES}/shop")

    async def is_gone() -> bool:
        return bool((await api.call("GET", f"{WORKSPACES}/shop")).status_code == 404)

    await make.eventually(is_gone, "the first owner left")
    next_ = await _provider(api)

    async def is_told() -> bool:
        told = [await consumer.get(f"{APIS}/{path}") for path in ("apibindings/shop", "apiexportendpointslices/s")]
        missing = [{c["type"]: c.get("reason") for c in each["status"]["conditions"]} for each in told]
        return all(each["APIExportValid"] == "APIExportNotFound" for each in missing)

    await make.eventually(is_told, "the export is another one")
    assert (await consumer.refused("GET", WIDGETS))[0] == 404
    assert "endpoints" not in (await consumer.get(f"{APIS}/apiexportendpointslices/s"))["status"]
    [own] = (await next_.get(f"{APIS}/apiexportendpointslices/shop"))["status"]["endpoints"]
    base = "/" + own["url"].split("/", 3)[3]
    assert (await api.get(f"{base}/clusters/*{APIS}/apibindings"))["items"] == []
