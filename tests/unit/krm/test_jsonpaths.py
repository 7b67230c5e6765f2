from __future__ import annotations

from typing import Any

import pytest

from portway.krm import jsonpaths

OBJECT = {
    "metadata": {"labels": {"app.kubernetes.io/name": "web", "a": "b"}},
    "spec": {"list": [1, 2, 3], "hosts": [{"name": "x", "n": 1}, {"name": "y", "n": 2}], "zero": 0, "no": False},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True"},
            {"type": "Synced", "status": "False"},
        ]
    },
}


@pytest.mark.parametrize(
    ("path", "results"),
    [
        (".spec.list", [[1, 2, 3]]),
        ("{.spec.list[0]}", [1]),
        ("$.spec.list[-1]", [3]),
        ("spec.list[1:]", [2, 3]),
        (".spec.list[0,2]", [1, 3]),
        (".spec.list[9]", []),
        (".spec.list[*]", [1, 2, 3]),
        (".spec.hosts[*].name", ["x", "y"]),
        (".spec.missing.deeper", []),
        (".spec.list.name", []),
        (r".metadata.labels.app\.kubernetes\.io/name", ["web"]),
        (".metadata.labels['app.kubernetes.io/name']", ["web"]),
        ('.metadata.labels["a"]', ["b"]),
        (".metadata.labels['a','missing']", ["b"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type=='Synced')].status", ["False"]),
        ('.status.conditions[?(@.type == "None")].status', []),
        ('.status.conditions[?(@.type!="Ready")].type', ["Synced"]),
        (".spec.hosts[?(@.n>1)].name", ["y"]),
        (".spec.hosts[?(@.n<=1)].name", ["x"]),
        (".spec.hosts[?(@.name)].n", [1, 2]),
        (".spec.hosts[?(@.missing)].n", []),
        ("..name", ["x", "y"]),
        (".spec.hosts.*.n", [1, 2]),
        (".spec.zero", [0]),
        (".spec.no", [False]),
        (".", [OBJECT]),
    ],
)
def test_paths_lead_to_their_values(path: str, results: list[Any]) -> None:
    assert jsonpaths.evaluate(path, OBJECT) == results


@pytest.mark.parametrize("path", [".a[", ".a[?(@.b=c)]", ".a['b]", ".a b", ".a[::0]", ".a[?(@.b==c)]"])
def test_a_text_that_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(jsonpaths.BadPath):
        jsonpaths.parse(path)
