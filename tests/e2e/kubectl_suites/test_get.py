"""get.sh, template-output.sh, old-print.sh: every way to print."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.e2e.kubectl_suites.conftest import Kubectl, config, widget


@pytest.fixture
def three(kubectl: Kubectl) -> Kubectl:
    for name, size in (("b", "2"), ("a", "10"), ("c", "1")):
        kubectl("create", "-f", "-", stdin=config(name, {"app": "shop", "tier": name}, size=size))
    return kubectl


def test_nothing_found_is_said_on_stderr(kubectl: Kubectl) -> None:
    done = kubectl.run("get", "secrets", "-l", "no=such")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No resources found in default namespace.\n")
    assert kubectl.run("get", "secrets", "-A", "-l", "no=such").stderr == "No resources found\n"
    for form in ("name", "json", "yaml", "jsonpath={.items}"):
        assert kubectl.run("get", "secrets", "-l", "no=such", "-o", form).stderr == ""


def test_a_missing_object_fails_unless_ignored(kubectl: Kubectl) -> None:
    assert kubectl("get", "cm", "no", fails=True) == 'Error from server (NotFound): configmaps "no" not found\n'
    done = kubectl.run("get", "cm", "no", "--ignore-not-found")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_unknown_kind_is_named(kubectl: Kubectl) -> None:
    assert kubectl("get", "rabbits", fails=True) == 'error: the server doesn\'t have a resource type "rabbits"\n'


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("name", "configmap/a\nconfigmap/b\nconfigmap/c\n"),
        ("jsonpath={.items[*].metadata.name}", "a b c"),
        ('jsonpath={range .items[*]}{.metadata.name}={.data.size}{"\\n"}{end}', "a=10\nb=2\nc=1\n"),
        ('jsonpath={.items[?(@.data.size=="2")].metadata.name}', "b"),
        ("jsonpath={.items[0].metadata.labels}", '{"app":"shop","tier":"a"}'),
        ("go-template={{range .items}}{{.metadata.name}}:{{end}}", "a:b:c:"),
        ("template={{len .items}}", "3"),
        ("custom-columns=NAME:.metadata.name,SIZE:.data.size", "NAME   SIZE\na      10\nb      2\nc      1\n"),
        ("custom-columns=NONE:.data.none", "NONE\n<none>\n<none>\n<none>\n"),
    ],
)
def test_forms(three: Kubectl, form: str, printed: str) -> None:
    assert three("get", "cm", "-l", "app=shop", "-o", form) == printed


def test_templates_from_files(three: Kubectl, tmp_path: Any) -> None:
    path = tmp_path / "template"
    path.write_text("{{range .items}}{{.data.size}} {{end}}")
    assert three("get", "cm", "-l", "app=shop", "-o", f"go-template-file={path}") == "10 2 1 "
    path.write_text("{.items[*].data.size}")
    assert three("get", "cm", "-l", "app=shop", "-o", f"jsonpath-file={path}") == "10 2 1"
    path.write_text("SIZE NAME\n.data.size .metadata.name\n")
    header, first, *_ = three("get", "cm", "-l", "app=shop", "-o", f"custom-columns-file={path}").splitlines()
    assert (header.split(), first.split()) == (["SIZE", "NAME"], ["10", "a"])


def test_missing_template_keys(three: Kubectl) -> None:
    assert three("get", "cm", "a", "-o", "go-template={{.nothing}}") == "<no value>"
    refused = three(
        "get", "cm", "a", "-o", "go-template={{.nothing}}", "--allow-missing-template-keys=false", fails=True
    )
    assert 'map has no entry for key "nothing"' in refused
    assert three("get", "cm", "a", "-o", "jsonpath={.nothing}") == ""
    refused = three("get", "cm", "a", "-o", "jsonpath={.nothing}", "--allow-missing-template-keys=false", fails=True)
    assert "nothing is not found" in refused


def test_sorting(three: Kubectl) -> None:
    def sorted_by(path: str) -> str:
        return three("get", "cm", "-l", "app=shop", f"--sort-by={path}", "-o", "jsonpath={.items[*].metadata.name}")

    assert sorted_by("{.metadata.name}") == "a b c"
    assert sorted_by("{.metadata.creationTimestamp}").split()
    assert sorted_by(".data.size") in ("c a b", "c b a")
    table = three("get", "cm", "-l", "app=shop", "--sort-by=.data.size").splitlines()
    assert [row.split()[0] for row in table[1:]] in (["c", "a", "b"], ["c", "b", "a"])


def test_columns_and_headers(three: Kubectl) -> None:
    assert three("get", "cm", "a", "--no-headers").split()[:2] == ["a", "1"]
    header, row = three("get", "cm", "a", "--show-labels").splitlines()
    assert header.split() == ["NAME", "DATA", "AGE", "LABELS"]
    assert row.split()[-1] == "app=shop,tier=a"
    header, row = three("get", "cm", "a", "-L", "tier,app").splitlines()
    assert header.split() == ["NAME", "DATA", "AGE", "TIER", "APP"]
    assert row.split()[-2:] == ["a", "shop"]
    header, row = three("get", "cm", "a", "--show-kind").splitlines()
    assert row.split()[0] == "configmap/a"
    header, *_ = three("get", "cm", "-A").splitlines()
    assert header.split() == ["NAMESPACE", "NAME", "DATA", "AGE"]
    assert three("get", "cm", "a", "-o", "wide").splitlines()[0].split() == ["NAME", "DATA", "AGE"]


def test_several_kinds_and_names_at_once(three: Kubectl) -> None:
    three("create", "secret", "generic", "s")
    assert three("get", "cm/a", "secret/s", "-o", "name") == "configmap/a\nsecret/s\n"
    printed = three("get", "cm,secret", "-o", "name").split()
    assert {"configmap/a", "configmap/b", "secret/s"} <= set(printed)
    assert three("get", "cm", "a", "c", "-o", "name") == "configmap/a\nconfigmap/c\n"
    listed = three.json("get", "cm", "a", "c")
    assert (listed["kind"], len(listed["items"])) == ("List", 2)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier=a", ["a"]),
        ("tier!=a", ["b", "c"]),
        ("tier in (a,b)", ["a", "b"]),
        ("tier notin (a,b)", ["c"]),
        ("app,tier=c", ["c"]),
        ("!tier", []),
    ],
)
def test_label_selectors(three: Kubectl, selector: str, names: list[str]) -> None:
    found = three("get", "cm", "-l", selector, "-o", "name").split()
    assert [name for name in found if "kube-root" not in name] == [f"configmap/{name}" for name in names]


def test_field_selectors(three: Kubectl) -> None:
    assert three("get", "cm", "--field-selector=metadata.name=b", "-o", "name") == "configmap/b\n"
    assert "configmap/b" not in three("get", "cm", "--field-selector=metadata.name!=b", "-o", "name")
    three("create", "secret", "generic", "opaque")
    assert three("get", "secrets", "--field-selector=type=Opaque", "-o", "name") == "secret/opaque\n"
    refused = three("get", "cm", "--field-selector=data.size=1", fails=True)
    assert "field label not supported: data.size" in refused


@pytest.mark.parametrize("size", ["0", "1", "2", "500"])
def test_chunks(three: Kubectl, size: str) -> None:
    assert three("get", "cm", "-l", "app=shop", f"--chunk-size={size}", "-o", "name").count("configmap/") == 3
    assert len(three("get", "cm", "-l", "app=shop", f"--chunk-size={size}").splitlines()) == 4


def test_raw(three: Kubectl) -> None:
    here = f"/clusters/{three.workspace}"  # kubectl takes raw paths from the root of the server
    assert json.loads(three("get", "--raw", f"{here}/api/v1/namespaces/default/configmaps/a"))["data"] == {"size": "10"}
    assert "NotFound" in three("get", "--raw", f"{here}/api/v1/namespaces/default/configmaps/none", fails=True)
    assert json.loads(three("get", "--raw", "/version"))["major"] == "1"
    created = three("create", "--raw", f"{here}/api/v1/namespaces/default/configmaps", "-f", "-", stdin=config("raw"))
    assert json.loads(created)["metadata"]["name"] == "raw"
    replaced = three(
        "replace", "--raw", f"{here}/api/v1/namespaces/default/configmaps/raw", "-f", "-", stdin=config("raw", x="1")
    )
    assert json.loads(replaced)["data"] == {"x": "1"}
    assert (
        json.loads(three("delete", "--raw", f"{here}/api/v1/namespaces/default/configmaps/raw"))["status"] == "Success"
    )
    assert three("get", "--raw", "/readyz") == "ok"


def test_managed_fields_are_shown_on_demand(three: Kubectl) -> None:
    assert "managedFields" not in three("get", "cm", "a", "-o", "yaml")
    assert "managedFields" in three("get", "cm", "a", "-o", "yaml", "--show-managed-fields")


def test_get_all_shows_custom_resources_of_the_category(widgets: Kubectl) -> None:
    widgets("create", "-f", "-", stdin=widget("one", replicas=2))
    printed = widgets("get", "all")
    assert "widget.shop.example.org/one" in printed
    header, row = widgets("get", "wd").splitlines()
    assert (header.split(), row.split()[:2]) == (["NAME", "COLOUR"], ["one", "grey"])
    header, row = widgets("get", "widget", "-o", "wide").splitlines()
    assert (header.split(), row.split()) == (["NAME", "COLOUR", "REPLICAS"], ["one", "grey", "2"])


def test_watch_only(three: Kubectl) -> None:
    watching = three.start("get", "cm", "--watch-only", "-o", "name")
    try:
        assert watching.stdout is not None
        import time

        time.sleep(1)  # nothing shows when kubectl has listed
        three("label", "cm", "a", "late=yes")
        assert watching.stdout.readline() == "configmap/a\n"
    finally:
        watching.kill()
        watching.communicate()


def test_watch_events(three: Kubectl) -> None:
    watching = three.start(
        "get", "cm", "-w", "--output-watch-events", "-o", "custom-columns=T:.type,N:.object.metadata.name"
    )
    try:
        assert watching.stdout is not None
        assert watching.stdout.readline().split() == ["T", "N"]
        shown = {tuple(watching.stdout.readline().split()) for _ in range(4)}
        assert ("ADDED", "a") in shown
        three("delete", "cm", "a")
        assert watching.stdout.readline().split() == ["DELETED", "a"]
    finally:
        watching.kill()
        watching.communicate()


def test_request_timeout(kubectl: Kubectl) -> None:
    assert "kube-root-ca.crt" in kubectl("get", "cm", "--request-timeout=1m")
    assert "kube-root-ca.crt" in kubectl("get", "cm", "--request-timeout=60")
    assert "Invalid timeout value" in kubectl("get", "cm", "--request-timeout=1p", fails=True)


def test_a_deprecated_version_warns(kubectl: Kubectl) -> None:
    open_schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    v1 = {"name": "v1", "served": True, "storage": True, "schema": open_schema}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "deprecated.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "deprecated", "kind": "DeprecatedKind"},
            "versions": [v1, {**v1, "name": "v1beta1", "storage": False, "deprecated": True}],
        },
    }
    kubectl("create", "-f", "-", stdin=json.dumps(crd))
    warning = "Warning: example.com/v1beta1 DeprecatedKind is deprecated; use example.com/v1 DeprecatedKind\n"
    done = kubectl.run("get", "deprecated.v1beta1.example.com")
    assert (done.returncode, done.stderr) == (0, f"{warning}No resources found in default namespace.\n")
    done = kubectl.run("get", "deprecated.v1beta1.example.com", "--warnings-as-errors")
    assert done.returncode == 1
    assert done.stderr.startswith(warning)
    assert done.stderr.endswith("error: 1 warning received\n")
    assert "Warning" not in kubectl.run("get", "deprecated.v1.example.com").stderr
