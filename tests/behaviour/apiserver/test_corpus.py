"""Real CustomResourceDefinitions: every whole one is accepted strictly and published."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from portway.krm.decoding import documents

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KIND = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
CORPUS = Path(os.environ.get("PORTWAY_CORPUS") or Path(__file__).parents[4] / "shared" / "corpus") / "crds"


def _definitions() -> list[Any]:
    if not CORPUS.is_dir():
        return []
    found = []
    for path in sorted(CORPUS.glob("*.yaml")):
        for document in documents(path.read_text()):
            value = document.value
            if isinstance(value, dict) and (value.get("apiVersion"), value.get("kind")) == KIND:
                found.append(value)
    return found


async def test_every_definition_of_the_corpus_is_judged_rightly(api: Any) -> None:
    definitions = _definitions()
    if not definitions:
        pytest.skip(f"no corpus at {CORPUS}: set PORTWAY_CORPUS")
    for definition in definitions:
        whole = "scope" in definition["spec"]  # the others are patches of one
        answer = await api.call("POST", CRDS, definition, fieldValidation="Strict")
        assert answer.status_code == (201 if whole else 422), answer.text
    for path in ("/apis", "/openapi/v2", "/openapi/v3"):
        await api.get(path)
    for document in (await api.get("/openapi/v3"))["paths"].values():
        await api.get(document["serverRelativeURL"].partition("?")[0])
