"""rbac.sh, authorization.sh, authentication.sh, core.sh (namespaces, service accounts)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.kubectl_suites.conftest import Kubectl


def test_roles_from_flags(kubectl: Kubectl) -> None:
    kubectl("create", "role", "r", "--verb=get,list", "--resource=configmaps,secrets", "--resource-name=a")
    assert kubectl.json("get", "role", "r")["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "resourceNames": ["a"], "verbs": ["get", "list"]}
    ]
    kubectl("create", "clusterrole", "c", "--verb=get", "--non-resource-url=/metrics,/healthz/*")
    assert kubectl.json("get", "clusterrole", "c")["rules"] == [
        {"nonResourceURLs": ["/metrics", "/healthz/*"], "verbs": ["get"]}
    ]
    described = kubectl("describe", "role", "r")
    assert "configmaps  []                 [a]             [get list]" in described
    refused = kubectl("create", "role", "bad", "--verb=get", "--resource=rabbits", fails=True)
    assert "the server doesn't have a resource type" in refused


def test_aggregated_roles_allow_what_their_parts_allow(kubectl: Kubectl) -> None:
    kubectl("create", "clusterrole", "agg", "--aggregation-rule=example.org/a=true")
    kubectl("create", "clusterrole", "part", "--verb=get", "--resource=configmaps")
    kubectl("label", "clusterrole", "part", "example.org/a=true")
    kubectl("create", "clusterrolebinding", "agg", "--clusterrole=agg", "--user=eve")
    let_in(kubectl, "eve")
    assert kubectl("auth", "can-i", "get", "cm", "--as=eve") == "yes\n"


def let_in(kubectl: Kubectl, user: str) -> None:
    """Into the workspace; kubectl itself does not know the verb."""
    rule = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "enter"}}
    kubectl("apply", "-f", "-", stdin=json.dumps({**role, "rules": [rule]}))
    kubectl("create", "clusterrolebinding", f"enter-{user}", "--clusterrole=enter", f"--user={user}")


def test_bindings_from_flags(kubectl: Kubectl) -> None:
    kubectl("create", "role", "r", "--verb=get", "--resource=configmaps")
    kubectl("create", "rolebinding", "b", "--role=r", "--user=u", "--group=g", "--serviceaccount=default:s")
    subjects = kubectl.json("get", "rolebinding", "b")["subjects"]
    assert [(subject["kind"], subject["name"]) for subject in subjects] == [
        ("User", "u"),
        ("Group", "g"),
        ("ServiceAccount", "s"),
    ]
    kubectl("create", "clusterrolebinding", "cb", "--clusterrole=view", "--user=u")
    assert kubectl.json("get", "clusterrolebinding", "cb")["roleRef"]["name"] == "view"
    assert (
        kubectl("set", "subject", "rolebinding/b", "--user=v")
        == "rolebinding.rbac.authorization.k8s.io/b subjects updated\n"
    )
    assert len(kubectl.json("get", "rolebinding", "b")["subjects"]) == 4
    header, row = kubectl("get", "rolebindings", "b", "-o", "wide").splitlines()
    assert header.split() == ["NAME", "ROLE", "AGE", "USERS", "GROUPS", "SERVICEACCOUNTS"]
    assert row.split()[:2] == ["b", "Role/r"]
    changed = kubectl.json("get", "rolebinding", "b")
    changed["roleRef"]["name"] = "other"
    assert "cannot change roleRef" in kubectl("replace", "-f", "-", stdin=json.dumps(changed), fails=True)


def test_reconcile(kubectl: Kubectl) -> None:
    role: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "r", "namespace": "default"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
    }
    done = kubectl.run("auth", "reconcile", "-f", "-", stdin=json.dumps(role))
    assert "role.rbac.authorization.k8s.io/r reconciled" in done.stdout + done.stderr
    role["rules"][0]["verbs"] = ["list"]
    kubectl("auth", "reconcile", "-f", "-", stdin=json.dumps(role))
    assert len(kubectl.json("get", "role", "r")["rules"]) == 2
    kubectl("auth", "reconcile", "--remove-extra-permissions", "-f", "-", stdin=json.dumps(role))
    assert kubectl.json("get", "role", "r")["rules"] == role["rules"]


def test_can_i(kubectl: Kubectl) -> None:
    let_in(kubectl, "eve")
    kubectl("create", "role", "r", "--verb=get,list", "--resource=configmaps")
    kubectl("create", "rolebinding", "b", "--role=r", "--user=eve")
    assert kubectl("auth", "can-i", "get", "cm") == "yes\n"
    assert kubectl("auth", "can-i", "get", "cm", "--as=eve") == "yes\n"
    done = kubectl.run("auth", "can-i", "delete", "cm", "--as=eve")
    assert (done.returncode, done.stdout.split()[0]) == (1, "no")
    assert 'Missing is the rule {apiGroups: [""], resources: ["configmaps"], verbs: ["delete"]}' in done.stdout
    assert kubectl.run("auth", "can-i", "get", "cm", "-A", "--as=eve").stdout.startswith("no")
    assert kubectl.run("auth", "can-i", "get", "cm", "-n", "kube-system", "--as=eve").stdout.startswith("no")
    assert kubectl("auth", "can-i", "get", "/healthz", "--as=eve") == "yes\n"
    quiet = kubectl.run("auth", "can-i", "delete", "cm", "--as=eve", "-q")
    assert (quiet.returncode, quiet.stdout) == (1, "")
    listed = kubectl("auth", "can-i", "--list", "--as=eve")
    row = next(line for line in listed.splitlines() if line.startswith("configmaps "))
    assert row.split(maxsplit=1)[1].split() == ["[]", "[]", "[get", "list]"]
    warned = kubectl.run("auth", "can-i", "get", "rabbits")
    assert "the server doesn't have a resource type 'rabbits'" in warned.stderr
    assert kubectl("auth", "can-i", "get", "ns") == "yes\n"
    assert "not namespace scoped" in kubectl.run("auth", "can-i", "get", "ns").stderr


def test_impersonation(kubectl: Kubectl) -> None:
    let_in(kubectl, "eve")
    refused = kubectl("get", "cm", "--as=eve", fails=True)
    assert '(Forbidden): configmaps is forbidden: User "eve" cannot list resource "configmaps"' in refused
    kubectl("create", "clusterrolebinding", "readers", "--clusterrole=view", "--group=readers")
    assert "kube-root-ca.crt" in kubectl("get", "cm", "--as=eve", "--as-group=readers")
    whoami = kubectl("auth", "whoami", "--as=eve", "--as-group=readers", "--as-uid=7", "-o", "json")
    user = json.loads(whoami)["status"]["userInfo"]
    assert (user["username"], user["uid"]) == ("eve", "7")
    assert {"readers", "system:authenticated"} <= set(user["groups"])
    assert "without impersonating a user" in kubectl("get", "cm", "--as-group=readers", fails=True)


def test_whoami(kubectl: Kubectl) -> None:
    rows = dict(line.split(maxsplit=1) for line in kubectl("auth", "whoami").splitlines()[1:])
    assert rows["Username"] == "admin"
    assert "system:masters" in rows["Groups"]


def test_tokens_of_service_accounts(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("create", "serviceaccount", "robot")
    assert kubectl.json("get", "sa", "robot")["metadata"]["name"] == "robot"
    header, *_ = kubectl("get", "sa").splitlines()
    assert header.split() in (["NAME", "SECRETS", "AGE"], ["NAME", "AGE"])
    token = kubectl("create", "token", "robot", "--duration=1h").strip()
    robot = Kubectl(kubectl.server, kubectl.workspace, token, tmp_path / "robot")
    robot.home.mkdir()
    assert "system:serviceaccount:default:robot" in robot("auth", "whoami")
    assert "(Forbidden)" in robot("get", "cm", fails=True)
    kubectl("create", "rolebinding", "robots", "--clusterrole=view", "--serviceaccount=default:robot")
    assert "kube-root-ca.crt" in robot("get", "cm")
    kubectl("create", "secret", "generic", "bound")
    bound = kubectl("create", "token", "robot", "--bound-object-kind=Secret", "--bound-object-name=bound").strip()
    assert bound.count(".") == 2
    asked = json.loads(kubectl("create", "token", "robot", "--audience=https://elsewhere.example.org", "-o", "json"))
    assert asked["spec"]["audiences"] == ["https://elsewhere.example.org"]
    kubectl("delete", "sa", "robot")
    assert "You must be logged in to the server" in robot("get", "cm", fails=True)


def test_wrong_tokens(kubectl: Kubectl, tmp_path: Path) -> None:
    home = tmp_path / "wrong"
    home.mkdir()
    stranger = Kubectl(kubectl.server, kubectl.workspace, "nonsense", home)
    assert "You must be logged in to the server" in stranger("get", "cm", fails=True)


def test_namespaces(kubectl: Kubectl) -> None:
    assert kubectl("create", "ns", "shop") == "namespace/shop created\n"
    header, row = kubectl("get", "ns", "shop").splitlines()
    assert (header.split(), row.split()[:2]) == (["NAME", "STATUS", "AGE"], ["shop", "Active"])
    assert "Labels:       kubernetes.io/metadata.name=shop" in kubectl("describe", "ns", "shop")
    kubectl("create", "cm", "a", "-n", "shop")
    refused = kubectl(
        "create",
        "-n",
        "shop",
        "-f",
        "-",
        stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b","namespace":"default"}}',
        fails=True,
    )
    assert "the namespace from the provided object" in refused
    assert kubectl("delete", "ns", "shop", "--timeout=30s") == 'namespace "shop" deleted\n'
    assert "(NotFound)" in kubectl("get", "ns", "shop", fails=True)
    assert "(Forbidden)" in kubectl("delete", "ns", "default", fails=True)
