"""History and undelete by kubectl's raw requests."""

from __future__ import annotations

import json
from typing import Any


def test_kubectl_reads_the_history_of_an_object_and_brings_it_back(kubectl: Any) -> None:
    path = f"/clusters/{kubectl.workspace}/api/v1/namespaces/default/configmaps/settings"
    kubectl("create", "configmap", "settings", "--from-literal", "colour=blue")
    kubectl("patch", "configmap", "settings", "-p", '{"data":{"colour":"red"}}')
    kubectl("delete", "configmap", "settings")
    items = json.loads(kubectl("get", "--raw", f"{path}/history"))["items"]
    assert [(item["action"], item["user"]) for item in items] == [
        ("Created", "admin"),
        ("Changed", "admin"),
        ("Deleted", "admin"),
    ]
    assert items[1]["changes"] == [{"path": "data.colour", "was": "blue", "now": "red"}]
    assert items[1]["managers"] == ["kubectl-patch"]
    kubectl("create", "--raw", f"{path}/undelete", "-f", "/dev/null")
    assert kubectl.json("get", "configmap", "settings")["data"] == {"colour": "red"}
