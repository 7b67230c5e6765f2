"""Files to verdicts: real public files as the corpus index judges them, our own examples, and broken input."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from tests.corpus import ROOT, corpus

from portway.cli import validating
from portway.cli.validating import LARGEST_BYTES, Fault, Outcome, Verdict

EXAMPLES = ROOT / "examples" / "acme"
DECIDED = {
    # what the index leaves open
    "backstage__backstage__packages-catalog-model-examples-ai-resources-frontend-design-skill.yaml": Outcome.INVALID,
    "backstage__backstage__packages-catalog-model-examples-apis-backstage-mcp-server-api.yaml": Outcome.VALID,
    "MrGeTestOrga__thisIsARealRepository__catalog-info.yml": Outcome.INVALID,
    "Zaperex-Test-Org__test-repo-3__catalog-info.json": Outcome.VALID,  # read as YAML, as Backstage does
    # definitions, and Deployments, which are no kind here
    "syntasso__kratix-marketplace__argocd-application-internal-configure-pipeline-dependencies-cluster-install-with-"
    "namespace.yaml": Outcome.UNKNOWN,
    # a kind of another group: nothing is known about it without its CRD
    "khulnasoft__devtools__packages-catalog-model-examples-apis-petstore-api.yaml": Outcome.UNKNOWN,
}


def _check(*paths: Path) -> list[Verdict]:
    return list(validating.check(paths, io.TextIOWrapper(io.BytesIO())))


def _check_text(tmp_path: Path, text: str | bytes, name: str = "file.yaml") -> list[Verdict]:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return _check(file)


def _outcome(verdicts: list[Verdict]) -> Outcome:
    found = {verdict.outcome for verdict in verdicts}
    return next((each for each in (Outcome.INVALID, Outcome.UNKNOWN) if each in found), Outcome.VALID)


def _index(section: str) -> list[tuple[Path, str]]:
    """(file, what the index says) of one folder."""
    folder = corpus()
    text = (folder / "INDEX.md").read_text()
    text = text[text.index(f"\n## {section}\n") :].removeprefix("\n")
    rows = []
    for line in text.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)][1:-1]
        if len(cells) >= 6 and cells[0] not in ("file", "---"):
            rows.append((folder / section / cells[0], cells[5]))
    assert rows, f"the index has no section {section}"
    return rows


def _differing(rows: list[tuple[Path, Outcome]]) -> dict[str, str]:
    found = {}
    for file, expected in rows:
        verdicts = _check(file)
        outcome = _outcome(verdicts)
        if outcome is not DECIDED.get(file.name, expected):
            found[file.name] = f"{outcome}, expected {expected}: {[v.faults[:2] for v in verdicts if v.faults]}"
    return found


def _says_invalid(text: str) -> bool:
    return "INVALID" in text.replace("INVALID JSON", "")


def test_catalog_files_are_judged_as_the_index_says() -> None:
    rows = [(file, Outcome.INVALID if _says_invalid(text) else Outcome.VALID) for file, text in _index("catalog")]
    assert _differing(rows) == {}


def test_score_files_are_judged_as_the_index_says() -> None:
    rows = [
        (file, Outcome.INVALID if text.startswith(("INVALID", "not a Score file")) else Outcome.VALID)
        for file, text in _index("score")
    ]
    assert _differing(rows) == {}


def test_templates_are_valid_and_their_included_parts_are_no_documents() -> None:
    rows = [
        (file, Outcome.INVALID if text.startswith("bare mapping") else Outcome.VALID)
        for file, text in _index("templates")
    ]
    assert _differing(rows) == {}


def test_custom_resource_definitions_are_judged_as_the_index_says() -> None:
    rows = [
        (file, Outcome.INVALID if _says_invalid(text) else Outcome.VALID)
        for file, text in _index("crds")
        if re.match(r"[A-Za-z]+\.[a-z0-9.-]+ \[|PARTIAL", text)
    ]
    assert len(rows) > 15
    assert _differing(rows) == {}


def test_objects_are_checked_by_the_definitions_beside_them() -> None:
    folder = corpus() / "crds"
    rules = next(folder.glob("prometheus-operator__*prometheusrules.yaml"))
    example = next(folder.glob("prometheus-operator__*prometheus-example-rules.yaml"))
    assert _outcome(_check(example)) is Outcome.UNKNOWN
    assert _outcome(_check(example, rules)) is Outcome.VALID


def test_the_example_organisation_is_valid_and_skeletons_are_passed_over() -> None:
    verdicts = _check(EXAMPLES)
    assert {(v.file, v.faults) for v in verdicts if v.outcome is not Outcome.VALID} == set()
    assert {Path(v.file).name for v in verdicts} >= {"template.yaml", "10-people.yaml", "30-resource-types.yaml"}
    assert not any("skeleton" in v.file for v in verdicts)


def test_claims_are_checked_by_the_resource_types_beside_them(tmp_path: Path) -> None:
    claim = tmp_path / "claim.yaml"
    claim.write_text("apiVersion: resources.portway.dev/v1\nkind: Postgres\nmetadata: {name: a}\nspec:\n  sizes: 3\n")
    types = EXAMPLES / "workspaces" / "acme" / "30-resource-types.yaml"
    assert _outcome(_check(claim)) is Outcome.UNKNOWN
    verdict = _check(claim, types)[0]
    assert (verdict.outcome, verdict.faults) == (
        Outcome.INVALID,
        (Fault(5, "spec.sizes", "is no field of this kind"),),
    )


MANY = """\
apiVersion: score.dev/v1b1
metadata:
  name: orders
