"""Who may do what, and workspaces, through kubectl."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def alice(kubectl: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A user without any right in the test's workspace."""
    home: Path = tmp_path_factory.mktemp("alice")
    return type(kubectl)(kubectl.server, kubectl.workspace, kubectl.server.mint("alice", "dev"), home)


def test_whoami(alice: Any, kubectl: Any) -> None:
    kubectl("create", "clusterrolebinding", "alice", "--clusterrole=view", "--user=alice")
    shown = alice("auth", "whoami")
    assert "alice" in shown
    assert "[dev system:authenticated]" in shown


def test_a_stranger_is_told_that_the_workspace_is_closed(alice: Any) -> None:
    refused = alice("get", "configmaps", fails=True)
    assert f'User "alice" cannot get path "/api": no access to workspace "{alice.workspace}"' in refused
    refused = alice("get", "--raw", f"/clusters/{alice.workspace}/api/v1/namespaces/default/configmaps", fails=True)
    assert 'cannot list resource "configmaps" in API group "" in the namespace "default"' in refused


def test_a_workspace_that_is_not_there_answers_as_a_closed_one(alice: Any, tmp_path: Path) -> None:
    nowhere = type(alice)(alice.server, "root:nowhere", alice.token, tmp_path / "nowhere")
    nowhere.home.mkdir()
    closed = alice("get", "configmaps", fails=True).splitlines()[-1]
    assert nowhere("get", "configmaps", fails=True).splitlines()[-1] == closed.replace(alice.workspace, "root:nowhere")


def test_view_may_look_and_not_touch(alice: Any, kubectl: Any) -> None:
    kubectl("create", "clusterrolebinding", "alice", "--clusterrole=view", "--group=dev")
    assert alice("auth", "can-i", "list", "configmaps").strip() == "yes"
    assert alice.run("auth", "can-i", "create", "configmaps").stdout.startswith("no - User")
    assert alice.run("auth", "can-i", "get", "secrets").stdout.startswith("no")
    assert "configmaps" in alice("auth", "can-i", "--list")
    refused = alice("create", "configmap", "mine", fails=True)
    assert f'in the namespace "default" in workspace "{kubectl.workspace}"' in refused


def test_a_role_gives_rights_in_its_namespace_only(alice: Any, kubectl: Any) -> None:
    kubectl("create", "clusterrolebinding", "enter", "--clusterrole=system:kcp:workspace:access", "--user=alice")
    kubectl("create", "namespace", "shop")
    kubectl("create", "role", "maker", "--verb=create", "--resource=configmaps", "-n", "shop")
    kubectl("create", "rolebinding", "maker", "--role=maker", "--user=alice", "-n", "shop")
    alice("create", "configmap", "mine", "-n", "shop")
    assert "cannot create" in alice("create", "configmap", "mine", fails=True)


def test_nobody_gives_away_what_he_does_not_have(alice: Any, kubectl: Any) -> None:
    kubectl("create", "clusterrolebinding", "alice", "--clusterrole=admin", "--user=alice")
    kubectl("create", "rolebinding", "alice", "--clusterrole=admin", "--user=alice")
    alice("create", "role", "fine", "--verb=get", "--resource=configmaps")
    refused = alice("create", "role", "more", "--verb=get", "--resource=namespaces/status", fails=True)
    assert "attempting to grant RBAC permissions not currently held" in refused
    assert "attempting to grant" in alice(
        "create", "rolebinding", "x", "--clusterrole=cluster-admin", "--user=alice", fails=True
    )


def test_acting_as_somebody_else(kubectl: Any, alice: Any) -> None:
    kubectl("create", "clusterrolebinding", "bob", "--clusterrole=view", "--user=bob")
    assert "kube-root-ca.crt" in kubectl("get", "cm", "--as=bob")
    kubectl("create", "clusterrolebinding", "alice", "--clusterrole=edit", "--user=alice")
    assert 'cannot impersonate resource "users"' in alice("get", "cm", "--as=bob", fails=True)


def test_a_service_account_acts_with_its_token_in_its_own_workspace(
    kubectl: Any, root: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kubectl("create", "rolebinding", "robots", "--clusterrole=view", "--serviceaccount=default:default")
    token = kubectl("create", "token", "default").strip()
    robot = type(kubectl)(kubectl.server, kubectl.workspace, token, tmp_path_factory.mktemp("robot"))
    assert "kube-root-ca.crt" in robot("get", "cm")
    elsewhere = type(kubectl)(kubectl.server, "root", token, tmp_path_factory.mktemp("robot"))
    assert "no access to workspace" in elsewhere("get", "cm", fails=True)


def test_who_creates_a_workspace_is_its_admin(
    kubectl: Any, alice: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kubectl("create", "clusterrolebinding", "enter", "--clusterrole=system:kcp:workspace:access", "--user=alice")
    kubectl("create", "clusterrole", "maker", "--verb=create,get,delete,list", "--resource=workspaces.tenancy.kcp.io")
    kubectl("create", "clusterrolebinding", "maker", "--clusterrole=maker", "--user=alice")
    head = '"apiVersion":"tenancy.kcp.io/v1alpha1","kind":"Workspace"'
    manifest = f'{{{head},"metadata":{{"name":"mine"}},"spec":{{"type":{{"name":"team"}}}}}}'
    alice("create", "-f", "-", stdin=manifest)
    assert alice("get", "ws", "mine").splitlines()[1].split()[:3] == ["mine", "team", "Ready"]
    inside = type(alice)(alice.server, f"{alice.workspace}:mine", alice.token, tmp_path_factory.mktemp("inside"))
    assert inside("auth", "can-i", "*", "*").strip() == "yes"
    assert {"default"} <= {n.split("/")[1] for n in inside("get", "ns", "-o", "name").split()}
    inside("create", "configmap", "inner")
    alice("delete", "ws", "mine", "--timeout=30s")
    assert "no access to workspace" in inside("get", "cm", fails=True)
