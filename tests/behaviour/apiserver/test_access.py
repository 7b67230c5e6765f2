"""Why one may not, who gives rights away, and as whom one acts."""

from __future__ import annotations

from typing import Any

import pytest

RBAC = "/apis/rbac.authorization.k8s.io/v1"
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
CONFIGS = "/api/v1/namespaces/default/configmaps"
GROUP = "rbac.authorization.k8s.io"


async def _bind(api: Any, role: str, user: str, kind: str = "User") -> None:
    subject = {"kind": kind, "name": user, "apiGroup": GROUP}
    ref = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
    body = {"metadata": {"name": f"{role}-{user}"}, "subjects": [subject], "roleRef": ref}
    await api.post(f"{RBAC}/clusterrolebindings", body)


async def _user(api: Any, server: Any, name: str, *roles: str) -> Any:
    for role in roles:
        await _bind(api, role, name)
    return api.as_user(await server.tokens.mint(name))


async def test_a_refusal_names_the_missing_rule_the_roles_that_have_it_and_who_could_give_it(
    api: Any, server: Any
) -> None:
    ada = await _user(api, server, "ada", "view")
    await _bind(api, "admin", "leads", "Group")
    await _bind(api, "cluster-admin", "grace")
    answer = await ada.call("POST", CONFIGS, {"metadata": {"name": "x"}})
    status = answer.json()
    assert status["message"] == (
        'configmaps is forbidden: User "ada" cannot create resource "configmaps" in API group "" in the namespace '
        '"default" in workspace "root"'
    )
    assert {cause["reason"]: cause["message"] for cause in status["details"]["causes"]} == {
        "RuleMissing": 'Missing is the rule {apiGroups: [""], resources: ["configmaps"], verbs: ["create"]} '
        'in namespace "default".',
        "RolesWithRule": 'It is part of ClusterRole "edit" and ClusterRole "admin".',
        "MayBeGivenBy": 'Who could give it: Group "leads" or User "grace".',
    }
    asked = {"resourceAttributes": {"verb": "create", "resource": "configmaps", "namespace": "default"}}
    review = await ada.post(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": asked})
    for cause in status["details"]["causes"]:
        assert cause["message"] in review["status"]["reason"]


async def test_one_who_may_not_enter_learns_nothing_of_a_workspace(api: Any, server: Any) -> None:
    eve = await _user(api, server, "eve")
    await _bind(api, "admin", "leads", "Group")
    here = (await eve.call("GET", CONFIGS)).json()
    there = (await eve.at("root:none").call("GET", CONFIGS)).json()
    assert "leads" not in str(here)
    assert str(here).replace('"root"', '"root:none"') == str(there)


async def test_an_aggregated_role_is_made_and_changed_by_those_alone_who_may_everything(api: Any, server: Any) -> None:
    selector = {"clusterRoleSelectors": [{"matchLabels": {"team": "x"}}]}
    role = {"metadata": {"name": "sum"}, "aggregationRule": selector, "rules": []}
    makers = {"apiGroups": [GROUP], "resources": ["*"], "verbs": ["create", "update", "get"]}
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "role-makers"}, "rules": [makers, access]})
    ada = await _user(api, server, "ada", "role-makers")
    grace = await _user(api, server, "grace", "cluster-admin")
    refusal = (
        'clusterroles.rbac.authorization.k8s.io "sum" is forbidden: must have cluster-admin privileges to use the '
        "aggregationRule"
    )
    assert await ada.refused("POST", f"{RBAC}/clusterroles", role) == (403, "Forbidden", refusal)
    made = await grace.post(f"{RBAC}/clusterroles", role)
    labelled = {**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}}
    assert await ada.refused("PUT", f"{RBAC}/clusterroles/sum", labelled) == (403, "Forbidden", refusal)
    kept = {**made, "metadata": {**made["metadata"], "finalizers": ["example.org/x"]}}
    await ada.put(f"{RBAC}/clusterroles/sum", kept)  # what the collection of garbage changes