containers:
  main:
    image: .
    variables:
      PORT: 8080
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: orders
spec:
  type: service
  lifecycle: production
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  size: 3
---
kind: [
---
apiVersion: platform.portway.dev/v1alpha1
kind: Enviroment
metadata:
  name: staging
"""


def test_every_document_has_its_own_verdict_with_line_and_field(tmp_path: Path) -> None:
    verdicts = _check_text(tmp_path, MANY)
    assert [(v.what, v.outcome, [(f.line, f.field) for f in v.faults]) for v in verdicts] == [
        ("Score file orders", Outcome.INVALID, [(8, "containers.main.variables.PORT")]),
        ("Component orders", Outcome.INVALID, [(14, "spec.owner")]),
        ("ConfigMap settings", Outcome.INVALID, [(23, "data.size")]),
        ("document", Outcome.INVALID, [(26, "")]),
        ("Enviroment staging", Outcome.INVALID, [(28, "kind")]),
    ]
    assert verdicts[-1].faults[0].message.endswith("did you mean Environment of platform.portway.dev/v1alpha1?")


def _nested_aliases() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        ("", "holds no document", "empty"),
        ("# nothing\n---\n", "holds no document", "only comments"),
        (bytes(range(256)), "is no text file", "binary"),
        ("name: é".encode("latin-1"), "is not UTF-8 text (line 1, byte 6)", "another encoding"),
        (b"x" * (LARGEST_BYTES + 1), "is larger than 5 MB", "huge"),
        (_nested_aliases(), "once aliases are expanded", "a bomb of aliases"),
        ("[" * 100_000, "nested deeper than 200 levels", "deep"),
        ("- a\n- b\n", "is neither a Score file", "a list"),
        ("just text", "is neither a Score file", "a text"),
        ("name: orders\nowner: ada\n", "is neither a Score file", "some other mapping"),
        ("apiVersion: v1\nkind: ConfigMap\n", "is required", "no metadata"),
        ('{"kind": "x",', "expected", "JSON cut off"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(
    tmp_path: Path, text: str | bytes, said: str, reason: str
) -> None:
    [verdict] = _check_text(tmp_path, text)
    assert verdict.outcome is Outcome.INVALID, reason
    assert said in verdict.faults[0].message, reason


def test_a_missing_file_hurts_no_other(tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    missing, found = _check(tmp_path / "missing.yaml", good)
    assert missing.faults == (Fault(0, "", "cannot be read: No such file or directory"),)
    assert found.outcome is Outcome.VALID


def test_json_has_lines_and_repeated_keys_too(tmp_path: Path) -> None:
    head = '{\n\t"apiVersion": "v1", "kind": "ConfigMap",\n\t"metadata": {"name": "a"},'
    text = head + '\n\t"data":\n\t{"x": "1", "x": "2"}}'
    [verdict] = _check_text(tmp_path, text, "file.json")
    assert verdict.faults == (Fault(5, "data.x", "is given twice; expected once"),)


def test_the_objects_of_a_list_are_judged_one_by_one(tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: b}
  data: {x: 1}
"""
    good, bad = _check_text(tmp_path, text)
    assert (good.what, good.line, good.outcome) == ("ConfigMap a", 4, Outcome.VALID)
    assert (bad.what, bad.line, bad.faults[0].field) == ("ConfigMap b", 7, "items[1].data.x")


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        (
            "apiVersion: platform.portway.dev/v1alpha1\nkind: Workload\nmetadata: {name: a}\n"
            "spec: {score: {apiVersion: score.dev/v1b1, metadata: {name: orders}, containers: {}}}\n",
            "spec.score.containers",
            "expected",
        ),
        (
            "apiVersion: platform.portway.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: a}\nspec: {steps: 3}\n",
            "spec.steps",
            "list",
        ),
        (
            "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: a}\n"
            "spec: {type: service, steps: [{id: a}]}\n",
            "spec.steps[0].action",
            "is missing",
        ),
        (
            "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: a}\n"
            "spec: {type: service, steps: [], parameters: [{properties: {a: {type: nonsense}}}]}\n",
            "spec.parameters[0]",
            "is not a JSON Schema",
        ),
        (
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.example.org}\n"
            "spec: {group: example.org, scope: Cluster, names: {plural: as, kind: A}, versions: [{name: v1, "
            "served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {}}}}}]}\n",
            "spec.versions[0].schema.openAPIV3Schema.properties.spec.type",
            "must not be empty",
        ),
    ],
)
def test_rules_beyond_a_schema_are_checked(tmp_path: Path, text: str, field: str, said: str) -> None:
    [verdict] = _check_text(tmp_path, text)
    assert verdict.outcome is Outcome.INVALID
    assert verdict.faults[0].field == field
    assert said in verdict.faults[0].message


def test_an_action_that_is_not_built_in_is_only_remarked(tmp_path: Path) -> None:
    text = (
        "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: a}\n"
        "spec: {type: service, steps: [{id: a, action: publish:github}]}\n"
    )
    [verdict] = _check_text(tmp_path, text)
    assert verdict.outcome is Outcome.VALID
    assert verdict.remarks[0].field == "spec.steps[0].action"
