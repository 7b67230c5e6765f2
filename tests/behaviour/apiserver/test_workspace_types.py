"""Types of workspaces: what they bring, where they may be, and controllers that prepare and clean up."""

from __future__ import annotations

from typing import Any

import pytest

WORKSPACES = "/apis/tenancy.kcp.io/v1alpha1/workspaces"
TYPES = "/apis/tenancy.kcp.io/v1alpha1/workspacetypes"
CLUSTERS = "/apis/core.kcp.io/v1alpha1/logicalclusters"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CONFIGS = "/api/v1/namespaces/default/configmaps"
STATUS = "merge-patch+json"


def _type(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


def _workspace(name: str, type_: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"type": {"name": type_}} if type_ else {}}


async def _allow(api: Any, user: str, *rules: dict[str, Any]) -> None:
    """Roles of one user in the workspace of ``api``."""
    name = f"for-{user}"
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": list(rules)})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}
    await api.post(f"{RBAC}/clusterrolebindings", binding)


ACCESS = {"nonResourceURLs": ["/"], "verbs": ["access"]}


async def test_a_type_labels_its_workspaces_and_says_what_is_below_by_default(api: Any) -> None:
    base = _type("base", additionalWorkspaceLabels={"tier": "low", "team": "any"})
    await api.post(TYPES, base)
    extend = {"with": [{"name": "base", "path": "root"}]}
    labels = {"tier": "high"}
    child = {"name": "base", "path": "root"}
    await api.post(
        TYPES, _type("shop", extend=extend, additionalWorkspaceLabels=labels, defaultChildWorkspaceType=child)
    )
    made = await api.post(WORKSPACES, _workspace("s", "shop"))
    assert made["metadata"]["labels"] == {"tier": "high", "team": "any", "tenancy.kcp.io/phase": "Ready"}
    assert made["metadata"]["annotations"]["internal.tenancy.kcp.io/cluster"] == made["spec"]["cluster"]
    inner = await api.at("root:s").post(WORKSPACES, _workspace("below"))
    assert inner["spec"]["type"] == {"name": "base", "path": "root"}


async def test_a_type_is_made_only_where_types_allow_it(api: Any) -> None:
    only_shops = {"types": [{"name": "shop", "path": "root"}]}
    await api.post(TYPES, _type("shop"))
    await api.post(TYPES, _type("mall", limitAllowedChildren=only_shops))
    await api.post(TYPES, _type("stall", limitAllowedParents=only_shops))
    await api.post(WORKSPACES, _workspace("m", "mall"))
    mall = api.at("root:m")
    refused = await mall.refused("POST", WORKSPACES, _workspace("x", "team"))
    assert refused == (
        403,
        "Forbidden",
        "workspaces.tenancy.kcp.io \"x\" is forbidden: workspaces of type 'mall' may not contain workspaces of type "
        "'team'",
    )
    await mall.post(WORKSPACES, _workspace("s", "shop"))
    assert (await api.refused("POST", WORKSPACES, _workspace("y", "stall")))[0] == 403
    await api.at("root:m:s").post(WORKSPACES, _workspace("y", "stall"))


async def test_paths_end_at_a_depth(api: Any) -> None:
    path = "root"
    for depth in range(2, 11):
        await api.at(path).post(WORKSPACES, _workspace(f"w{depth}"))
        path += f":w{depth}"
    assert (await api.at(path).refused("POST", WORKSPACES, _workspace("deeper")))[0] == 403