async def test_nobody_adds_a_role_to_another_by_a_label_without_having_its_rights(api: Any, server: Any) -> None:
    makers = {"apiGroups": [GROUP], "resources": ["clusterroles"], "verbs": ["update", "patch", "get"]}
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    reading = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "role-makers"}, "rules": [makers, access]})
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "strong"}, "rules": [reading]})
    mallory = await _user(api, server, "mallory", "role-makers", "view")
    label = {"metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}}
    merge = {"headers": {"content-type": "application/merge-patch+json"}}
    code, _, message = await mallory.refused("PATCH", f"{RBAC}/clusterroles/strong", label, **merge)
    assert code == 403
    assert 'APIGroups:[""], Resources:["secrets"], Verbs:["get"]' in message
    await api.patch(f"{RBAC}/clusterroles/strong", label)


async def test_a_path_that_is_part_of_a_held_one_may_be_given_away(api: Any, server: Any) -> None:
    held = {"nonResourceURLs": ["/custom/*"], "verbs": ["get"]}
    makers = {"apiGroups": [GROUP], "resources": ["clusterroles"], "verbs": ["create"]}
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "paths"}, "rules": [held, makers, access]})
    ada = await _user(api, server, "ada", "paths")

    def role(path: str) -> dict[str, Any]:
        return {"metadata": {"name": "given"}, "rules": [{"nonResourceURLs": [path], "verbs": ["get"]}]}

    for path in ("/custom", "/cust*", "*"):
        assert (await ada.refused("POST", f"{RBAC}/clusterroles", role(path)))[0] == 403, path
    await ada.post(f"{RBAC}/clusterroles", role("/custom/one/*"))


async def test_to_apply_what_is_not_there_is_to_create_it(api: Any, server: Any) -> None:
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    patching = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "patchers"}, "rules": [access, patching]})
    ada = await _user(api, server, "ada", "patchers")
    options = {"fieldManager": "x", "headers": {"content-type": "application/apply-patch+yaml"}}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}
    code, _, message = await ada.refused("PATCH", f"{CONFIGS}/one", manifest, **options)
    assert code == 403
    assert 'User "ada" cannot create resource "configmaps"' in message
    await api.post(CONFIGS, {"metadata": {"name": "one"}})
    assert (await ada.call("PATCH", f"{CONFIGS}/one", manifest, **options)).status_code == 200


async def test_one_who_may_see_one_object_may_list_and_watch_it_by_name(api: Any, server: Any) -> None:
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    one = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"], "verbs": ["list", "watch"]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "one"}, "rules": [access, one]})
    ada = await _user(api, server, "ada", "one")
    for name in ("one", "two"):
        await api.post(CONFIGS, {"metadata": {"name": name}})
    found = await ada.get(CONFIGS, fieldSelector="metadata.name=one")
    assert [item["metadata"]["name"] for item in found["items"]] == ["one"]
    async with ada.watch(CONFIGS, fieldSelector="metadata.name=one") as watch:
        assert watch.status.result() == 200
    for selector in ("metadata.name=two", "metadata.name!=two", "metadata.namespace=default", ""):
        assert (await ada.refused("GET", CONFIGS, fieldSelector=selector))[0] == 403, selector


async def test_rules_of_labelled_roles_count_for_those_bound_to_the_aggregated_one(api: Any, server: Any) -> None:
    selector = {"clusterRoleSelectors": [{"matchLabels": {"team": "x"}}]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "sum"}, "aggregationRule": selector})
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    reading = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    part = {"metadata": {"name": "part", "labels": {"team": "x"}}, "rules": [reading, access]}
    ada = await _user(api, server, "ada", "sum")
    assert (await ada.refused("GET", CONFIGS))[0] == 403
    await api.post(f"{RBAC}/clusterroles", part)
    assert "items" in await ada.get(CONFIGS)
    await api.delete(f"{RBAC}/clusterroles/part")
    assert (await ada.refused("GET", CONFIGS))[0] == 403


