"""Home workspaces, as ``kubectl ws`` asks for them: GET …/workspaces/~ in root."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from portway.apiserver import homes
from portway.apiserver.app import ApiServer
from portway.apiserver.settings import Settings

from .conftest import Api
from .test_exports import ACCESS, EVERYTHING, _grant

HOME = "/apis/tenancy.kcp.io/v1alpha1/workspaces/~"
WORKSPACES = "/apis/tenancy.kcp.io/v1alpha1/workspaces"
CLUSTERS = "/apis/core.kcp.io/v1alpha1/logicalclusters"
CONFIGS = "/api/v1/namespaces/default/configmaps"


async def test_the_plugin_of_kcp_goes_home(api: Any, server: Any, make: Any) -> None:
    """What kubectl ws ~ asks: the home's URL in root, discovery there, the Workspace in the parent, bindings."""
    alice = api.as_user(await server.tokens.mint("alice"))
    home = await alice.at("root").get(HOME)
    assert (home["kind"], home["status"]["phase"]) == ("Workspace", "Ready")
    path = home["spec"]["URL"].rpartition("/clusters/")[2]
    assert path == "user:alice"
    mine = alice.at(path)
    assert (await mine.get("/apis"))["kind"] == "APIGroupList"
    assert (await alice.at("user").refused("GET", f"{WORKSPACES}/alice"))[0] == 403
    assert (await mine.get("/apis/apis.kcp.io/v1alpha2/apibindings"))["kind"] == "APIBindingList"
    await mine.post(CONFIGS, make.config("notes"))
    assert await alice.at("root").get(HOME) == home


async def test_a_home_is_a_workspace_like_any_other(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    cluster = (await alice.get(HOME))["spec"]["cluster"]
    made = await alice.at(cluster).post(WORKSPACES, {"metadata": {"name": "play"}, "spec": {}})
    assert made["spec"]["URL"].endswith("/clusters/user:alice:play")
    assert made["spec"]["type"] == {"name": "universal", "path": "root"}
    below = await alice.at("user:alice:play").get(f"{CLUSTERS}/cluster")
    assert below == await alice.at(f"{cluster}:play").get(f"{CLUSTERS}/cluster")
    inner = await alice.at("user:alice").get(f"{CLUSTERS}/cluster")
    assert inner["metadata"]["annotations"]["internal.tenancy.kcp.io/type"] == "root:home"
    assert "owner" not in inner["spec"]
    other = {"metadata": {"name": "x"}, "spec": {"type": {"name": "home", "path": "root"}}}
    assert (await api.refused("POST", WORKSPACES, other))[0] == 403


async def test_a_home_is_its_owners_alone_and_not_guessed(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    bob = api.as_user(await server.tokens.mint("bob"))
    cluster = (await alice.get(HOME))["spec"]["cluster"]
    texts = set()
    for place in ("user:alice", cluster, f"{cluster}:play", "user:carol", "nobody", "user"):
        code, _, message = await bob.at(place).refused("GET", CONFIGS)
        texts.add((code, message.replace(place, "?")))
    assert len(texts) == 1
    assert (await bob.refused("GET", WORKSPACES))[0] == 403


async def test_one_user_gets_one_home_however_often_it_is_asked_for(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    found = await asyncio.gather(*(alice.get(HOME) for _ in range(8)))
    assert len({home["spec"]["cluster"] for home in found}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("alice@example.org", "alice"), ("a:b", "a"), ("Alice", "alice"), (homes.path_of("a:b").partition(":")[2], "a:b")],
)
async def test_no_two_users_share_a_home(one: str, other: str) -> None:
    paths = homes.path_of(one), homes.path_of(other)
    assert paths[0] != paths[1]
    assert all(path.startswith("user:") and path.count(":") == 1 for path in paths)


async def test_accounts_and_whoever_acts_as_another_have_no_home(api: Any, server: Any) -> None:
    account = await api.post("/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {}})
    assert (await api.as_user(account["status"]["token"]).refused("GET", HOME))[0] == 403
    await _grant(api, "admin-of-root", ACCESS, EVERYTHING)
    admin = api.as_user(await server.tokens.mint("admin-of-root"))
    assert (await admin.refused("GET", HOME, headers={"impersonate-user": "alice"}))[0] == 403
    assert (await api.get(HOME, headers={"impersonate-user": "alice"}))["spec"]["URL"].endswith("user:alice")


async def test_a_home_waits_for_the_controllers_of_its_type(api: Any, server: Any, make: Any) -> None:
    types = "/apis/tenancy.kcp.io/v1alpha1/workspacetypes"
    await api.post(types, {"metadata": {"name": "prepared"}, "spec": {"initializer": True}})
    extend = {"extend": {"with": [{"name": "universal", "path": "root"}, {"name": "prepared", "path": "root"}]}}
    await api.patch(f"{types}/home", {"spec": extend})
    alice = api.as_user(await server.tokens.mint("alice"))
    answer = await alice.call("GET", HOME)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    [waiting] = (await api.get(f"/services/initializingworkspaces/root:prepared/clusters/*{CLUSTERS}"))["items"]
    cluster = waiting["metadata"]["annotations"]["kcp.io/cluster"]
    inside = f"/services/initializingworkspaces/root:prepared/clusters/{cluster}"
    await api.patch(f"{inside}{CLUSTERS}/cluster/status", {"status": {"initializers": []}})

    async def is_ready() -> bool:
        answer = await alice.call("GET", HOME)
        return answer.status_code == 200 and bool(answer.json()["status"]["phase"] == "Ready")

    await make.eventually(is_ready, "the home is ready")


async def test_homes_are_for_the_groups_that_settings_name(api: Any, server: ApiServer) -> None:
    other = ApiServer(server.context.storage.cache, Settings(home_groups=("staff",), housekeeping=False))  # type: ignore[arg-type]
    await other.start()
    try:
        clerk = Api(other, await other.tokens.mint("clerk", ("staff",)))
        assert (await clerk.get(HOME))["spec"]["URL"].endswith("user:clerk")
        guest = Api(other, await other.tokens.mint("guest"))
        refused = await guest.refused("GET", HOME)
        assert refused == (
            403,
            "Forbidden",
            'workspaces.tenancy.kcp.io "~" is forbidden: User "guest" cannot create resource "workspaces" in API group '
            '"tenancy.kcp.io" at the cluster scope: workspace access not permitted',
        )
    finally:
        await other.close()


async def test_kubectl_prints_a_home(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    accept = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    table = await alice.get(HOME, headers=accept)
    assert [row["cells"][:3] for row in table["rows"]] == [["~", "home", "Ready"]]
