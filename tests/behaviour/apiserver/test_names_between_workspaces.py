"""The name of a service account means an account of one workspace: nobody becomes another's by being called alike."""

from __future__ import annotations

from typing import Any

import pytest

from portway.bootstrap import kinds
from portway.bootstrap.sessions import Sessions
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.kit import namelists
from portway.krm.errors import StatusError

RBAC = "rbac.authorization.k8s.io"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
SECRETS = "/api/v1/namespaces/default/secrets"
ROBOT = "system:serviceaccount:default:robot"


async def _workspace(api: Any, name: str) -> Any:
    spec = {"type": {"name": "universal", "path": "root"}}
    await api.post("/apis/tenancy.kcp.io/v1alpha1/workspaces", {"metadata": {"name": name}, "spec": spec})
    there = api.at(f"root:{name}")
    await there.post(ACCOUNTS, {"metadata": {"name": "robot"}})
    return there


async def _trusting(api: Any) -> Any:
    """A workspace that trusts its own robot with everything."""
    there = await _workspace(api, "good")
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}
    ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"metadata": {"name": "robot"}, "subjects": [subject], "roleRef": ref}
    await there.post(f"/apis/{RBAC}/v1/clusterrolebindings", body)
    return there


async def _token(workspace: Any) -> str:
    return str((await workspace.post(f"{ACCOUNTS}/robot/token", {"spec": {}}))["status"]["token"])


async def test_a_service_account_of_another_workspace_gets_no_session(api: Any, server: Any) -> None:
    good, evil = await _trusting(api), await _workspace(api, "evil")
    token = await _token(evil)
    assert (await good.as_user(token).refused("GET", SECRETS))[0] == 403
    sessions = Sessions(RestClient(InProcessTransport(server), "root", server.boot_token))
    for log_in in (sessions.log_in, sessions.issue_link):
        with pytest.raises(StatusError, match="a service account goes on with its own token") as refused:
            await log_in(token)
        assert refused.value.code == 403


async def test_a_static_token_is_never_that_of_a_service_account(api: Any, server: Any) -> None:
    good = await _trusting(api)
    token = await server.tokens.mint(ROBOT)
    assert (await good.as_user(token).refused("GET", SECRETS))[0] == 401


async def test_nobody_acts_as_the_control_plane_but_masters(api: Any, server: Any) -> None:
    subject = {"kind": "User", "name": "alice", "apiGroup": RBAC}
    ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"metadata": {"name": "alice"}, "subjects": [subject], "roleRef": ref}
    await api.post(f"/apis/{RBAC}/v1/clusterrolebindings", body)
    alice = api.as_user(await server.tokens.mint("alice"))
    headers = {"impersonate-user": "system:portway"}
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    code, _, message = await alice.refused("POST", who, {}, headers=headers)
    assert code == 403
    assert "only members of system:masters may act as one" in message
    await api.post(who, {}, headers=headers)


async def test_a_group_with_a_comma_in_its_name_is_not_taken_for_two(api: Any, server: Any) -> None:
    """A run acts with the groups that are written on it."""
    await kinds.install(RestClient(InProcessTransport(server), "root", server.boot_token))
    groups = ["payments", "x,system:masters"]
    subject = {"kind": "Group", "name": "payments", "apiGroup": RBAC}
    ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "edit"}
    body = {"metadata": {"name": "payments"}, "subjects": [subject], "roleRef": ref}
    await api.post(f"/apis/{RBAC}/v1/clusterrolebindings", body)
    ada = api.as_user(await server.tokens.mint("ada", groups))
    run = {
        "apiVersion": "portal.portway.dev/v1alpha1",
        "kind": "TemplateRun",
        "metadata": {"name": "one"},
        "spec": {"template": {"name": "any"}},
    }
    made = await ada.post("/apis/portal.portway.dev/v1alpha1/namespaces/default/templateruns", run)
    text = made["metadata"]["annotations"]["portway.dev/requested-by-groups"]
    assert namelists.parted(text) == (*groups, "system:authenticated")