async def test_bind_and_escalate_are_verbs_of_their_own(api: Any, server: Any) -> None:
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    making = {"apiGroups": [GROUP], "resources": ["roles", "rolebindings"], "verbs": ["create"]}
    binding = {"apiGroups": [GROUP], "resources": ["clusterroles"], "resourceNames": ["edit"], "verbs": ["bind"]}
    body = {"metadata": {"name": "binders"}, "rules": [access, making, binding]}
    await api.post(f"{RBAC}/clusterroles", body)
    ada = await _user(api, server, "ada", "binders")
    subject = {"kind": "User", "name": "bob", "apiGroup": GROUP}

    def bound(role: str) -> dict[str, Any]:
        ref = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
        return {"metadata": {"name": role}, "subjects": [subject], "roleRef": ref}

    await ada.post(f"{RBAC}/namespaces/default/rolebindings", bound("edit"))
    assert (await ada.refused("POST", f"{RBAC}/namespaces/default/rolebindings", bound("admin")))[0] == 403
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    role = {"metadata": {"name": "r"}, "rules": [rule]}
    assert (await ada.refused("POST", f"{RBAC}/namespaces/default/roles", role))[0] == 403
    more = {"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["escalate"]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "escalators"}, "rules": [more]})
    await _bind(api, "escalators", "ada")
    await ada.post(f"{RBAC}/namespaces/default/roles", role)


async def test_each_part_of_an_impersonation_must_be_allowed(api: Any, server: Any) -> None:
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    user = {"apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"], "verbs": ["impersonate"]}
    group = {"apiGroups": [""], "resources": ["groups"], "resourceNames": ["dev"], "verbs": ["impersonate"]}
    extra = {
        "apiGroups": ["authentication.k8s.io"],
        "resources": ["userextras/scopes"],
        "resourceNames": ["read"],
        "verbs": ["impersonate"],
    }
    body = {"metadata": {"name": "actors"}, "rules": [access, user, group, extra]}
    await api.post(f"{RBAC}/clusterroles", body)
    ada = await _user(api, server, "ada", "actors")
    await _bind(api, "view", "bob")
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

    async def act(**headers: str) -> tuple[int, Any]:
        named = {f"impersonate-{key.replace('_', '-')}": value for key, value in headers.items()}
        answer = await ada.call("POST", who, {}, headers=named)
        return answer.status_code, answer.json().get("status")

    code, status = await act(user="bob", group="dev", extra_scopes="read")
    assert code == 201
    assert status["userInfo"] == {
        "username": "bob",
        "groups": ["dev", "system:authenticated"],
        "extra": {"scopes": ["read"]},
    }
    for headers in (
        {"user": "eve"},
        {"user": "bob", "group": "ops"},
        {"user": "bob", "group": "system:masters"},
        {"user": "bob", "uid": "1"},
        {"user": "bob", "extra_scopes": "write"},
        {"user": "bob", "extra_other": "read"},
        {"user": "bob", "group": "system:unauthenticated"},
        {"user": "bob", "group": "system:authenticated"},
        {"user": "system:serviceaccount:default:robot"},
        {"user": "system:serviceaccount:default"},
        {"user": "system:serviceaccount:"},
    ):
        assert (await act(**headers))[0] == 403, headers


@pytest.mark.parametrize(
    ("headers", "groups"),
    [
        ({"user": "bob"}, ["system:authenticated"]),
        ({"user": "bob", "group": "system:unauthenticated"}, ["system:unauthenticated"]),
        ({"user": "system:anonymous"}, ["system:unauthenticated"]),
        (
            {"user": "system:serviceaccount:default:robot"},
            ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
        ),
        ({"user": "system:serviceaccount:default:robot", "group": "dev"}, ["dev", "system:authenticated"]),
        ({"user": "system:serviceaccount:default"}, ["system:authenticated"]),
        ({"user": "system:serviceaccount:a:b:c"}, ["system:authenticated"]),
    ],
)
async def test_groups_of_one_who_is_acted_as(api: Any, headers: dict[str, str], groups: list[str]) -> None:
    named = {f"impersonate-{key}": value for key, value in headers.items()}
    answer = await api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers=named)
    assert answer.json()["status"]["userInfo"] == {"username": headers["user"], "groups": groups}


