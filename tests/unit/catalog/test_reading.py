"""Descriptor files of real repositories, judged as the corpus index says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.corpus import corpus

from portway.catalog import objects, reading

KNOWN_DIFFERENTLY = {
    # the index leaves these open; this is what we decided
    "backstage__backstage__packages-catalog-model-examples-ai-resources-frontend-design-skill.yaml": False,
    "backstage__backstage__packages-catalog-model-examples-apis-backstage-mcp-server-api.yaml": True,
    "MrGeTestOrga__thisIsARealRepository__catalog-info.yml": False,
    "Zaperex-Test-Org__test-repo-3__catalog-info.json": True,
}


def _verdicts() -> list[tuple[Path, bool]]:
    folder = corpus()
    index = (folder / "INDEX.md").read_text()
    section = index[index.index("## catalog") : index.index("## templates")]
    found = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)][1:-1]
        if len(cells) < 6 or cells[0] in ("file", "---"):
            continue
        found.append((folder / "catalog" / cells[0], KNOWN_DIFFERENTLY.get(cells[0], "INVALID" not in cells[5])))
    return found


def test_every_descriptor_file_of_the_corpus_gets_the_verdict_of_the_index() -> None:
    verdicts = _verdicts()
    assert len(verdicts) > 80
    wrong = {}
    for file, valid in verdicts:
        read = reading.read(file.read_text())
        faults = [str(fault) for descriptor in read for fault in descriptor.faults]
        if valid == bool(faults) or not read:
            wrong[file.name] = faults
    assert wrong == {}


def test_every_valid_document_of_the_corpus_survives_the_way_to_an_object_and_back() -> None:
    for file, _ in _verdicts():
        for descriptor in reading.read(file.read_text()):
            if descriptor.faults or descriptor.value is None or descriptor.value["kind"] == "Template":
                continue
            back = objects.to_descriptor(objects.to_object(descriptor.value))
            assert back["spec"] == (descriptor.value.get("spec") or {}), file.name
            for key, value in descriptor.value["metadata"].items():
                if value and key != "namespace":
                    assert back["metadata"][key] == value, f"{file.name}: {key}"


def test_a_bad_document_does_not_hurt_its_neighbours() -> None:
    text = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: a b}
spec: {type: service, lifecycle: production, owner: x}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: fine}
spec: {owner: x}
"""
    first, second = reading.read(text)
    assert [str(fault) for fault in first.faults] == [
        "line 3: metadata.name 'a b' is no name, expected 1 to 63 of A-Z, a-z, 0-9, separated by one of - _ ."
    ]
    assert second.is_valid


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("{type: service, lifecycle: production}", "line 4: spec.owner is required"),
        ("{type: 3, lifecycle: production, owner: x}", "line 4: spec.type expected text, found a number"),
        (
            "{type: a, lifecycle: b, owner: x, dependsOn: [thing]}",
            'line 4: spec.dependsOn "thing" is no entity reference, expected kind:namespace/name',
        ),
        ("{type: a, lifecycle: b, owner: x, providesApis: api}", "line 4: spec.providesApis expected a list of texts"),
    ],
)
def test_a_fault_names_line_and_field_and_what_was_expected(spec: str, fault: str) -> None:
    text = f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: a}}\nspec: {spec}\n"
    (descriptor,) = reading.read(text)
    assert [str(each) for each in descriptor.faults] == [fault]
