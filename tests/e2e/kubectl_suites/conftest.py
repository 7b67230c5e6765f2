"""The suites of upstream's test/cmd, on kinds that Portway serves; fixtures as for the API server's tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.e2e.apiserver.conftest import Kubectl, kubeconfig, kubectl, root, server

__all__ = ["Kubectl", "kubeconfig", "kubectl", "root", "server"]

WIDGETS = "widgets.shop.example.org"


@pytest.fixture
def widgets(kubectl: Kubectl) -> Kubectl:
    """A workspace with a custom kind that has status, scale, columns and categories."""
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "description": "What the widget is to be.",
                "properties": {
                    "replicas": {"type": "integer", "description": "How many.", "minimum": 0},
                    "colour": {"type": "string", "default": "grey"},
                    "parts": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                    },
                },
            },
            "status": {
                "type": "object",
                "properties": {
                    "replicas": {"type": "integer"},
                    "phase": {"type": "string"},
                    "conditions": {
                        "type": "array",
                        "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                },
            },
        },
    }
    columns = [
        {"name": "Colour", "type": "string", "jsonPath": ".spec.colour"},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
    ]
    version: dict[str, Any] = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": columns,
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
    }
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"], "categories": ["all"]}
    manifest = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": WIDGETS},
        "spec": {"group": "shop.example.org", "scope": "Namespaced", "names": names, "versions": [version]},
    }
    kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    kubectl("wait", "--for=condition=Established", f"crd/{WIDGETS}", "--timeout=30s")
    return kubectl


def widget(name: str, **spec: Any) -> str:
    return json.dumps({"apiVersion": "shop.example.org/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})


def config(name: str, labels: dict[str, str] | None = None, **data: str) -> str:
    metadata: dict[str, Any] = {"name": name, **({"labels": labels} if labels else {})}
    return json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **({"data": data} if data else {})}
    )