async def test_the_rules_review_lists_what_counts_there(api: Any, server: Any) -> None:
    ada = await _user(api, server, "ada", "view")
    asked = {"spec": {"namespace": "default"}}
    status = (await ada.post(f"{AUTHORIZATION}/selfsubjectrulesreviews", asked))["status"]
    assert status["incomplete"] is False
    reading = [rule for rule in status["resourceRules"] if "configmaps" in rule["resources"]]
    assert reading
    assert all(set(rule["verbs"]) == {"get", "list", "watch"} for rule in reading)
    assert any("/api" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])
    assert (await ada.refused("POST", f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {}}))[0] == 400


async def test_a_local_review_asks_about_its_own_namespace_only(api: Any, server: Any) -> None:
    await _user(api, server, "ada", "view")
    path = f"{AUTHORIZATION}/namespaces/default/localsubjectaccessreviews"

    def spec(namespace: str, home: str = "default", **more: Any) -> dict[str, Any]:
        asked = {"verb": "list", "resource": "configmaps", "namespace": namespace}
        return {"metadata": {"namespace": home}, "spec": {"user": "ada", "resourceAttributes": asked, **more}}

    assert (await api.post(path, spec("default")))["status"]["allowed"] is True
    code, _, message = await api.refused("POST", path, spec("other"))
    assert code == 422
    assert message.endswith('spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace')
    code, _, message = await api.refused("POST", path, spec("other", "other"))
    assert code == 400
    nowhere = {"user": "ada", "nonResourceAttributes": {"verb": "get", "path": "/x"}}
    code, _, message = await api.refused("POST", path, {"metadata": {"namespace": "default"}, "spec": nowhere})
    assert code == 422
    assert message.endswith("disallowed on this kind of request")


ASKED = {"verb": "list", "resource": "configmaps", "namespace": "default"}
SELECTOR = "spec.resourceAttributes.labelSelector"


@pytest.mark.parametrize(
    ("review", "message"),
    [
        (
            {"spec": {"user": "a"}},
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes "
            "must be specified",
        ),
        (
            {"spec": {"user": "a", "resourceAttributes": ASKED, "nonResourceAttributes": {"path": "/x"}}},
            'spec.nonResourceAttributes: Invalid value: {"path":"/x"}: cannot be specified in combination with '
            "resourceAttributes",
        ),
        (
            {"spec": {"resourceAttributes": ASKED}},
            'spec.user: Invalid value: "": at least one of user or group must be specified',
        ),
        (
            {"metadata": {"name": "x"}, "spec": {"user": "a", "resourceAttributes": ASKED}},
            'metadata: Invalid value: {"name":"x"}: must be empty',
        ),
        (
            {"spec": {"user": "a", "resourceAttributes": {**ASKED, "labelSelector": {}}}},
            f"{SELECTOR}.requirements: Required value: when {SELECTOR} is specified, requirements or rawSelector is "
            "required",
        ),
        (
            {
                "spec": {
                    "user": "a",
                    "resourceAttributes": {
                        **ASKED,
                        "labelSelector": {"requirements": [{"key": "a", "operator": "In"}]},
                    },
                }
            },
            f"{SELECTOR}.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(api: Any, review: Any, message: str) -> None:
    code, _, told = await api.refused("POST", f"{AUTHORIZATION}/subjectaccessreviews", review)
    assert (code, told) == (422, f'SubjectAccessReview.authorization.k8s.io "" is invalid: {message}')


async def test_selectors_of_a_question_are_understood_and_allow_nothing_more(api: Any, server: Any) -> None:
    await _user(api, server, "ada", "view")
    asked = {
        **ASKED,
        "fieldSelector": {"requirements": [{"key": "metadata.name", "operator": "In", "values": ["x"]}]},
        "labelSelector": {"rawSelector": "a in (b,"},
    }
    path = f"{AUTHORIZATION}/subjectaccessreviews"
    status = (await api.post(path, {"spec": {"user": "ada", "resourceAttributes": asked}}))["status"]
    assert status["allowed"] is True
    assert status["evaluationError"] == f"{SELECTOR} ignored due to parse error"
    status = await api.post(path, {"spec": {"user": "ada", "resourceAttributes": {**asked, "verb": "create"}}})
    assert status["status"]["allowed"] is False
