"""History and undelete: who changed which field when, and bringing back what was deleted."""

from __future__ import annotations

from typing import Any

from portway.apiserver.app import ApiServer

CONFIGS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"


async def user(api: Any, server: ApiServer, name: str, role: str) -> Any:
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name}],
    }
    await api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    return api.as_user(await server.tokens.mint(name, []))


async def test_history_tells_who_changed_which_field_and_how(api: Any, server: ApiServer, make: Any) -> None:
    ada, bob = await user(api, server, "ada", "edit"), await user(api, server, "bob", "edit")
    await ada.post(CONFIGS, make.config("settings", colour="blue", size="1"), fieldManager="creator")
    await bob.patch(f"{CONFIGS}/settings", {"data": {"colour": "red", "size": None}}, fieldManager="painter")
    await ada.delete(f"{CONFIGS}/settings")
    found = await bob.get(f"{CONFIGS}/settings/history")
    assert (found["kind"], found["metadata"]["name"]) == ("History", "settings")
    told = [(item["action"], item["user"], item["managers"]) for item in found["items"]]
    assert told == [("Created", "ada", ["creator"]), ("Changed", "bob", ["painter"]), ("Deleted", "ada", [])]
    assert found["items"][1]["changes"] == [
        {"path": "data.colour", "was": "blue", "now": "red"},
        {"path": "data.size", "was": "1"},
    ]
    assert {"path": "data", "now": {"colour": "blue", "size": "1"}} in found["items"][0]["changes"]
    newest = await bob.get(f"{CONFIGS}/settings/history", limit=1)
    assert newest["items"] == found["items"][-1:]


async def test_the_history_of_a_secret_shows_no_value(api: Any, make: Any) -> None:
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    secret = {
        "metadata": {"name": "s", "annotations": {"note": "aHVudGVyMg==", applied: "aHVudGVyMg=="}},
        "data": {"password": "aHVudGVyMg==", "same": "eA=="},
    }
    await api.post(SECRETS, secret)
    await api.patch(f"{SECRETS}/s", {"data": {"password": "aHVudGVyMw=="}})
    answer = await api.call("GET", f"{SECRETS}/s/history")
    assert "aHVudGVy" not in answer.text
    assert answer.json()["items"][1]["changes"] == [{"path": "data.password", "was": "(hidden)", "now": "(hidden)"}]


async def test_history_needs_a_right_of_its_own(api: Any, server: ApiServer, make: Any) -> None:
    await api.post(CONFIGS, make.config("settings"))
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    access = {"nonResourceURLs": ["/"], "verbs": ["access"]}
    role = {"metadata": {"name": "getter"}, "rules": [*rules, access]}
    await api.post("/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    eve = await user(api, server, "eve", "getter")
    await eve.get(f"{CONFIGS}/settings")
    code, _, message = await eve.refused("GET", f"{CONFIGS}/settings/history")
    assert code == 403
    assert 'cannot get resource "configmaps/history"' in message
    viewer = await user(api, server, "vera", "view")
    await viewer.get(f"{CONFIGS}/settings/history")
    assert (await viewer.refused("GET", f"{SECRETS}/none/history"))[0] == 403
    assert (await viewer.refused("GET", f"{CONFIGS}/none/history"))[0] == 404
    assert (await viewer.refused("POST", f"{CONFIGS}/settings/undelete"))[0] == 403


async def test_undelete_brings_the_last_state_back_as_a_new_object(api: Any, make: Any) -> None:
    made = await api.post(CONFIGS, make.config("settings", colour="blue"))
    await api.patch(f"{CONFIGS}/settings", {"data": {"colour": "red"}, "metadata": {"labels": {"a": "b"}}})
    assert (await api.refused("POST", f"{CONFIGS}/settings/undelete"))[0] == 404
    await api.delete(f"{CONFIGS}/settings")
    back = await api.post(f"{CONFIGS}/settings/undelete", None)
    assert (back["data"], back["metadata"]["labels"]) == ({"colour": "red"}, {"a": "b"})
    assert back["metadata"]["uid"] != made["metadata"]["uid"]
    assert await api.get(f"{CONFIGS}/settings") == back
    assert (await api.refused("POST", f"{CONFIGS}/settings/undelete"))[:2] == (409, "AlreadyExists")


async def test_one_of_several_deletions_is_chosen_by_its_resource_version(api: Any, make: Any) -> None:
    for colour in ("blue", "red"):
        await api.post(CONFIGS, make.config("settings", colour=colour))
        await api.delete(f"{CONFIGS}/settings")
    items = (await api.get(f"{CONFIGS}/settings/history"))["items"]
    first = next(item["resourceVersion"] for item in items if item["action"] == "Deleted")
    back = await api.post(f"{CONFIGS}/settings/undelete", {"resourceVersion": first})
    assert back["data"] == {"colour": "blue"}


async def test_custom_resources_have_history_and_come_back(api: Any, make: Any) -> None:
    await api.post(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", make.definition({"size": {"type": "integer"}})
    )

    async def served() -> bool:
        return bool((await api.call("GET", make.widgets)).status_code == 200)

    await make.eventually(served, "widgets are served")
    await api.post(make.widgets, make.widget("w", size=1))
    await api.patch(f"{make.widgets}/w", {"spec": {"size": 2}})
    changed = (await api.get(f"{make.widgets}/w/history"))["items"][1]
    assert changed["changes"] == [{"path": "spec.size", "was": 1, "now": 2}]
    await api.delete(f"{make.widgets}/w")
    assert (await api.post(f"{make.widgets}/w/undelete", None))["spec"] == {"size": 2}
