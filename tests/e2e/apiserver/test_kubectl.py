"""The everyday commands of kubectl, on built-in kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {app: shop}
data: {colour: blue}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(CONFIG)
    return path


def test_get_prints_a_table_and_yaml(kubectl: Any, config: Path) -> None:
    kubectl("create", "-f", str(config))
    header, row = kubectl("get", "configmap", "settings").splitlines()
    assert header.split() == ["NAME", "DATA", "AGE"]
    assert row.split()[:2] == ["settings", "1"]
    assert "colour: blue" in kubectl("get", "cm", "settings", "-o", "yaml")
    assert kubectl("get", "cm", "-l", "app=shop", "-o", "name").split() == ["configmap/settings"]
    listed = kubectl("get", "cm", "--field-selector", "metadata.name=settings", "-o", "name")
    assert listed.split() == ["configmap/settings"]


def test_sorting_asks_for_whole_objects(kubectl: Any) -> None:
    for name in ("b", "a"):
        kubectl("create", "configmap", name, f"--from-literal=x={name}")
    names = kubectl("get", "cm", "--sort-by=.metadata.name", "-o", "name").split()
    assert names == ["configmap/a", "configmap/b", "configmap/kube-root-ca.crt"]


def test_watch_shows_what_happens_next(kubectl: Any) -> None:
    watching = kubectl.start("get", "cm", "-w", "-o", "name", "--field-selector", "metadata.name=late")
    try:
        kubectl("create", "configmap", "late")
        assert watching.stdout is not None
        assert watching.stdout.readline().strip() == "configmap/late"
    finally:
        watching.kill()
        watching.communicate()


def test_watch_in_table_form_prints_rows(kubectl: Any) -> None:
    watching = kubectl.start("get", "cm", "kube-root-ca.crt", "-w")
    try:
        assert watching.stdout is not None
        assert watching.stdout.readline().split() == ["NAME", "DATA", "AGE"]
        assert watching.stdout.readline().split()[0] == "kube-root-ca.crt"
    finally:
        watching.kill()
        watching.communicate()


def test_apply_creates_then_changes_then_leaves_alone(kubectl: Any, config: Path) -> None:
    assert kubectl("apply", "-f", str(config)) == "configmap/settings created\n"
    assert kubectl("apply", "-f", str(config)) == "configmap/settings unchanged\n"
    config.write_text(CONFIG.replace("blue", "red"))
    assert kubectl("apply", "-f", str(config)) == "configmap/settings configured\n"
    assert kubectl.json("get", "cm", "settings")["data"] == {"colour": "red"}


def test_server_side_apply_reports_conflicts_and_takes_over_by_force(kubectl: Any, config: Path) -> None:
    kubectl("apply", "--server-side", "--field-manager=one", "-f", str(config))
    config.write_text(CONFIG.replace("blue", "red"))
    refused = kubectl("apply", "--server-side", "--field-manager=two", "-f", str(config), fails=True)
    assert 'conflict with "one": .data.colour' in refused
    kubectl("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", str(config))
    assert kubectl.json("get", "cm", "settings")["data"] == {"colour": "red"}


def test_unchanged_server_side_apply_keeps_the_resource_version(kubectl: Any, config: Path) -> None:
    kubectl("apply", "--server-side", "-f", str(config))
    before = kubectl.json("get", "cm", "settings")["metadata"]["resourceVersion"]
    kubectl("apply", "--server-side", "-f", str(config))
    assert kubectl.json("get", "cm", "settings")["metadata"]["resourceVersion"] == before


def test_diff_shows_the_change_and_makes_none(kubectl: Any, config: Path) -> None:
    kubectl("apply", "-f", str(config))
    config.write_text(CONFIG.replace("blue", "red"))
    done = kubectl.run("diff", "-f", str(config))
    assert done.returncode == 1, done.stderr
    assert "-  colour: blue\n+  colour: red" in done.stdout
    assert kubectl.json("get", "cm", "settings")["data"] == {"colour": "blue"}


def test_dry_run_stores_nothing(kubectl: Any, config: Path) -> None:
    kubectl("create", "--dry-run=server", "-f", str(config))
    assert "NotFound" in kubectl("get", "cm", "settings", fails=True)


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", {"data": {"size": "l"}}),
        ("merge", {"data": {"size": "l"}}),
        ("json", [{"op": "add", "path": "/data/size", "value": "l"}]),
    ],
)
def test_patch(kubectl: Any, config: Path, kind: str, patch: Any) -> None:
    kubectl("create", "-f", str(config))
    kubectl("patch", "cm", "settings", "--type", kind, "-p", json.dumps(patch))
    assert kubectl.json("get", "cm", "settings")["data"] == {"colour": "blue", "size": "l"}


def test_label_and_annotate(kubectl: Any, config: Path) -> None:
    kubectl("create", "-f", str(config))
    kubectl("label", "cm", "settings", "tier=front", "app-")
    kubectl("annotate", "cm", "settings", "note=hello")
    metadata = kubectl.json("get", "cm", "settings")["metadata"]
    assert metadata["labels"] == {"tier": "front"}
    assert metadata["annotations"]["note"] == "hello"


def test_replace_and_edit(kubectl: Any, config: Path) -> None:
    kubectl("create", "-f", str(config))
    config.write_text(CONFIG.replace("blue", "green"))
    kubectl("replace", "-f", str(config))
    assert kubectl.json("get", "cm", "settings")["data"] == {"colour": "green"}
    assert "Edit cancelled" in kubectl.run("edit", "cm", "settings").stderr


def test_edit_sends_what_the_editor_wrote(kubectl: Any, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl("create", "-f", str(config))
    editor = config.parent / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i.bak s/blue/violet/ "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("KUBE_EDITOR", str(editor))
    environment = {**kubectl.environment, "KUBE_EDITOR": str(editor)}
    import subprocess

    subprocess.run(kubectl.command("edit", "cm", "settings"), env=environment, check=True, timeout=60)
    assert kubectl.json("get", "cm", "settings")["data"] == {"colour": "violet"}


def test_delete_waits_until_it_is_gone(kubectl: Any, config: Path) -> None:
    kubectl("create", "-f", str(config))
    assert kubectl("delete", "-f", str(config), "--timeout=30s") == 'configmap "settings" deleted\n'
    assert "NotFound" in kubectl("get", "cm", "settings", fails=True)


def test_delete_all_by_label(kubectl: Any) -> None:
    for name in ("a", "b"):
        kubectl("create", "cm", name)
        kubectl("label", "cm", name, "app=x")
    kubectl("delete", "cm", "-l", "app=x", "--timeout=30s")
    assert kubectl("get", "cm", "-l", "app=x", "-o", "name") == ""


def test_typed_create_commands(kubectl: Any) -> None:
    kubectl("create", "namespace", "shop")
    kubectl("create", "secret", "generic", "login", "--from-literal=password=hush", "-n", "shop")
    assert kubectl.json("get", "secret", "login", "-n", "shop")["data"] == {"password": "aHVzaA=="}
    kubectl("create", "serviceaccount", "robot", "-n", "shop")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps", "-n", "shop")
    kubectl("create", "rolebinding", "robots", "--role=reader", "--serviceaccount=shop:robot", "-n", "shop")
    kubectl("create", "clusterrole", "lister", "--verb=list", "--resource=namespaces")
    kubectl("create", "clusterrolebinding", "listers", "--clusterrole=lister", "--user=eve")
    assert kubectl("create", "token", "robot", "-n", "shop").count(".") == 2


def test_describe_names_the_object_and_its_data(kubectl: Any, config: Path) -> None:
    kubectl("create", "-f", str(config))
    described = kubectl("describe", "cm", "settings")
    assert "Name:         settings" in described
    assert "Events:  <none>" in described


def test_explain_and_api_resources(kubectl: Any) -> None:
    assert "FIELD: data <map[string]string>" in kubectl("explain", "configmap.data")
    listed = kubectl("api-resources", "-o", "name").split()
    assert {"configmaps", "secrets", "workspaces.tenancy.kcp.io"} <= set(listed)
    assert "rbac.authorization.k8s.io/v1" in kubectl("api-versions").split()


def test_version_and_cluster_info_need_no_warning(kubectl: Any) -> None:
    done = kubectl.run("version")
    assert "Server Version: v1." in done.stdout
    assert done.stderr == ""


def test_unknown_field_is_refused_by_name(kubectl: Any, config: Path) -> None:
    config.write_text(CONFIG + "extra: 1\n")
    assert 'unknown field "extra"' in kubectl("create", "-f", str(config), fails=True)


def test_errors_say_what_is_wrong(kubectl: Any) -> None:
    assert 'configmaps "none" not found' in kubectl("get", "cm", "none", fails=True)
    assert "a lowercase RFC 1123 subdomain" in kubectl("create", "cm", "Not_Valid", fails=True)
    kubectl("create", "cm", "twice")
    assert 'configmaps "twice" already exists' in kubectl("create", "cm", "twice", fails=True)
    assert 'namespaces "nowhere" not found' in kubectl("create", "cm", "x", "-n", "nowhere", fails=True)


def test_deleting_a_namespace_deletes_what_is_in_it(kubectl: Any) -> None:
    kubectl("create", "namespace", "shop")
    kubectl("wait", "--for=create", "serviceaccount/default", "-n", "shop", "--timeout=30s")
    kubectl("create", "configmap", "inner", "-n", "shop")
    kubectl("delete", "namespace", "shop", "--timeout=30s")
    kubectl("create", "namespace", "shop")
    assert "NotFound" in kubectl("get", "cm", "inner", "-n", "shop", fails=True)
