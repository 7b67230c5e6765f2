"""discovery.sh, crd.sh, kubeconfig.sh, explain, proxy, completion: what clients learn of the server."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.kubectl_suites.conftest import WIDGETS, Kubectl, widget


def test_api_versions(widgets: Kubectl) -> None:
    versions = widgets("api-versions").split()
    assert {"v1", "rbac.authorization.k8s.io/v1", "apiextensions.k8s.io/v1", "shop.example.org/v1"} <= set(versions)
    assert versions == sorted(versions)


@pytest.mark.parametrize(
    ("arguments", "there", "absent"),
    [
        (("--namespaced=true",), "configmaps", "namespaces"),
        (("--namespaced=false",), "namespaces", "configmaps"),
        (("--api-group=rbac.authorization.k8s.io",), "roles.rbac.authorization.k8s.io", "configmaps"),
        (("--api-group=",), "configmaps", "roles.rbac.authorization.k8s.io"),
        (("--verbs=list,watch",), "secrets", "tokenreviews.authentication.k8s.io"),
        (("--categories=all",), "widgets.shop.example.org", "secrets"),
    ],
)
def test_api_resources(widgets: Kubectl, arguments: tuple[str, ...], there: str, absent: str) -> None:
    names = widgets("api-resources", "-o", "name", *arguments).split()
    assert there in names
    assert absent not in names


def test_api_resources_in_columns(widgets: Kubectl) -> None:
    header, *rows = widgets("api-resources").splitlines()
    assert header.split() == ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    assert ["widgets", "wd", "shop.example.org/v1", "true", "Widget"] in [row.split() for row in rows]
    wide = widgets("api-resources", "-o", "wide", "--sort-by=kind", "--no-headers").splitlines()
    row = next(line for line in wide if line.startswith("configmaps"))
    assert "create,delete,deletecollection,get,list,patch,update,watch" in row


def test_explain(widgets: Kubectl) -> None:
    text = widgets("explain", "widget")
    assert "GROUP:      shop.example.org\nKIND:       Widget\nVERSION:    v1" in text
    assert "What the widget is to be." in text
    assert "FIELD: replicas <integer>" in widgets("explain", "wd.spec.replicas")
    tree = widgets("explain", "widgets", "--recursive")
    assert "  spec\t<Object>\n    colour\t<string>\n    parts\t<[]Object>\n      name\t<string>" in tree
    assert "KIND:       Widget" in widgets("explain", "widgets", "--api-version=shop.example.org/v1")
    assert 'field "nothing" does not exist' in widgets("explain", "widget.spec.nothing", fails=True)
    assert "the server doesn't have a resource type" in widgets("explain", "rabbits", fails=True)
    older = widgets("explain", "cm", "--output=plaintext-openapiv2")
    assert "KIND:" in older
    assert "data" in older


@pytest.mark.parametrize(
    "kind", ["cm", "secret", "ns", "sa", "role", "rolebinding", "clusterrole", "clusterrolebinding", "quota", "crd",
             "lease", "event", "validatingadmissionpolicy", "mutatingwebhookconfiguration", "service", "endpointslice"],
)  # fmt: skip
def test_every_kind_is_explained(kubectl: Kubectl, kind: str) -> None:
    done = kubectl.run("explain", kind)
    if done.returncode != 0 and "server doesn't have" in done.stderr + done.stdout:
        pytest.skip(f"{kind} is not served")
    assert "FIELDS:" in done.stdout, done.stderr


def test_short_names_and_full_names(widgets: Kubectl) -> None:
    widgets("create", "-f", "-", stdin=widget("w"))
    for name in ("wd", "widget", "widgets", "Widget", WIDGETS, "widgets.v1.shop.example.org"):
        assert widgets("get", name, "-o", "name") == "widget.shop.example.org/w\n"


def test_custom_resources_go_with_their_definition(widgets: Kubectl) -> None:
    widgets("create", "-f", "-", stdin=widget("w"))
    assert widgets("delete", "crd", WIDGETS, "--timeout=60s") == (
        f'customresourcedefinition.apiextensions.k8s.io "{WIDGETS}" deleted\n'
    )
    assert "the server could not find the requested resource" in widgets("get", "widgets", fails=True)


def test_wrong_definitions_are_refused(kubectl: Kubectl) -> None:
    manifest: dict[str, Any] = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"plural": "thinks", "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {}}}],
        },
    }
    refused = kubectl("create", "-f", "-", stdin=json.dumps(manifest), fails=True)
    assert 'must be spec.names.plural+"."+spec.group' in refused
    assert "spec.validation.openAPIV3Schema.type: Required value" in refused


def test_describe_of_everything(widgets: Kubectl) -> None:
    widgets("create", "-f", "-", stdin=widget("w", replicas=2))
    described = widgets("describe", "widget", "w")
    assert "Name:         w\nNamespace:    default" in described
    assert "Spec:\n  Colour:    grey\n  Replicas:  2" in described
    for kind in ("ns", "sa", "cm", "secret", "clusterrole", "crd", "svc"):
        assert widgets.run("describe", kind).returncode == 0, kind
    assert widgets("describe", "cm", "-l", "no=such") == ""


def test_cluster_info(kubectl: Kubectl, tmp_path: Path) -> None:
    assert "Kubernetes control plane" in kubectl("cluster-info")


def test_config_commands(kubectl: Kubectl) -> None:
    assert kubectl("config", "current-context") == "test\n"
    assert kubectl("config", "get-contexts", "-o", "name") == "test\n"
    shown = kubectl("config", "view", "-o", "json")
    assert json.loads(shown)["users"][0]["user"]["token"] == "REDACTED"
    assert kubectl.token in kubectl("config", "view", "--raw")
    assert kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}").startswith("https://127.0.0.1:")
    kubectl("create", "ns", "shop")
    kubectl("config", "set-context", "--current", "--namespace=shop")
    kubectl("create", "cm", "here")
    assert kubectl("get", "cm", "here", "-o", "jsonpath={.metadata.namespace}") == "shop"
    assert kubectl("config", "view", "--minify", "-o", "jsonpath={..namespace}") == "shop"
    assert "context was not found" in kubectl("--context=none", "get", "cm", fails=True)
    assert 'no server found for cluster "none"' in kubectl("--cluster=none", "get", "cm", fails=True)
    assert 'auth info "none" does not exist' in kubectl("--user=none", "get", "cm", fails=True)


def test_version(kubectl: Kubectl) -> None:
    versions = kubectl.json("version")
    assert versions["serverVersion"]["major"] == "1"
    assert versions["serverVersion"]["gitVersion"].startswith("v1.")


def test_proxy(kubectl: Kubectl) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    proxy = kubectl.start("proxy", f"--port={port}")
    try:
        assert proxy.stdout is not None
        assert "Starting to serve" in proxy.stdout.readline()
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/namespaces/default", timeout=10) as answer:
                    assert json.load(answer)["metadata"]["name"] == "default"
                    break
            except ConnectionError:
                assert time.monotonic() < deadline
    finally:
        proxy.kill()
        proxy.communicate()


def test_completion_looks_names_up(kubectl: Kubectl) -> None:
    def completed(*arguments: str) -> str:
        program = kubectl.command()[0]
        environment = {**kubectl.environment, "KUBECONFIG": str(kubectl.kubeconfig)}
        command = [program, "__complete", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout

    assert completed("get", "cm", "kube-").splitlines()[0] == "kube-root-ca.crt"
    assert "configmaps" in completed("get", "configm")
    assert "default" in completed("get", "cm", "-n", "def")
    assert "complete -o default" in kubectl("completion", "bash")


def test_old_and_new_lists_of_the_open_api(widgets: Kubectl) -> None:
    paths = json.loads(widgets("get", "--raw", f"/clusters/{widgets.workspace}/openapi/v3"))["paths"]
    assert {"api/v1", "apis/shop.example.org/v1"} <= set(paths)
    address = paths["apis/shop.example.org/v1"]["serverRelativeURL"]
    document = json.loads(widgets("get", "--raw", f"/clusters/{widgets.workspace}{address}"))
    assert any(name.endswith("v1.Widget") for name in document["components"]["schemas"])
    older = json.loads(widgets("get", "--raw", f"/clusters/{widgets.workspace}/openapi/v2"))
    assert any(name.endswith("v1.Widget") for name in older["definitions"])


def test_plugins_and_options_need_no_server(kubectl: Kubectl) -> None:
    assert "The following options can be passed to any command" in kubectl("options")
