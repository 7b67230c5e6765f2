"""Tokens, reviews, and who did it."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from portway.krm.errors import StatusError

CONFIGS = "/api/v1/namespaces/default/configmaps"
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def _bind(api: Any, role: str, user: str) -> None:
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    body = {"metadata": {"name": f"{role}-{user}"}, "subjects": [subject], "roleRef": ref}
    await api.post(f"{RBAC}/clusterrolebindings", body)


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer pw_wrong", "Basic eDp5", "Bearer a.b.c"])
async def test_without_a_valid_token_everything_is_401(api: Any, authorization: str) -> None:
    refused = await api.refused("GET", CONFIGS, headers={"authorization": authorization})
    assert refused[:2] == (401, "Unauthorized")


async def test_a_minted_token_is_stored_as_a_hash_only(api: Any, server: Any) -> None:
    token = await server.tokens.mint("alice", ["dev"])
    stored = await api.get("/api/v1/namespaces/portway-system/secrets", fieldSelector="type=portway.dev/token")
    [secret] = stored["items"]
    assert base64.b64decode(secret["data"]["user"]) == b"alice"
    assert token not in str([base64.b64decode(v) for v in secret["data"].values()])
    who = await _whoami(api.as_user(token), api)
    assert (who["username"], who["groups"]) == ("alice", ["dev", "system:authenticated"])
    await api.delete(f"/api/v1/namespaces/portway-system/secrets/{secret['metadata']['name']}")
    assert (await api.as_user(token).refused("GET", CONFIGS))[0] == 401


async def _whoami(caller: Any, admin: Any) -> Any:
    await _bind(admin, "view", "alice")
    answer = await caller.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    return answer["status"]["userInfo"]


async def test_an_expired_token_is_no_token(api: Any, server: Any) -> None:
    token = await server.tokens.mint("alice", ttl=timedelta(seconds=-1))
    assert (await api.as_user(token).refused("GET", CONFIGS))[0] == 401


async def test_the_use_of_a_token_is_written_down_but_not_with_every_request(api: Any, server: Any) -> None:
    token = await server.tokens.mint("alice")
    path = "/api/v1/namespaces/portway-system/secrets"

    async def seen() -> tuple[str, str]:
        [secret] = (await api.get(path, fieldSelector="type=portway.dev/token"))["items"]
        fields = secret["metadata"]
        return fields["resourceVersion"], fields["annotations"].get("portway.dev/last-used", "")

    await server.tokens.write_uses()
    before, unused = await seen()
    assert unused == ""
    for _ in range(3):
        await api.as_user(token).call("GET", CONFIGS)
    assert (await seen())[0] == before
    await server.tokens.write_uses()
    written, used = await seen()
    assert used
    await api.as_user(token).call("GET", CONFIGS)
    await server.tokens.write_uses()
    assert await seen() == (written, used), "once an hour is enough"


async def test_groups_may_have_commas_in_their_names(api: Any, server: Any) -> None:
    token = await server.tokens.mint("alice", ["cn=dev,ou=acme", "x"])
    assert (await _whoami(api.as_user(token), api))["groups"] == ["cn=dev,ou=acme", "x", "system:authenticated"]


async def test_a_one_time_token_works_once(api: Any, server: Any) -> None:
    once = server.one_time.issue("alice", ["dev"])
    session = await server.one_time.exchange(once)
    assert (await _whoami(api.as_user(session), api))["username"] == "alice"
    with pytest.raises(StatusError, match="was used before"):
        await server.one_time.exchange(once)
    with pytest.raises(StatusError, match="has expired"):
        await server.one_time.exchange(server.one_time.issue("alice", ttl=timedelta(seconds=-1)))


async def test_reviews_answer_for_oneself_and_for_others(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    await _bind(api, "view", "alice")
    asked = {"resourceAttributes": {"verb": "create", "resource": "configmaps", "namespace": "default"}}
    own = await alice.post(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": asked})
    assert own["status"]["allowed"] is False
    assert 'User "alice" cannot create resource "configmaps"' in own["status"]["reason"]
    reading = {"resourceAttributes": {"verb": "list", "resource": "configmaps"}, "user": "alice"}
    other = await api.post(f"{AUTHORIZATION}/subjectaccessreviews", {"spec": reading})
    assert other["status"]["allowed"] is True
    rules = await alice.post(f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})
    assert any("configmaps" in rule["resources"] for rule in rules["status"]["resourceRules"])


async def test_token_reviews_tell_whose_a_token_is(api: Any, server: Any) -> None:
    reviews = "/apis/authentication.k8s.io/v1/tokenreviews"
    token = await server.tokens.mint("alice")
    known = await api.post(reviews, {"spec": {"token": token}})
    assert known["status"]["user"]["username"] == "alice"
    assert (await api.post(reviews, {"spec": {"token": "x"}}))["status"]["authenticated"] is False


async def test_a_service_account_token_dies_with_its_account(api: Any) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    await api.post(accounts, {"metadata": {"name": "robot"}})
    request = await api.post(f"{accounts}/robot/token", {"spec": {"expirationSeconds": 600}})
    robot = api.as_user(request["status"]["token"])
    assert (await robot.refused("GET", CONFIGS))[0] == 403
    await api.delete(f"{accounts}/robot")
    assert (await robot.refused("GET", CONFIGS))[0] == 401


async def test_revoking_a_binding_takes_effect_at_once(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    await _bind(api, "view", "alice")
    await alice.get(CONFIGS)
    await api.delete(f"{RBAC}/clusterrolebindings/view-alice")
    assert (await alice.refused("GET", CONFIGS))[0] == 403


async def test_aggregated_rules_join_bootstrap_roles(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    await _bind(api, "view", "alice")
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert (await alice.refused("GET", path))[0] == 403
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    rule = {"apiGroups": ["apiextensions.k8s.io"], "resources": ["*"], "verbs": ["list"]}
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": "more", "labels": labels}, "rules": [rule]})
    assert (await alice.get(path))["items"] == []


async def test_only_the_impersonated_rights_count(api: Any) -> None:
    await _bind(api, "view", "bob")
    headers = {"impersonate-user": "bob"}
    await api.get(CONFIGS, headers=headers)
    refused = await api.refused("POST", CONFIGS, {"metadata": {"name": "x"}}, headers=headers)
    assert refused[:2] == (403, "Forbidden")
    assert (await api.refused("GET", CONFIGS, headers={"impersonate-group": "dev"}))[0] == 400


async def test_an_administrator_of_a_workspace_cannot_become_one_of_all(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    await _bind(api, "cluster-admin", "alice")
    headers = {"impersonate-user": "x", "impersonate-group": "system:masters"}
    refused = await alice.refused("GET", CONFIGS, headers=headers)
    assert "only members of system:masters may act as one" in refused[2]
    await api.get(CONFIGS, headers=headers)


async def test_tokens_and_keys_are_out_of_reach_of_roles(api: Any, server: Any) -> None:
    alice = api.as_user(await server.tokens.mint("alice"))
    await _bind(api, "cluster-admin", "alice")
    await alice.get("/api/v1/namespaces/default/secrets")
    for path in ("/api/v1/namespaces/portway-system/secrets", "/api/v1/secrets", "/api/v1/namespaces/portway-system"):
        assert (await alice.refused("GET", path))[0] == 403
    forged = {"metadata": {"name": "x"}, "type": "portway.dev/token"}
    assert (await alice.refused("POST", "/api/v1/namespaces/portway-system/secrets", forged))[0] == 403
    asked = {"resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": "portway-system"}}
    review = await alice.post(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": asked})
    assert review["status"]["allowed"] is False


async def test_metrics_count_requests(api: Any) -> None:
    await api.get(CONFIGS)
    text = (await api.call("GET", "/metrics")).text
    assert 'apiserver_request_total{verb="LIST",resource="configmaps",code="200"} 1' in text
