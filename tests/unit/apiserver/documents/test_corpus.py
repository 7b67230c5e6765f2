"""Every definition of the corpus becomes a served resource with documents."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from portway.apiserver.documents import discovery, openapi_v2, openapi_v3
from portway.krm.builtins import served_from_crd
from portway.krm.identity import GroupVersion, Manifest
from portway.krm.served import Served

ROOT = Path(__file__).resolve().parents[4]
CRDS = Path(os.environ.get("PORTWAY_CORPUS", ROOT.parent / "shared" / "corpus")) / "crds"


def definitions() -> Iterator[Manifest]:
    """CRDs of the served API version; the one of v1beta1 and the patch without names are not such."""
    for path in sorted(CRDS.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                spec = document.get("spec") or {}
                if (
                    document.get("apiVersion") == "apiextensions.k8s.io/v1"
                    and spec.get("names")
                    and spec.get("versions")
                ):
                    yield document


def served() -> list[Served]:
    return [served_from_crd(crd, v["name"]) for crd in definitions() for v in crd["spec"]["versions"] if v["served"]]


@pytest.mark.skipif(not CRDS.is_dir(), reason=f"no corpus at {CRDS}; set PORTWAY_CORPUS")
def test_every_definition_of_the_corpus_is_served_and_documented() -> None:
    resources = served()
    assert len(resources) > 20
    documented: dict[str, Any] = json.loads(openapi_v2.document(resources).body)["definitions"]
    for resource in resources:
        group_version = GroupVersion(resource.gvk.group, resource.gvk.version)
        schemas = json.loads(openapi_v3.document(resources, group_version).body)["components"]["schemas"]
        own = [
            s
            for s in schemas.values()
            if resource.gvk.kind in {k["kind"] for k in s.get("x-kubernetes-group-version-kind", ())}
        ]
        assert own, resource.gvk
        assert "metadata" in own[0]["properties"]
        listed = json.loads(discovery.api_resource_list(resources, group_version).body)["resources"]
        assert resource.plural in {r["name"] for r in listed}
    assert len(documented) > 2 * len(resources)
