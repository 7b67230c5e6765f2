"""Workspaces: birth, bound APIs, separation, the view over all, end."""

from __future__ import annotations

from typing import Any

import pytest

from portway.apis import installing

WORKSPACES = "/apis/tenancy.kcp.io/v1alpha1/workspaces"
APIS = "/apis/apis.kcp.io/v1alpha1"
CONFIGS = "/api/v1/namespaces/default/configmaps"


def _workspace(name: str, type_: str = "team") -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"type": {"name": type_}}}


async def _export(api: Any, export: str, plural: str, group: str) -> None:
    """An APIExport of one kind called Thing, in the workspace of ``api``."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"n": {"type": "integer"}}}}}
    spec = {
        "group": group,
        "names": {"plural": plural, "kind": "Thing", "singular": "thing", "listKind": "ThingList"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    name = f"v1.{plural}.{group}"
    await api.post(f"{APIS}/apiresourceschemas", {"metadata": {"name": name}, "spec": spec})
    await api.post(f"{APIS}/apiexports", {"metadata": {"name": export}, "spec": {"latestResourceSchemas": [name]}})


async def test_a_workspace_is_ready_and_full_at_once(api: Any, make: Any) -> None:
    created = await api.post(WORKSPACES, _workspace("acme", "organization"))
    assert created["status"]["phase"] == "Ready"
    assert created["spec"]["type"] == {"name": "organization", "path": "root"}
    acme = api.at("root:acme")
    assert make.names_of(await acme.get("/api/v1/namespaces")) == ["default"]
    assert (await acme.get("/api/v1/namespaces/default/services/kubernetes"))["spec"]["type"] == "ClusterIP"
    logical = await acme.get("/apis/core.kcp.io/v1alpha1/logicalclusters/cluster")
    assert logical["metadata"]["annotations"]["kcp.io/path"] == "root:acme"
    assert logical["metadata"]["annotations"]["kcp.io/cluster"] == created["spec"]["cluster"]
    by_cluster = await api.at(created["spec"]["cluster"]).get(CONFIGS)
    assert by_cluster == await acme.get(CONFIGS)


async def test_own_kinds_are_bound_in_every_workspace(api: Any) -> None:
    for schema in installing.api_resource_schemas():
        await api.post(f"{APIS}/apiresourceschemas", schema)
    await api.post(f"{APIS}/apiexports", installing.api_export(installing.api_resource_schemas()))
    await api.post(WORKSPACES, _workspace("acme"))
    for workspace in ("root", "root:acme"):
        listed = await api.at(workspace).get("/apis/catalog.portway.dev/v1alpha1/namespaces/default/components")
        assert listed["items"] == []
    bound = await api.at("root:acme").get(f"{APIS}/apibindings/portway.dev")
    assert bound["status"]["phase"] == "Bound"
    resources = {(entry["group"], entry["resource"]) for entry in bound["status"]["boundResources"]}
    assert ("catalog.portway.dev", "components") in resources


async def test_claims_of_the_nearest_ancestor_are_bound_in_new_workspaces(api: Any) -> None:
    await api.post(WORKSPACES, _workspace("acme", "organization"))
    acme = api.at("root:acme")
    await _export(acme, "resources.portway.dev", "things", "resources.portway.dev")
    await acme.post(WORKSPACES, _workspace("team"))
    team = api.at("root:acme:team")
    things = "/apis/resources.portway.dev/v1/namespaces/default/things"
    created = await team.post(things, {"metadata": {"name": "a"}, "spec": {"n": 1}})
    assert created["metadata"]["annotations"]["portway.dev/requested-by"] == "system:portway"
    assert (await api.refused("GET", things))[0] == 404


async def test_a_binding_serves_what_its_export_offers_now(api: Any, make: Any) -> None:
    await api.post(WORKSPACES, _workspace("a"))
    binding = {"metadata": {"name": "b"}, "spec": {"reference": {"export": {"path": "root", "name": "shop"}}}}
    a = api.at("root:a")
    assert (await a.post(f"{APIS}/apibindings", binding))["status"]["phase"] == "Binding"
    things = "/apis/shop.org/v1/namespaces/default/things"
    assert (await a.refused("GET", things))[0] == 404
    await _export(api, "shop", "things", "shop.org")
    assert (await a.get(things))["kind"] == "ThingList"

    async def is_bound() -> bool:
        return bool((await a.get(f"{APIS}/apibindings/b"))["status"]["phase"] == "Bound")

    await make.eventually(is_bound, "the binding says so")
    await a.delete(f"{APIS}/apibindings/b")

    async def is_gone() -> bool:
        return bool((await a.call("GET", things)).status_code == 404)

    await make.eventually(is_gone, "the kind goes with its binding")


async def test_workspaces_see_nothing_of_each_other(api: Any, make: Any) -> None:
    for name in ("a", "b"):
        await api.post(WORKSPACES, _workspace(name))
        await api.at(f"root:{name}").post(CONFIGS, make.config("same", of=name))
    for name in ("a", "b"):
        assert (await api.at(f"root:{name}").get(f"{CONFIGS}/same"))["data"] == {"of": name}


async def test_the_wildcard_shows_all_with_their_paths(api: Any, make: Any) -> None:
    await api.post(WORKSPACES, _workspace("a"))
    await api.at("root:a").post(CONFIGS, make.config("here"))
    everything = api.at("*")
    listed = await everything.get("/api/v1/configmaps", fieldSelector="metadata.name=here")
    [found] = listed["items"]
    assert found["metadata"]["annotations"]["kcp.io/path"] == "root:a"
    async with everything.watch("/api/v1/configmaps", resourceVersion=listed["metadata"]["resourceVersion"]) as watch:
        await api.post(CONFIGS, make.config("new"))
        kind, event = await watch.next()
    assert (kind, event["metadata"]["name"], event["metadata"]["annotations"]["kcp.io/path"]) == (
        "ADDED",
        "new",
        "root",
    )
    assert (await everything.refused("POST", CONFIGS, make.config("x")))[0] == 405


async def test_the_wildcard_is_for_masters_only(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice")).at("*")
    assert (await alice.refused("GET", "/api/v1/configmaps"))[0] == 403


async def test_a_deleted_workspace_takes_everything_below_along(api: Any, make: Any) -> None:
    await api.post(WORKSPACES, _workspace("a"))
    inner = api.at("root:a")
    await inner.post(WORKSPACES, _workspace("b"))
    held = make.config("held")
    held["metadata"]["finalizers"] = ["example.org/hold"]
    await api.at("root:a:b").post(CONFIGS, held)
    marked = await api.delete(f"{WORKSPACES}/a")
    assert marked["metadata"]["deletionTimestamp"]

    async def is_marked() -> bool:
        answer = await api.at("root:a:b").get(f"{CONFIGS}/held")
        return "deletionTimestamp" in answer["metadata"]

    await make.eventually(is_marked, "deletion reaches the inner workspace")
    await api.at("root:a:b").patch(f"{CONFIGS}/held", {"metadata": {"finalizers": None}})

    async def is_gone() -> bool:
        return bool((await api.call("GET", f"{WORKSPACES}/a")).status_code == 404)

    await make.eventually(is_gone, "the workspace is gone")
    assert (await inner.refused("GET", CONFIGS))[0] == 403
    left = await api.at("*").get("/api/v1/configmaps")
    assert {item["metadata"]["annotations"]["kcp.io/path"] for item in left["items"]} == {"root"}


async def test_a_workspace_that_waits_for_its_contents_says_so_once(api: Any, make: Any) -> None:
    await api.post(WORKSPACES, _workspace("a"))
    held = make.config("held")
    held["metadata"]["finalizers"] = ["example.org/hold"]
    await api.at("root:a").post(CONFIGS, held)
    await api.delete(f"{WORKSPACES}/a")

    async def waits() -> bool:
        status = (await api.get(f"{WORKSPACES}/a"))["status"]
        reasons = [condition.get("reason") for condition in status["conditions"]]
        return status["phase"] == "Deleting" and "SomeResourcesRemain" in reasons

    await make.eventually(waits, "the workspace waits")
    before = await api.get(f"{WORKSPACES}/a")
    await make.configs(api, "bcdefghijklmnopqrstuvwxyz")  # meanwhile controllers could write over each other
    assert await api.get(f"{WORKSPACES}/a") == before


async def test_an_unknown_type_is_refused(api: Any) -> None:
    refused = await api.refused("POST", WORKSPACES, _workspace("a", "palace"))
    assert refused == (404, "NotFound", 'workspacetypes.tenancy.kcp.io "palace" not found')


async def test_a_mount_is_refused_as_nothing_serves_it(api: Any) -> None:
    mount = {"ref": {"apiVersion": "example.org/v1", "kind": "Cluster", "name": "x"}}
    made = {"metadata": {"name": "a"}, "spec": {"mount": mount}}
    code, _, message = await api.refused("POST", WORKSPACES, made)
    assert (code, "mounts are not served here" in message) == (422, True)


@pytest.mark.parametrize("name", ["a.b", "A", "-a"])
async def test_a_workspace_name_is_a_label(api: Any, name: str) -> None:
    assert (await api.refused("POST", WORKSPACES, _workspace(name)))[0] == 422


async def test_a_type_may_bring_its_own_bindings(api: Any) -> None:
    await _export(api, "shop", "things", "shop.org")
    spec = {
        "extend": {"with": [{"name": "team", "path": "root"}]},
        "defaultAPIBindings": [{"path": "root", "export": "shop"}],
    }
    await api.post("/apis/tenancy.kcp.io/v1alpha1/workspacetypes", {"metadata": {"name": "seller"}, "spec": spec})
    await api.post(WORKSPACES, _workspace("s", "seller"))
    bindings = await api.at("root:s").get(f"{APIS}/apibindings")
    assert sorted(item["metadata"]["name"] for item in bindings["items"]) == ["portway.dev", "shop"]


async def test_what_a_wildcard_read_added_does_not_come_back(api: Any, make: Any) -> None:
    created = await api.post(CONFIGS, make.config("a", x="1"))
    [read] = (await api.at("*").get("/api/v1/configmaps", fieldSelector="metadata.name=a"))["items"]
    assert read["metadata"]["annotations"]["kcp.io/path"] == "root"
    assert await api.put(f"{CONFIGS}/a", read) == created
    bare = {key: value for key, value in created.items() if key != "metadata"} | {"metadata": {"name": "a"}}
    bare["metadata"]["managedFields"] = created["metadata"]["managedFields"]
    assert await api.put(f"{CONFIGS}/a", bare) == created
    other = {"metadata": {"name": "b", "annotations": {"kcp.io/path": "root:x", "kcp.io/cluster": "x"}}}
    assert (await api.post(CONFIGS, other))["metadata"]["annotations"] == {"kcp.io/cluster": "root"}


async def test_a_workspace_may_be_for_members_of_groups_only(api: Any, server: Any, make: Any) -> None:
    """Whatever roles inside say; what is made below is for them, too."""
    required = {"authorization.kcp.io/required-groups": "staff,cleared;board"}
    made = {"metadata": {"name": "closed", "annotations": required}, "spec": {}}
    await api.post(WORKSPACES, made)
    rbac = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}
    everybody = {"metadata": {"name": "all"}, "roleRef": role, "subjects": [subject]}
    await api.at("root:closed").post(rbac, everybody)
    users = {
        name: api.as_user(await server.tokens.mint(name, groups))
        for name, groups in (("a", ("staff",)), ("b", ("staff", "cleared")), ("c", ("board",)), ("d", ()))
    }
    for name, allowed in (("a", False), ("b", True), ("c", True), ("d", False)):
        code = (await users[name].at("root:closed").call("GET", CONFIGS)).status_code
        assert code == (200 if allowed else 403), name
    lifted = {"metadata": {"name": "below", "annotations": {"authorization.kcp.io/required-groups": "x"}}, "spec": {}}
    below = await users["b"].at("root:closed").post(WORKSPACES, lifted)
    assert below["metadata"]["annotations"]["authorization.kcp.io/required-groups"] == "staff,cleared;board"
    await api.at("root:closed:below").post(rbac, everybody)
    assert (await users["a"].at("root:closed:below").refused("GET", CONFIGS))[0] == 403
    assert (await users["c"].at("root:closed:below").get(CONFIGS))["kind"] == "ConfigMapList"
