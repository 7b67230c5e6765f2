"""create.sh, delete.sh, generic-resources.sh: patch, label, annotate, edit, replace, scale, wait."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.kubectl_suites.conftest import WIDGETS, Kubectl, config, widget


def edit(kubectl: Kubectl, script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """kubectl edit with an editor that runs a sed script."""
    editor = folder / "editor.sh"
    editor.write_text(f"#!/bin/sh\nsed -i '{script}' \"$1\"\n")
    editor.chmod(0o755)
    environment = {**kubectl.environment, "KUBE_EDITOR": str(editor)}
    command = kubectl.command(*arguments)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_create_prints_and_refuses(kubectl: Kubectl, tmp_path: Path) -> None:
    assert kubectl("create", "-f", "-", stdin=config("a")) == "configmap/a created\n"
    assert "(AlreadyExists)" in kubectl("create", "-f", "-", stdin=config("a"), fails=True)
    assert kubectl("create", "cm", "b", "--dry-run=client", "-o", "name") == "configmap/b\n"
    assert kubectl("create", "cm", "b", "--dry-run=server") == "configmap/b created (server dry run)\n"
    refused = kubectl("create", "-f", "-", "--edit=false", stdin='{"apiVersion":"v1","kind":"ConfigMap"}', fails=True)
    assert "name or generateName is required" in refused
    edited = edit(kubectl, "s/name: c$/name: d/", tmp_path, "create", "cm", "c", "-o", "name")
    assert edited.stdout == "configmap/c\n"
    file = tmp_path / "e.json"
    file.write_text(config("e", x="1"))
    done = edit(kubectl, 's/"1"/"2"/', tmp_path, "create", "--edit", "-f", str(file))
    assert done.stdout == "configmap/e created\n", done.stderr
    assert kubectl.json("get", "cm", "e")["data"] == {"x": "2"}


def test_generated_names(kubectl: Kubectl) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}
    name = kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(body)).strip()
    assert name.startswith("configmap/made-")
    assert len(name) == len("configmap/made-") + 5
    refused = kubectl("apply", "-f", "-", stdin=json.dumps(body), fails=True)
    assert "cannot use generate name with apply" in refused


def test_config_maps_from_files(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("words")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "env").write_text("A=1\n# no\nB=two words\n")
    kubectl("create", "cm", "files", f"--from-file={tmp_path}/text", f"--from-file=named={tmp_path}/bytes")
    stored = kubectl.json("get", "cm", "files")
    assert (stored["data"], stored["binaryData"]) == ({"text": "words"}, {"named": "//4="})
    kubectl("create", "cm", "env", f"--from-env-file={tmp_path}/env")
    assert kubectl.json("get", "cm", "env")["data"] == {"A": "1", "B": "two words"}
    kubectl("create", "cm", "hashed", "--from-literal=x=1", "--append-hash")
    assert any(name.startswith("configmap/hashed-") for name in kubectl("get", "cm", "-o", "name").split())


def test_secrets_of_every_type(kubectl: Kubectl, server: Any, tmp_path: Path) -> None:
    pem = server.certificate
    kubectl("create", "secret", "tls", "t", f"--cert={pem}", f"--key={pem.with_suffix('.key')}")
    stored = kubectl.json("get", "secret", "t")
    assert (stored["type"], sorted(stored["data"])) == ("kubernetes.io/tls", ["tls.crt", "tls.key"])
    kubectl(
        "create", "secret", "docker-registry", "d", "--docker-username=u", "--docker-password=p",
        "--docker-email=e@example.org", "--docker-server=registry.example.org",
    )  # fmt: skip
    stored = kubectl.json("get", "secret", "d")
    assert (stored["type"], list(stored["data"])) == ("kubernetes.io/dockerconfigjson", [".dockerconfigjson"])
    (tmp_path / "key").write_text("hush")
    kubectl("create", "secret", "generic", "g", f"--from-file={tmp_path}/key", "--type=example.org/own")
    stored = kubectl.json("get", "secret", "g")
    assert (stored["type"], stored["data"]) == ("example.org/own", {"key": "aHVzaA=="})
    written = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"a": "YQ=="},
        "stringData": {"b": "b"},
    }
    kubectl("create", "-f", "-", stdin=json.dumps(written))
    assert kubectl.json("get", "secret", "s")["data"] == {"a": "YQ==", "b": "Yg=="}
    header, *_ = kubectl("get", "secrets").splitlines()
    assert header.split() == ["NAME", "TYPE", "DATA", "AGE"]
    described = kubectl("describe", "secret", "g")
    assert "key:  4 bytes" in described
    assert "hush" not in described
    wrong = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "w"}, "data": {"a": "no base64!"}}
    assert "illegal base64 data" in kubectl("create", "-f", "-", stdin=json.dumps(wrong), fails=True)
    incomplete = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "w"}, "type": "kubernetes.io/tls"}
    assert "tls.crt" in kubectl("create", "-f", "-", stdin=json.dumps(incomplete), fails=True)


def test_quota(kubectl: Kubectl) -> None:
    kubectl("create", "quota", "few", "--hard=count/configmaps=3")
    kubectl("wait", "--for=jsonpath={.status.hard.count/configmaps}=3", "quota/few", "--timeout=30s")
    assert "count/configmaps  1     3" in kubectl("describe", "quota", "few")
    assert kubectl.json("get", "quota", "few")["spec"]["hard"] == {"count/configmaps": "3"}


@pytest.mark.parametrize(
    ("arguments", "patch", "data"),
    [
        ((), '{"data":{"y":"2"}}', {"x": "1", "y": "2"}),
        ((), '{"data":{"x":null}}', None),
        ((), 'data: {b: "2"}', {"x": "1", "b": "2"}),
        (("--type=merge",), '{"data":{"x":"3"}}', {"x": "3"}),
        (("--type=json",), '[{"op":"replace","path":"/data/x","value":"4"}]', {"x": "4"}),
        (("--type=json",), '[{"op":"copy","from":"/data/x","path":"/data/z"}]', {"x": "1", "z": "1"}),
        (("--type=json",), '[{"op":"move","from":"/data/x","path":"/data/z"}]', {"z": "1"}),
        (("--type=strategic",), '{"data":{"$patch":"replace","q":"1"}}', {"q": "1"}),
    ],
)
def test_patches(kubectl: Kubectl, arguments: tuple[str, ...], patch: str, data: Any) -> None:
    kubectl("create", "-f", "-", stdin=config("a", x="1"))
    assert kubectl("patch", "cm", "a", *arguments, "-p", patch) == "configmap/a patched\n"
    assert kubectl.json("get", "cm", "a").get("data") == data


def test_patches_that_change_nothing_or_fail(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("create", "-f", "-", stdin=config("a", x="1"))
    assert kubectl("patch", "cm", "a", "-p", '{"data":{"x":"1"}}') == "configmap/a patched (no change)\n"
    refused = kubectl(
        "patch", "cm", "a", "--type=json", "-p", '[{"op":"test","path":"/data/x","value":"9"}]', fails=True
    )
    assert "testing value /data/x failed" in refused or "the server rejected our request" in refused
    file = tmp_path / "patch.yaml"
    file.write_text("data: {x: '5'}\n")
    assert kubectl("patch", "cm", "a", "--patch-file", str(file), "-o", "jsonpath={.data.x}") == "5"
    assert (
        kubectl("patch", "cm", "a", "-p", '{"data":{"x":"6"}}', "--dry-run=server", "-o", "jsonpath={.data.x}") == "6"
    )
    local = kubectl(
        "patch", "--local", "-f", "-", "--type=merge", "-p", '{"data":{"b":"7"}}', "-o", "yaml", stdin=config("a")
    )
    assert 'b: "7"' in local


def test_the_status_subresource(widgets: Kubectl) -> None:
    widgets("create", "-f", "-", stdin=widget("w", replicas=1))
    widgets("patch", "widget", "w", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Ready"}}')
    assert widgets("get", "widget", "w", "--subresource=status", "-o", "jsonpath={.status.phase}") == "Ready"
    widgets("patch", "widget", "w", "--type=merge", "-p", '{"status":{"phase":"Lost"},"spec":{"replicas":2}}')
    stored = widgets.json("get", "widget", "w")
    assert (stored["status"], stored["spec"]["replicas"]) == ({"phase": "Ready"}, 2)
    stored["status"]["phase"] = "Replaced"
    widgets("replace", "--subresource=status", "-f", "-", stdin=json.dumps(stored))
    assert widgets("get", "widget", "w", "-o", "jsonpath={.status.phase}") == "Replaced"
    body = json.dumps({**json.loads(widget("w")), "status": {"phase": "Applied"}})
    widgets(
        "apply",
        "--server-side",
        "--subresource=status",
        "--field-manager=me",
        "--force-conflicts",
        "-f",
        "-",
        stdin=body,
    )
    assert widgets("get", "widget", "w", "-o", "jsonpath={.status.phase}") == "Applied"


def test_scale(widgets: Kubectl) -> None:
    widgets("create", "-f", "-", stdin=widget("w", replicas=1))
    assert widgets("scale", "widget/w", "--replicas=3") == "widget.shop.example.org/w scaled\n"
    assert widgets.json("get", "widget", "w")["spec"]["replicas"] == 3
    refused = widgets("scale", "widget/w", "--current-replicas=1", "--replicas=5", fails=True)
    assert "Expected replicas to be 1, was 3" in refused
    assert widgets("scale", "widget/w", "--current-replicas=3", "--replicas=4") == "widget.shop.example.org/w scaled\n"
    scale = widgets.json("get", "widget", "w", "--subresource=scale")
    assert (scale["kind"], scale["apiVersion"], scale["spec"]) == ("Scale", "autoscaling/v1", {"replicas": 4})
    widgets("patch", "widget", "w", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":2}}')
    assert widgets.json("get", "widget", "w")["spec"]["replicas"] == 2
    assert widgets("scale", "widget/w", "--replicas=1", "--dry-run=server").endswith("scaled (server dry run)\n")
    assert "must be" in widgets("scale", "widget/w", "--replicas=-1", fails=True)
    configs = widgets("scale", "cm/kube-root-ca.crt", "--replicas=1", fails=True)
    assert "could not find the requested resource" in configs or "NotFound" in configs


@pytest.mark.parametrize("verb", ["label", "annotate"])
def test_label_and_annotate(kubectl: Kubectl, verb: str) -> None:
    field, done = ("labels", "labeled") if verb == "label" else ("annotations", "annotated")
    kubectl("create", "-f", "-", stdin=config("a"))
    kubectl("create", "-f", "-", stdin=config("b"))

    def stored(name: str) -> Any:
        found = kubectl.json("get", "cm", name)["metadata"].get(field) or {}
        return {key: value for key, value in found.items() if "kcp.io" not in key}

    assert kubectl(verb, "cm", "a", "x=1") == f"configmap/a {done}\n"
    refused = kubectl(verb, "cm", "a", "x=2", fails=True)
    assert "already has a value (1)" in refused
    assert "--overwrite is false" in refused
    kubectl(verb, "cm", "a", "x=2", "--overwrite")
    assert stored("a") == {"x": "2"}
    kubectl(verb, "cm", "--all", "y=1")
    assert stored("b") == {"y": "1"}
    kubectl(verb, "cm", "a", "x-", "y-")
    assert stored("a") == {}
    assert kubectl(verb, "cm", "a", "z=1", "--dry-run=server").endswith("(server dry run)\n")
    assert stored("a") == {}
    version = kubectl.json("get", "cm", "a")["metadata"]["resourceVersion"]
    kubectl(verb, "cm", "a", "v=1", f"--resource-version={version}")
    stale = kubectl(verb, "cm", "a", "w=1", f"--resource-version={version}", fails=True)
    assert "the object has been modified" in stale
    assert "v=1" in kubectl(verb, "cm", "a", "--list")
    if verb == "label":
        kubectl(verb, "cm", "-l", "v=1", "u=1")
        assert stored("a") == {"u": "1", "v": "1"}
        assert "a valid label must be" in kubectl(verb, "cm", "a", "q=not valid!", fails=True)


def test_edit(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("create", "-f", "-", stdin=config("a", x="1"))
    assert edit(kubectl, 's/x: "1"/x: "2"/', tmp_path, "edit", "cm/a").stdout == "configmap/a edited\n"
    assert kubectl.json("get", "cm", "a")["data"] == {"x": "2"}
    done = edit(kubectl, 's/"x": "2"/"x": "3"/', tmp_path, "edit", "cm", "a", "-o", "json")
    assert json.loads(done.stdout)["data"] == {"x": "3"}, done.stderr
    assert "Edit cancelled, no changes made." in edit(kubectl, "", tmp_path, "edit", "cm/a").stderr
    done = edit(kubectl, "s/^data:/datum:/", tmp_path, "edit", "cm/a")
    assert done.returncode != 0
    assert kubectl.json("get", "cm", "a")["data"] == {"x": "3"}


def test_edit_of_the_status_subresource(widgets: Kubectl, tmp_path: Path) -> None:
    widgets("create", "-f", "-", stdin=widget("w"))
    widgets("patch", "widget", "w", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"one"}}')
    done = edit(widgets, "s/phase: one/phase: two/", tmp_path, "edit", "widget/w", "--subresource=status")
    assert done.stdout == "widget.shop.example.org/w edited\n", done.stderr
    assert widgets("get", "widget", "w", "-o", "jsonpath={.status.phase}") == "two"


def test_replace(kubectl: Kubectl) -> None:
    missing = kubectl("replace", "-f", "-", stdin=config("a"), fails=True)
    assert 'configmaps "a" not found' in missing
    kubectl("create", "-f", "-", stdin=config("a", x="1"))
    assert kubectl("replace", "-f", "-", stdin=config("a", y="1")) == "configmap/a replaced\n"
    stored = kubectl.json("get", "cm", "a")
    assert stored["data"] == {"y": "1"}
    kubectl("patch", "cm", "a", "-p", '{"data":{"y":"2"}}')
    assert "the object has been modified" in kubectl("replace", "-f", "-", stdin=json.dumps(stored), fails=True)
    printed = kubectl("replace", "--force", "-f", "-", stdin=config("a", z="1"))
    assert printed == 'configmap "a" deleted\nconfigmap/a replaced\n'


def test_delete(kubectl: Kubectl) -> None:
    for name in ("a", "b", "c", "d"):
        kubectl("create", "-f", "-", stdin=config(name, {"set": "x" if name in "ab" else "y"}))
    assert kubectl("delete", "cm", "no", fails=True) == 'Error from server (NotFound): configmaps "no" not found\n'
    assert kubectl("delete", "cm", "no", "--ignore-not-found") == ""
    assert kubectl("delete", "cm", "a", "--dry-run=server") == 'configmap "a" deleted (server dry run)\n'
    assert kubectl("delete", "cm", "-l", "set=x") == 'configmap "a" deleted\nconfigmap "b" deleted\n'
    assert kubectl("delete", "cm/c", "cm/d", "-o", "name") == "configmap/c\nconfigmap/d\n"
    assert kubectl("delete", "cm", "-l", "set=x") == "No resources found\n"
    kubectl("create", "-f", "-", stdin=config("e"))
    assert kubectl("delete", "cm", "e", "--now", "--wait=false") == 'configmap "e" deleted\n'
    kubectl("create", "-f", "-", stdin=config("f"))
    assert 'configmap "f" force deleted' in kubectl("delete", "cm", "f", "--force")
    kubectl("create", "-f", "-", stdin=config("g"))
    assert 'configmap "g" deleted' in kubectl("delete", "cm", "--all")


def test_delete_waits_for_finalizers(kubectl: Kubectl) -> None:
    body = json.loads(config("a"))
    body["metadata"]["finalizers"] = ["example.org/hold"]
    kubectl("create", "-f", "-", stdin=json.dumps(body))
    assert "timed out waiting for the condition" in kubectl("delete", "cm", "a", "--timeout=1s", fails=True)
    assert kubectl.json("get", "cm", "a")["metadata"]["deletionTimestamp"]
    release = threading.Timer(0.5, lambda: kubectl("patch", "cm", "a", "-p", '{"metadata":{"finalizers":null}}'))
    release.start()
    assert kubectl("delete", "cm", "a", "--timeout=30s") == 'configmap "a" deleted\n'
    release.join()


@pytest.mark.parametrize(("cascade", "left"), [("background", False), ("foreground", False), ("orphan", True)])
def test_cascades(kubectl: Kubectl, cascade: str, left: bool) -> None:
    kubectl("create", "-f", "-", stdin=config("owner"))
    uid = kubectl.json("get", "cm", "owner")["metadata"]["uid"]
    owned = json.loads(config("owned"))
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "blockOwnerDeletion": True}
    owned["metadata"]["ownerReferences"] = [owner]
    kubectl("create", "-f", "-", stdin=json.dumps(owned))
    assert kubectl("delete", "cm", "owner", f"--cascade={cascade}", "--timeout=30s") == 'configmap "owner" deleted\n'
    if left:
        assert "ownerReferences" not in kubectl.json("get", "cm", "owned")["metadata"]
    else:
        kubectl("wait", "--for=delete", "cm/owned", "--timeout=30s")


def test_wait(widgets: Kubectl) -> None:
    late = threading.Timer(0.5, lambda: widgets("create", "-f", "-", stdin=widget("w", replicas=1)))
    late.start()
    assert widgets("wait", "--for=create", "widget/w", "--timeout=30s") == "widget.shop.example.org/w condition met\n"
    late.join()
    status = {"status": {"phase": "Done", "conditions": [{"type": "Ready", "status": "True"}]}}
    late = threading.Timer(
        0.5, lambda: widgets("patch", "widget", "w", "--subresource=status", "--type=merge", "-p", json.dumps(status))
    )
    late.start()
    assert widgets("wait", "--for=condition=Ready", "widget/w", "--timeout=30s").endswith("condition met\n")
    late.join()
    assert widgets("wait", "--for=jsonpath={.status.phase}=Done", "widget/w", "--timeout=30s").endswith(
        "condition met\n"
    )
    assert widgets("wait", "--for=jsonpath={.status.phase}", "widget/w", "--timeout=30s").endswith("condition met\n")
    assert "timed out waiting" in widgets("wait", "--for=condition=Ready=False", "widget/w", "--timeout=1s", fails=True)
    assert "timed out waiting" in widgets("wait", "--for=delete", "widget/w", "--timeout=1s", fails=True)
    late = threading.Timer(0.5, lambda: widgets("delete", "widget", "w"))
    late.start()
    assert widgets("wait", "--for=delete", "widget/w", "--timeout=30s").endswith("condition met\n")
    late.join()
    assert widgets("wait", "--for=delete", "widget/w", "--timeout=30s") == ""
    assert widgets("wait", "--for=delete", "widget", "--all", "--timeout=5s") == ""
    assert "Established" in widgets("describe", "crd", WIDGETS)


def test_events(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=config("a"))
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a.1", "namespace": "default"},
        "involvedObject": {
            "kind": "ConfigMap", "name": "a", "namespace": "default", "apiVersion": "v1",
            "uid": kubectl.json("get", "cm", "a")["metadata"]["uid"],
        },
        "type": "Warning",
        "reason": "Noticed",
        "message": "something happened",
        "source": {"component": "test"},
        "count": 2,
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    kubectl("create", "-f", "-", stdin=json.dumps(event))
    row = kubectl("events", "--for=configmap/a").splitlines()[-1]
    assert "Warning" in row
    assert "Noticed" in row
    assert "something happened" in row
    assert "Noticed" in kubectl("events", "--types=Warning")
    assert "Noticed" not in kubectl.run("events", "--types=Normal").stdout
    header, row = kubectl("get", "events").splitlines()
    assert header.split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert row.split()[1:4] == ["Warning", "Noticed", "configmap/a"]
    assert "Noticed" in kubectl("describe", "cm", "a")
    assert (
        kubectl("get", "events", "--field-selector=involvedObject.name=a,type=Warning", "-o", "name") == "event/a.1\n"
    )
    assert json.loads(kubectl("events", "-o", "json"))["items"][0]["reason"] == "Noticed"