async def test_a_workspace_waits_for_the_controller_of_its_type(api: Any, server: Any, make: Any) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "list"]}]
    await api.post(TYPES, _type("prepared", initializer=True, initializerPermissions=rules))
    made = await api.post(WORKSPACES, _workspace("a", "prepared"))
    assert made["status"]["phase"] == "Initializing"
    assert made["status"]["initializers"] == ["root:prepared"]
    plain = await api.post(WORKSPACES, _workspace("b"))

    use = {"apiGroups": ["tenancy.kcp.io"], "resources": ["workspacetypes"], "resourceNames": ["prepared"]}
    await _allow(api, "preparer", ACCESS, {**use, "verbs": ["initialize"]})
    preparer = api.as_user(await server.tokens.mint("preparer"))
    service = "/services/initializingworkspaces/root:prepared/clusters"
    listed = await preparer.get(f"{service}/*{CLUSTERS}")
    assert [item["metadata"]["annotations"]["kcp.io/path"] for item in listed["items"]] == ["root:a"]

    inside = f"{service}/{made['spec']['cluster']}"
    await preparer.post(f"{inside}{CONFIGS}", make.config("welcome"))
    assert (await preparer.refused("GET", f"{inside}/api/v1/namespaces/default/secrets"))[0] == 403
    assert (await preparer.refused("GET", f"{service}/{plain['spec']['cluster']}{CONFIGS}"))[0] == 403
    assert (await preparer.refused("GET", f"/clusters/root:a{CONFIGS}"))[0] == 403

    wrong = await preparer.call(
        "PATCH",
        f"{inside}{CLUSTERS}/cluster/status",
        {"status": {"phase": "Ready"}},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert wrong.status_code == 403
    await preparer.patch(f"{inside}{CLUSTERS}/cluster/status", {"status": {"initializers": []}})

    async def is_ready() -> bool:
        status = (await api.get(f"{WORKSPACES}/a"))["status"]
        initialized = next(c for c in status["conditions"] if c["type"] == "WorkspaceInitialized")
        return bool(status["phase"] == "Ready" and initialized["status"] == "True")

    await make.eventually(is_ready, "the workspace is ready")
    assert (await preparer.get(f"{service}/*{CLUSTERS}"))["items"] == []
    assert (await preparer.refused("GET", f"{inside}{CONFIGS}"))[0] == 403


async def test_without_permissions_of_its_own_a_controller_acts_as_the_owner(api: Any, server: Any, make: Any) -> None:
    await api.post(TYPES, _type("prepared", initializer=True))
    made = await api.post(WORKSPACES, _workspace("a", "prepared"))
    inside = f"/services/initializingworkspaces/root:prepared/clusters/{made['spec']['cluster']}"
    use = {"apiGroups": ["tenancy.kcp.io"], "resources": ["workspacetypes"], "verbs": ["initialize"]}
    await _allow(api, "preparer", ACCESS, use)
    preparer = api.as_user(await server.tokens.mint("preparer"))
    await preparer.post(f"{inside}{RBAC}/clusterroles", {"metadata": {"name": "x"}, "rules": [ACCESS]})
    assert (await preparer.get(f"{inside}/apis"))["kind"] == "APIGroupList"


async def test_a_deleted_workspace_waits_for_the_one_who_cleans_up(api: Any, make: Any) -> None:
    await api.post(TYPES, _type("cleaned", terminator=True))
    made = await api.post(WORKSPACES, _workspace("a", "cleaned"))
    service = "/services/terminatingworkspaces/root:cleaned/clusters"
    assert (await api.get(f"{service}/*{CLUSTERS}"))["items"] == []
    await api.at("root:a").post(CONFIGS, make.config("precious"))
    await api.delete(f"{WORKSPACES}/a")

    async def is_terminating() -> bool:
        status = (await api.get(f"{WORKSPACES}/a"))["status"]
        return bool(status["phase"] == "Terminating" and (await api.get(f"{service}/*{CLUSTERS}"))["items"])

    await make.eventually(is_terminating, "the terminator is asked")
    inside = f"{service}/{made['spec']['cluster']}"
    assert (await api.get(f"{inside}{CONFIGS}/precious"))["metadata"]["name"] == "precious"
    await api.patch(f"{inside}{CLUSTERS}/cluster/status", {"status": {"terminators": []}})

    async def is_gone() -> bool:
        return bool((await api.call("GET", f"{WORKSPACES}/a")).status_code == 404)

    await make.eventually(is_gone, "the workspace is gone")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/services/initializingworkspaces/root:none/clusters/*", "there is no such type"),
        ("/services/initializingworkspaces/root:prepared/clusters/*", "the user may not initialize"),
        ("/services/initializingworkspaces/root:x:y/clusters/*", "there is no such workspace"),
    ],
)
async def test_nobody_else_looks_at_waiting_workspaces(api: Any, server: Any, path: str, reason: str) -> None:
    await api.post(TYPES, _type("prepared", initializer=True))
    alice = api.as_user(await server.tokens.mint("alice"))
    domain = path.split("/")[3]
    code, _, message = await alice.refused("GET", path + CLUSTERS)
    assert (code, message.rpartition(": ")[2]) == (403, f'no access to workspace type "{domain}"'), reason


async def test_the_owner_of_a_workspace_cannot_call_it_ready_or_clean(api: Any, server: Any) -> None:
    await api.post(TYPES, _type("prepared", initializer=True))
    allowed = {"apiGroups": ["tenancy.kcp.io"], "resources": ["workspaces", "workspaces/status"], "verbs": ["*"]}
    await _allow(api, "alice", ACCESS, allowed)
    alice = api.as_user(await server.tokens.mint("alice"))
    await alice.post(WORKSPACES, _workspace("a", "prepared"))
    patch = {"headers": {"content-type": "application/merge-patch+json"}}
    done = {"status": {"initializers": [], "phase": "Ready"}}
    for api_, path in ((alice, f"{WORKSPACES}/a/status"), (alice.at("root:a"), f"{CLUSTERS}/cluster/status")):
        assert (await api_.call("PATCH", path, done, **patch)).status_code == 403
    kept = await alice.patch(f"{WORKSPACES}/a", {"metadata": {"finalizers": None}})
    assert kept["metadata"]["finalizers"] == ["core.kcp.io/logicalcluster"]


async def test_types_elsewhere_need_use_and_hide_whether_they_exist(api: Any, server: Any) -> None:
    await api.post(WORKSPACES, _workspace("vendor"))
    vendor = api.at("root:vendor")
    await vendor.post(TYPES, _type("boutique"))
    await _allow(api, "alice", ACCESS, {"apiGroups": ["tenancy.kcp.io"], "resources": ["workspaces"], "verbs": ["*"]})
    alice = api.as_user(await server.tokens.mint("alice"))
    messages = set()
    for path, name in (("root:vendor", "boutique"), ("root:vendor", "other"), ("root:nowhere", "boutique")):
        body = {"metadata": {"name": "a"}, "spec": {"type": {"path": path, "name": name}}}
        code, _, message = await alice.refused("POST", WORKSPACES, body)
        messages.add((code, message.replace(f"{path}:{name}", "?")))
    [(code, _)] = messages
    assert code == 403
    await _allow(vendor, "alice", {"apiGroups": ["tenancy.kcp.io"], "resources": ["workspacetypes"], "verbs": ["use"]})
    body = {"metadata": {"name": "a"}, "spec": {"type": {"path": "root:vendor", "name": "boutique"}}}
    assert (await alice.post(WORKSPACES, body))["status"]["phase"] == "Ready"


async def test_initializers_are_named_as_clients_of_kcp_compute_them(api: Any, server: Any) -> None:
    """``<logical cluster of the type>:<name>``: kcp's InitializerForType; the URL says the same."""
    await api.post(WORKSPACES, _workspace("vendor"))
    vendor = api.at("root:vendor")
    type_ = await vendor.post(TYPES, _type("prepared", initializer=True))
    cluster = type_["metadata"]["annotations"]["kcp.io/cluster"]
    [view] = type_["status"]["virtualWorkspaces"]
    assert view["url"].endswith(f"/services/initializingworkspaces/{cluster}:prepared")
    assert {c["type"]: c["status"] for c in type_["status"]["conditions"]} == {
        "Ready": "True",
        "VirtualWorkspaceURLsReady": "True",
    }
    body = {"metadata": {"name": "a"}, "spec": {"type": {"path": "root:vendor", "name": "prepared"}}}
    made = await api.post(WORKSPACES, body)
    assert made["status"]["initializers"] == [f"{cluster}:prepared"]
    for name in (f"{cluster}:prepared", "root:vendor:prepared"):
        listed = await api.get(f"/services/initializingworkspaces/{name}/clusters/*{CLUSTERS}")
        assert [item["metadata"]["annotations"]["kcp.io/path"] for item in listed["items"]] == ["root:a"]
    inside = f"/services/initializingworkspaces/{cluster}:prepared/clusters/{made['spec']['cluster']}"
    done = await api.patch(f"{inside}{CLUSTERS}/cluster/status", {"status": {"initializers": []}})
    assert "initializers" not in done["status"] or not done["status"]["initializers"]


async def test_a_type_binds_only_what_its_author_may_bind(api: Any, server: Any) -> None:
    await api.post(WORKSPACES, _workspace("vendor"))
    vendor = api.at("root:vendor")
    await vendor.post("/apis/apis.kcp.io/v1alpha2/apiexports", {"metadata": {"name": "shop"}, "spec": {}})
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    await api.post(WORKSPACES, _workspace("mine"))
    await _allow(api.at("root:mine"), "alice", ACCESS, everything)
    alice = api.at("root:mine").as_user(await server.tokens.mint("alice"))
    messages = set()
    for path, name in (("root:vendor", "shop"), ("root:vendor", "none"), ("root:nowhere", "shop")):
        body = _type("x", defaultAPIBindings=[{"path": path, "export": name}])
        code, _, message = await alice.refused("POST", TYPES, body)
        messages.add((code, message.replace(f"{path}:{name}", "?")))
    assert len(messages) == 1
    await _allow(vendor, "alice", {"apiGroups": ["apis.kcp.io"], "resources": ["apiexports"], "verbs": ["bind"]})
    await alice.post(TYPES, _type("x", defaultAPIBindings=[{"path": "root:vendor", "export": "shop"}]))


async def test_whoever_uses_a_type_must_be_allowed_to_use_what_it_extends(api: Any, server: Any) -> None:
    for name in ("vendor", "mine"):
        await api.post(WORKSPACES, _workspace(name))
    await api.at("root:vendor").post(TYPES, _type("base", additionalWorkspaceLabels={"secret": "label"}))
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    await _allow(api.at("root:mine"), "alice", ACCESS, everything)
    alice = api.at("root:mine").as_user(await server.tokens.mint("alice"))
    messages = set()
    for number, path in enumerate(("root:vendor", "root:nowhere")):
        await alice.post(TYPES, _type(f"x{number}", extend={"with": [{"path": path, "name": "base"}]}))
        code, _, message = await alice.refused("POST", WORKSPACES, _workspace("w", f"x{number}"))
        messages.add((code, message.replace(f"x{number}", "?")))
    [(code, _)] = messages
    assert code == 403


@pytest.mark.parametrize(
    ("reason", "name", "spec"),
    [
        (
            "a limit says both",
            "a",
            {"limitAllowedParents": {"none": True, "types": [{"name": "team", "path": "root"}]}},
        ),
        ("a limit says nothing", "a", {"limitAllowedChildren": {}}),
        ("a reserved name", "any", {}),
        ("ways to log in that nobody would offer", "a", {"authenticationConfigurations": [{"name": "x"}]}),
    ],
)
async def test_a_type_that_means_nothing_is_refused(api: Any, reason: str, name: str, spec: Any) -> None:
    assert (await api.refused("POST", TYPES, _type(name, **spec)))[0] == 422, reason
