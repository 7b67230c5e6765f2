"""Real public files: everything that is YAML is read, and every real CRD is structural."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.corpus import corpus

from portway.krm import decoding
from portway.krm.apply import atoms
from portway.krm.schemas import defaulting, pruning, structural, validating

FULL_ROUND_TRIP = "nameValue"
"""The version name in upstream's generated fixture that fills every field of a CRD, forbidden ones too."""


def files() -> Iterator[tuple[Path, list[decoding.Document]]]:
    for path in sorted(corpus().rglob("*.y*ml")):
        yield path, decoding.documents(path.read_text())


def test_only_files_marked_invalid_cannot_be_read() -> None:
    index = {line.split(" | ")[0].strip("| "): line for line in (corpus() / "INDEX.md").read_text().splitlines()}
    unread = {path.name for path, documents in files() for document in documents if document.error}
    assert {name for name in unread if "INVALID" not in index.get(name, "")} == set()


def test_every_top_level_field_is_found_on_the_line_it_stands_on() -> None:
    for path, documents in files():
        lines = path.read_text().removeprefix("\ufeff").splitlines()
        for document in documents:
            for key in document.value if isinstance(document.value, dict) else ():
                assert str(key) in lines[document.locate([key]) - 1], f"{path.name}: {key}"


def test_schemas_of_real_crds_are_structural_and_compile() -> None:
    seen = 0
    for path, documents in files():
        for document in documents:
            if not isinstance(document.value, dict) or document.value.get("kind") != "CustomResourceDefinition":
                continue
            for version in document.value["spec"].get("versions") or ():
                schema = (version.get("schema") or {}).get("openAPIV3Schema")
                if not schema or version["name"] == FULL_ROUND_TRIP:
                    continue
                seen += 1
                assert structural.check(schema) == (), path.name
                manifest = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"unheard-of": 1}}
                pruning.prune(schema, manifest)
                defaulting.default(schema, manifest)
                validating.validate(schema, manifest)
                atoms.of(schema)
    assert seen > 20
