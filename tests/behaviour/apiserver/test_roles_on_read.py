"""ClusterRoles that are everywhere, aggregated ones, and defaults of bindings."""

from __future__ import annotations

from typing import Any

RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def test_roles_that_hold_everywhere_can_be_read(api: Any, make: Any) -> None:
    view = await api.get(f"{RBAC}/clusterroles/view")
    assert view["rules"]
    assert view["metadata"]["labels"] == {"kubernetes.io/bootstrapping": "rbac-defaults"}
    assert {"admin", "cluster-admin", "edit", "view"} <= set(make.names_of(await api.get(f"{RBAC}/clusterroles")))
    assert make.names_of(await api.get(f"{RBAC}/clusterroles", labelSelector="a=b")) == []
    assert await api.refused("DELETE", f"{RBAC}/clusterroles/view") == (
        403,
        "Forbidden",
        'clusterroles.rbac.authorization.k8s.io "view" is forbidden: it holds in every workspace and cannot be deleted',
    )


async def test_bindings_that_hold_everywhere_can_be_read(api: Any, make: Any) -> None:
    found = await api.get(f"{RBAC}/clusterrolebindings/cluster-admin")
    assert found["roleRef"]["name"] == "cluster-admin"
    assert [subject["name"] for subject in found["subjects"]] == ["system:masters"]
    listed = make.names_of(await api.get(f"{RBAC}/clusterrolebindings"))
    assert {"cluster-admin", "system:basic-user", "system:discovery", "system:public-info-viewer"} <= set(listed)


async def test_writing_to_what_holds_everywhere_stores_it(api: Any) -> None:
    path = f"{RBAC}/clusterrolebindings/system:discovery"
    before = await api.get(path)
    subjects = [*before["subjects"], {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ada"}]
    written = await api.patch(path, {"subjects": subjects})
    assert (written["subjects"], written["metadata"]["uid"]) == (subjects, before["metadata"]["uid"])
    assert await api.get(path) == written
    await api.delete(path)
    assert await api.get(path) == before


async def test_rules_of_selected_roles_are_written_into_the_aggregating_one(api: Any, make: Any) -> None:
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    selector = {"clusterRoleSelectors": [{"matchLabels": {"into": "all"}}]}
    await api.post(f"{RBAC}/clusterroles", {**head, "metadata": {"name": "all"}, "aggregationRule": selector})
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    part = {**head, "metadata": {"name": "part", "labels": {"into": "all"}}, "rules": [rule]}
    await api.post(f"{RBAC}/clusterroles", part)

    async def rules() -> Any:
        return (await api.get(f"{RBAC}/clusterroles/all")).get("rules") or []

    async def has_it() -> bool:
        return bool(await rules() == [rule])

    await make.eventually(has_it, "the rule is written")
    await api.delete(f"{RBAC}/clusterroles/part")

    async def is_empty() -> bool:
        return not await rules()

    await make.eventually(is_empty, "the rule is gone")


async def test_subjects_and_role_references_get_their_group(api: Any) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"kind": "ClusterRole", "name": "view"},
        "subjects": [
            {"kind": "User", "name": "ada"},
            {"kind": "ServiceAccount", "name": "default", "namespace": "default"},
        ],
    }
    made = await api.post(f"{RBAC}/clusterrolebindings", binding)
    group = "rbac.authorization.k8s.io"
    assert made["roleRef"]["apiGroup"] == made["subjects"][0]["apiGroup"] == group
    assert "apiGroup" not in made["subjects"][1]


async def test_a_definition_gets_its_names_when_the_one_that_had_them_goes(api: Any, make: Any) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    await api.post(crds, make.definition({}))
    other = make.definition({})
    other["metadata"]["name"] = "gadgets.example.org"
    other["spec"]["names"] = {"plural": "gadgets", "kind": "Widget"}
    refused = await api.post(crds, other)
    assert [c["status"] for c in refused["status"]["conditions"]] == ["False", "False"]
    await api.delete(f"{crds}/widgets.example.org")

    async def is_established() -> bool:
        found = await api.get(f"{crds}/gadgets.example.org")
        return all(c["status"] == "True" for c in found["status"]["conditions"])

    await make.eventually(is_established, "the other definition is established")
    await api.get("/apis/example.org/v1/namespaces/default/gadgets")


async def test_objects_stored_in_another_version_are_shown_in_the_one_asked_for(api: Any, make: Any) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    crd = make.definition({"n": {"type": "integer"}})
    await api.post(crds, crd)
    await api.post(make.widgets, make.widget("old", n=1))
    [v1] = crd["spec"]["versions"]
    versions = [{**v1, "storage": False}, {**v1, "name": "v2"}]
    await api.patch(f"{crds}/widgets.example.org", {"spec": {"versions": versions}})
    path = "/apis/example.org/v2/namespaces/default/widgets"
    for found in (await api.get(f"{path}/old"), (await api.get(path))["items"][0]):
        assert found["apiVersion"] == "example.org/v2"
    stored = (await api.get(f"{crds}/widgets.example.org"))["status"]["storedVersions"]
    assert stored == ["v1", "v2"]
