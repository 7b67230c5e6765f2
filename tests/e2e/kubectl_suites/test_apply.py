"""apply.sh, diff.sh, save-config.sh: both ways of apply, pruning, the remembered configuration."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.kubectl_suites.conftest import Kubectl, config, widget

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def last_applied(kubectl: Kubectl, name: str) -> Any:
    annotations = kubectl.json("get", "cm", name)["metadata"].get("annotations") or {}
    return json.loads(annotations[LAST]) if LAST in annotations else None


def test_apply_removes_what_was_applied_before_and_keeps_what_others_set(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=config("a", x="1", y="2"))
    kubectl("patch", "cm", "a", "-p", '{"data":{"z":"3"}}')
    assert kubectl("apply", "-f", "-", stdin=config("a", x="1")) == "configmap/a configured\n"
    assert kubectl.json("get", "cm", "a")["data"] == {"x": "1", "z": "3"}


def test_apply_over_create_warns_once(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=config("a"))
    done = kubectl.run("apply", "-f", "-", stdin=config("a", x="1"))
    assert "is missing the kubectl.kubernetes.io/last-applied-configuration annotation" in done.stderr
    assert kubectl.run("apply", "-f", "-", stdin=config("a", x="1")).stderr == ""


def test_dry_runs(kubectl: Kubectl) -> None:
    assert kubectl("apply", "--dry-run=client", "-f", "-", stdin=config("a")) == "configmap/a created (dry run)\n"
    assert (
        kubectl("apply", "--dry-run=server", "-f", "-", stdin=config("a")) == "configmap/a created (server dry run)\n"
    )
    assert "NotFound" in kubectl("get", "cm", "a", fails=True)
    kubectl("apply", "-f", "-", stdin=config("a"))
    printed = kubectl("apply", "--dry-run=server", "-f", "-", stdin=config("a", x="1"))
    assert printed == "configmap/a configured (server dry run)\n"
    assert "data" not in kubectl.json("get", "cm", "a")


def test_apply_of_folders_and_lists(kubectl: Kubectl, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "a.json").write_text(config("a"))
    (folder / "below" / "b.json").write_text(config("b"))
    assert kubectl("apply", "-f", str(folder)) == "configmap/a created\n"
    assert kubectl("apply", "-R", "-f", str(folder)) == "configmap/a unchanged\nconfigmap/b created\n"
    listed = {"apiVersion": "v1", "kind": "List", "items": [json.loads(config("c")), json.loads(config("d"))]}
    assert kubectl("apply", "-f", "-", stdin=json.dumps(listed)) == "configmap/c created\nconfigmap/d created\n"


def test_one_bad_of_many_does_not_stop_the_others(kubectl: Kubectl) -> None:
    text = "\n---\n".join([config("a"), config("b").replace("ConfigMap", "Nothing"), config("c")])
    done = kubectl.run("apply", "-f", "-", stdin=text)
    assert done.returncode == 1
    assert 'no matches for kind "Nothing" in version "v1"' in done.stderr
    assert "configmap/a created" in done.stdout


def test_kustomize(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("namePrefix: my-\nresources: [a.json]\n")
    (tmp_path / "a.json").write_text(config("a"))
    assert kubectl("apply", "-k", str(tmp_path)) == "configmap/my-a created\n"
    assert kubectl("get", "-k", str(tmp_path), "-o", "name") == "configmap/my-a\n"
    assert kubectl("delete", "-k", str(tmp_path)) == 'configmap "my-a" deleted\n'


def test_prune_by_label(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=config("old", {"set": "x"}))
    kubectl("apply", "-f", "-", stdin=config("other", {"set": "y"}))
    printed = kubectl(
        "apply", "--prune", "-l", "set=x", "--prune-allowlist=core/v1/ConfigMap", "-f", "-",
        stdin=config("new", {"set": "x"}),
    )  # fmt: skip
    assert printed == "configmap/new created\nconfigmap/old pruned\n"
    names = kubectl("get", "cm", "-o", "name").split()
    assert names == ["configmap/kube-root-ca.crt", "configmap/new", "configmap/other"]


def test_prune_by_apply_set(kubectl: Kubectl, tmp_path: Path) -> None:
    environment = {**kubectl.environment, "KUBECTL_APPLYSET": "true"}

    def apply_set(text: str) -> str:
        command = kubectl.command("apply", "--prune", "--applyset=configmaps/parent", "-n", "default", "-f", "-")
        done = subprocess.run(
            command, input=text, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    kubectl("create", "configmap", "parent")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"parent.default.ConfigMap.").digest()).decode().rstrip("=")
    kubectl("label", "cm", "parent", f"applyset.kubernetes.io/id=applyset-{digest}-v1")
    kubectl(
        "annotate",
        "cm",
        "parent",
        "applyset.kubernetes.io/tooling=kubectl/v1.32",
        "applyset.kubernetes.io/contains-group-kinds=",
    )
    apply_set(config("a") + "\n---\n" + config("b"))
    assert "configmap/b pruned" in apply_set(config("a"))
    assert "applyset.kubernetes.io/part-of" in kubectl.json("get", "cm", "a")["metadata"]["labels"]


def test_last_applied_is_viewed_set_and_edited(kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(config("a", x="1"))
    kubectl("create", "-f", str(file))
    assert kubectl("apply", "view-last-applied", "cm/a") == ""
    refused = kubectl("apply", "set-last-applied", "-f", str(file), fails=True)
    assert "no last-applied-configuration annotation found on resource: a" in refused
    assert (
        kubectl("apply", "set-last-applied", "-f", str(file), "--create-annotation=true") == "configmap/a configured\n"
    )
    assert last_applied(kubectl, "a")["data"] == {"x": "1"}
    assert 'x: "1"' in kubectl("apply", "view-last-applied", "cm", "a")
    assert json.loads(kubectl("apply", "view-last-applied", "-f", str(file), "-o", "json"))["data"] == {"x": "1"}
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i \'s/x: "1"/x: "9"/\' "$1"\n')
    editor.chmod(0o755)
    subprocess.run(
        kubectl.command("apply", "edit-last-applied", "cm/a"),
        env={**kubectl.environment, "KUBE_EDITOR": str(editor)}, check=True, timeout=60, capture_output=True,
    )  # fmt: skip
    assert last_applied(kubectl, "a")["data"] == {"x": "9"}


def test_save_config(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", "--save-config", stdin=config("a", x="1"))
    assert last_applied(kubectl, "a")["data"] == {"x": "1"}
    kubectl("create", "-f", "-", stdin=config("b", x="1"))
    assert last_applied(kubectl, "b") is None
    kubectl("replace", "--save-config", "-f", "-", stdin=config("b", x="2"))
    assert last_applied(kubectl, "b")["data"] == {"x": "2"}
    kubectl("create", "configmap", "c", "--save-config", "--from-literal=x=1")
    assert last_applied(kubectl, "c")["data"] == {"x": "1"}


def test_force_replaces_what_cannot_be_changed(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=json.dumps({**json.loads(config("a", x="1")), "immutable": True}))
    assert "field is immutable when `immutable` is set" in kubectl(
        "apply", "-f", "-", stdin=config("a", x="2"), fails=True
    )
    before = kubectl.json("get", "cm", "a")["metadata"]["uid"]
    kubectl("replace", "--force", "-f", "-", stdin=config("a", x="2"))
    assert kubectl.json("get", "cm", "a")["metadata"]["uid"] != before


def test_server_side_apply(kubectl: Kubectl) -> None:
    assert kubectl("apply", "--server-side", "-f", "-", stdin=config("a", x="1")) == "configmap/a serverside-applied\n"
    owners = kubectl.json("get", "cm", "a", "--show-managed-fields")["metadata"]["managedFields"]
    assert [(owner["manager"], owner["operation"]) for owner in owners] == [("kubectl", "Apply")]
    assert LAST not in (kubectl.json("get", "cm", "a")["metadata"].get("annotations") or {})
    printed = kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=config("a", x="2"))
    assert printed == "configmap/a serverside-applied (server dry run)\n"
    assert kubectl.json("get", "cm", "a")["data"] == {"x": "1"}


def test_server_side_apply_conflicts(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", stdin=config("a", x="1", y="1"))
    text = config("a", x="2", y="2")
    refused = kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=text, fails=True)
    assert 'Apply failed with 2 conflicts: conflicts with "one"' in refused
    assert "- .data.x\n- .data.y" in refused
    assert "--force-conflicts" in refused
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=two", "-f", "-", stdin=text)
    assert kubectl.json("get", "cm", "a")["data"] == {"x": "2", "y": "2"}
    kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=config("a", x="2"))
    assert kubectl.json("get", "cm", "a")["data"] == {"x": "2"}


def test_client_side_owners_hand_over_to_server_side_apply(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=config("a", x="1"))
    kubectl("apply", "--server-side", "-f", "-", stdin=config("a", x="2"))
    owners = kubectl.json("get", "cm", "a", "--show-managed-fields")["metadata"]["managedFields"]
    data_owners = [owner["manager"] for owner in owners if "f:data" in owner["fieldsV1"]]
    assert data_owners == ["kubectl"]
    assert last_applied(kubectl, "a")["data"] == {"x": "2"}
    kubectl("apply", "--server-side", "-f", "-", stdin=config("a"))
    assert "data" not in kubectl.json("get", "cm", "a")


def test_apply_of_custom_resources(widgets: Kubectl) -> None:
    assert widgets("apply", "-f", "-", stdin=widget("w", replicas=1)) == "widget.shop.example.org/w created\n"
    assert widgets("apply", "-f", "-", stdin=widget("w", replicas=2)) == "widget.shop.example.org/w configured\n"
    assert widgets("apply", "-f", "-", stdin=widget("w")) == "widget.shop.example.org/w configured\n"
    assert widgets.json("get", "widget", "w")["spec"] == {"colour": "grey"}
    refused = widgets("apply", "-f", "-", stdin=widget("w", nothing=1), fails=True)
    assert 'unknown field "spec.nothing"' in refused
    done = widgets.run("apply", "--validate=warn", "-f", "-", stdin=widget("w", nothing=1))
    assert 'Warning: unknown field "spec.nothing"' in done.stderr
    assert widgets.run("apply", "--validate=false", "-f", "-", stdin=widget("w", nothing=1)).stderr == ""


def test_diff(kubectl: Kubectl) -> None:
    created = kubectl.run("diff", "-f", "-", stdin=config("a", x="1"))
    assert created.returncode == 1
    assert '+  x: "1"' in created.stdout
    kubectl("apply", "-f", "-", stdin=config("a", x="1"))
    same = kubectl.run("diff", "-f", "-", stdin=config("a", x="1"))
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    changed = kubectl.run("diff", "-f", "-", stdin=config("a", x="2"))
    assert changed.returncode == 1
    assert '-  x: "1"\n+  x: "2"' in changed.stdout
    server = kubectl.run("diff", "--server-side", "--force-conflicts", "-f", "-", stdin=config("a", x="2"))
    assert server.returncode == 1
    assert '+  x: "2"' in server.stdout


def test_diff_masks_secrets_and_prunes(kubectl: Kubectl) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": "hush"}}
    kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    done = kubectl.run("diff", "-f", "-", stdin=json.dumps({**secret, "stringData": {"p": "louder"}}))
    assert done.returncode == 1, done.stderr
    assert "*** (before)" in done.stdout
    kubectl("apply", "-f", "-", stdin=config("gone", {"set": "x"}))
    done = kubectl.run(
        "diff",
        "--prune",
        "-l",
        "set=x",
        "--prune-allowlist=core/v1/ConfigMap",
        "-f",
        "-",
        stdin=config("kept", {"set": "x"}),
    )
    assert done.returncode == 1, done.stderr
    assert "-  name: gone" in done.stdout


def test_external_differ(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=config("a", x="1"))
    environment = {**os.environ, **kubectl.environment, "KUBECTL_EXTERNAL_DIFF": "diff --brief"}
    done = subprocess.run(
        kubectl.command("diff", "-f", "-"), input=config("a", x="2"), env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "differ" in done.stdout
