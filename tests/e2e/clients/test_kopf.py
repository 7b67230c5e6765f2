"""An operator written with kopf, running for real: it is told of everything once, and comes to rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.clients.conftest import Kubectl

_SECONDS = 60.0
_DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.shop.example.org"},
    "spec": {
        "group": "shop.example.org",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def notes(kubectl: Kubectl, tmp_path: Path) -> Iterator[Path]:
    """What the running operator noted."""
    kubectl("create", "-f", "-", stdin=json.dumps(_DEFINITION))
    kubectl("wait", "--for=condition=Established", "crd/widgets.shop.example.org", "--timeout=30s")
    path = tmp_path / "notes"
    path.touch()
    log = (tmp_path / "operator.log").open("w")
    operator = subprocess.Popen(
        [sys.executable, "-m", "kopf", "run", "--all-namespaces", str(Path(__file__).with_name("widget_operator.py"))],
        env={**os.environ, "KUBECONFIG": str(kubectl.kubeconfig), "NOTES": str(path)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        yield path
    finally:
        operator.terminate()
        operator.wait(30)
        log.close()


def until(true: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.1)


def test_an_operator_is_told_everything_once(kubectl: Kubectl, notes: Path, tmp_path: Path) -> None:
    log = tmp_path / "operator.log"

    def noted() -> list[list[str]]:
        return [json.loads(line) for line in notes.read_text().splitlines()]

    def widget() -> Any:
        return kubectl.json("get", "widget", "w")

    manifest = {"apiVersion": "shop.example.org/v1", "kind": "Widget", "metadata": {"name": "w"}}
    kubectl("create", "-f", "-", stdin=json.dumps({**manifest, "spec": {"colour": "red"}}))
    until(lambda: ["create", "w"] in noted(), log)
    until(lambda: (widget().get("status") or {}).get("created") == {"colour": "red"}, log)
    until(lambda: (widget().get("status") or {}).get("ticked") is True, log)
    assert widget()["metadata"]["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]

    kubectl("patch", "widget", "w", "--type=merge", "-p", '{"spec":{"colour":"blue"}}')
    until(lambda: (widget().get("status") or {}).get("colour") == "blue", log)
    assert noted() == [["create", "w"], ["update", "w"]]

    revision = widget()["metadata"]["resourceVersion"]
    time.sleep(2.0)  # several ticks: an operator that loops would have written by now
    assert widget()["metadata"]["resourceVersion"] == revision
    until(lambda: "Made" in kubectl("events", "--for=widget/w"), log)

    kubectl("delete", "widget", "w", "--timeout=30s")
    assert noted() == [["create", "w"], ["update", "w"], ["delete", "w"]]
