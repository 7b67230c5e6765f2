from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import ryaml

from portway.portal.forms import building, checking, decoding, schemas
from portway.portal.forms.fields import Field, FieldKind, Option
from portway.portal.rendering import Templates

CORPUS = Path(os.environ.get("PORTWAY_CORPUS", Path(__file__).parents[3].parent / "shared" / "corpus")) / "templates"


class NoChoices:
    def entities(self, picker: str, options: Mapping[str, Any]) -> list[Option]:
        return [Option("group:default/payments", "Payments")]

    def owners(self) -> list[Option]:
        return []


PLAIN = building.Build(NoChoices(), {})


def one(schema: dict[str, Any], value: Any = None) -> Field:
    data = {} if value is None else {"x": value}
    (field,) = building.build({"properties": {"x": schema}}, data, PLAIN)
    return field


@pytest.mark.parametrize(
    ("schema", "kind", "name"),
    [
        pytest.param({"type": "string"}, FieldKind.TEXT, "s:/x", id="text"),
        pytest.param({}, FieldKind.TEXT, "s:/x", id="no type at all"),
        pytest.param({"type": ["string", "null"]}, FieldKind.TEXT, "s:/x", id="nullable"),
        pytest.param({"type": "string", "ui:widget": "textarea"}, FieldKind.TEXTAREA, "s:/x", id="long text"),
        pytest.param({"type": "string", "ui:widget": "password"}, FieldKind.PASSWORD, "s:/x", id="password"),
        pytest.param({"type": "string", "ui:field": "Secret"}, FieldKind.PASSWORD, "s:/x", id="secret"),
        pytest.param({"type": "integer"}, FieldKind.NUMBER, "n:/x", id="integer"),
        pytest.param({"type": "boolean"}, FieldKind.BOOLEAN, "b:/x", id="boolean"),
        pytest.param({"type": "boolean", "ui:widget": "radio"}, FieldKind.RADIO, "e:/x", id="yes or no"),
        pytest.param({"enum": ["a", "b"]}, FieldKind.SELECT, "e:/x", id="choice"),
        pytest.param({"enum": [1, 2], "ui:widget": "radio"}, FieldKind.RADIO, "e:/x", id="radio of numbers"),
        pytest.param({"oneOf": [{"const": 1, "title": "One"}]}, FieldKind.SELECT, "e:/x", id="titled choices"),
        pytest.param({"type": "array", "items": {"type": "string"}}, FieldKind.LIST, "l:/x", id="list"),
        pytest.param({"type": "array", "items": {"enum": ["a"]}}, FieldKind.CHECKBOXES, "m:/x", id="several of"),
        pytest.param({"type": "array"}, FieldKind.YAML, "y:/x", id="list of anything"),
        pytest.param({"type": "object"}, FieldKind.YAML, "y:/x", id="object of anything"),
        pytest.param({"properties": {"y": {}}}, FieldKind.OBJECT, "", id="object"),
        pytest.param({"type": "null", "description": "read me"}, FieldKind.NOTE, "", id="note"),
        pytest.param({"ui:field": "OwnerPicker"}, FieldKind.SELECT, "e:/x", id="owner"),
        pytest.param({"ui:field": "EntityTagsPicker", "type": "array"}, FieldKind.TAGS, "t:/x", id="tags"),
        pytest.param({"ui:field": "RepoUrlPicker"}, FieldKind.REPOSITORY, "", id="repository"),
        pytest.param({"type": "string", "ui:field": "SomebodysPicker"}, FieldKind.TEXT, "s:/x", id="unknown picker"),
    ],
)
def test_each_schema_has_its_field(schema: dict[str, Any], kind: FieldKind, name: str) -> None:
    field = one(schema)
    assert (field.kind, field.name) == (kind, name)


def test_labels_are_titles_or_readable_names() -> None:
    schema = {"properties": {"component_id": {}, "repoUrl": {}, "x": {"title": "An X"}}}
    assert [field.label for field in building.build(schema, {}, PLAIN)] == ["Component id", "Repo url", "An X"]


def test_the_order_that_is_asked_for_is_kept() -> None:
    schema = {"properties": {"a": {}, "b": {}, "c": {}}, "ui:order": ["c", "*", "a"]}
    assert [field.path[0] for field in building.build(schema, {}, PLAIN)] == ["c", "b", "a"]


DEPENDENT = {
    "properties": {"database": {"type": "boolean"}},
    "dependencies": {
        "database": {
            "oneOf": [
                {"properties": {"database": {"const": False}}},
                {"properties": {"database": {"const": True}, "size": {"enum": ["s", "l"]}}, "required": ["size"]},
            ]
        }
    },
}
CONDITIONAL = {
    "properties": {"cloud": {"enum": ["aws", "gcp"]}},
    "allOf": [
        {
            "if": {"properties": {"cloud": {"const": "aws"}}, "required": ["cloud"]},
            "then": {"properties": {"region": {}}},
        },
        {"if": {"properties": {"cloud": {"const": "gcp"}}, "required": ["cloud"]}, "then": {"required": ["cloud"]}},
    ],
}


@pytest.mark.parametrize(
    ("schema", "data", "names", "required"),
    [
        pytest.param(DEPENDENT, {}, ["database"], [], id="the condition was not answered"),
        pytest.param(DEPENDENT, {"database": False}, ["database"], [], id="the other branch"),
        pytest.param(DEPENDENT, {"database": True}, ["database", "size"], ["size"], id="the branch that holds"),
        pytest.param(CONDITIONAL, {"cloud": "aws"}, ["cloud", "region"], [], id="if and then"),
        pytest.param(CONDITIONAL, {"cloud": "gcp"}, ["cloud"], ["cloud"], id="another then"),
        pytest.param(
            {"properties": {"a": {}, "b": {}}, "dependencies": {"a": ["b"]}}, {"a": "1"}, ["a", "b"], ["b"], id="needs"
        ),
        pytest.param(
            {"oneOf": [{"properties": {"k": {"const": 1}}}, {"properties": {"k": {"const": 2}, "z": {}}}]},
            {"k": 2},
            ["k", "z"],
            [],
            id="one of, by its constant",
        ),
    ],
)
def test_conditions_are_resolved(
    schema: dict[str, Any], data: dict[str, Any], names: list[str], required: list[str]
) -> None:
    resolved = schemas.resolve(schema, data)
    assert (list(resolved["properties"]), resolved["required"]) == (names, required)


def test_a_form_reads_back_what_it_shows() -> None:
    pairs = [
        ("s:/name", "orders"),
        ("s:/empty", ""),
        ("n:/replicas", "3"),
        ("n:/ratio", "0.5"),
        ("b:/public", "false"),
        ("b:/public", "true"),
        ("b:/paid", "false"),
        ("e:/size", '"large"'),
        ("e:/level", "2"),
        ("m:/days", ""),
        ("m:/days", '"mon"'),
        ("m:/days", '"tue"'),
        ("t:/tags", "a, b,"),
        ("l:/ports", ""),
        ("s:/ports/0/name", "web"),
        ("n:/ports/0/port", "80"),
        ("y:/extra", "a: [1, 2]"),
        ("r:/repo/host", '"github.com"'),
        ("r:/repo/owner", "acme"),
        ("r:/repo/repo", "orders"),
        ("s:/nested/deep/er", "x"),
        ("_go", "next"),
    ]
    assert decoding.decode(pairs) == {
        "name": "orders",
        "replicas": 3,
        "ratio": 0.5,
        "public": True,
        "paid": False,
        "size": "large",
        "level": 2,
        "days": ["mon", "tue"],
        "tags": ["a", "b"],
        "ports": [{"name": "web", "port": 80}],
        "extra": {"a": [1, 2]},
        "repo": "github.com?repo=orders&owner=acme",
        "nested": {"deep": {"er": "x"}},
    }


def test_hostile_names_of_inputs_do_no_harm() -> None:
    deep = "s:" + "/a" * 5000
    found = decoding.decode(
        [(deep[:400], "x"), ("l:/l", ""), ("s:/l/999999", "x"), ("q:/x", "y"), ("s:x", "y"), ("n:/n", "1e999")]
    )
    assert found["l"] == []
    assert found["n"] == "1e999"


NAME_RULE = "Use letters and digits, with single - _ or . between them; at most 63 characters."


@pytest.mark.parametrize(
    ("schema", "data", "errors"),
    [
        ({"required": ["a"], "properties": {"a": {"title": "A thing"}}}, {}, {("a",): "A thing is needed."}),
        ({"properties": {"a": {"maxLength": 2}}}, {"a": "abc"}, {("a",): "At most 2 characters are allowed."}),
        ({"properties": {"a": {"enum": ["x", "y"]}}}, {"a": "z"}, {("a",): "Choose one of: x, y."}),
        ({"properties": {"a": {"type": "integer", "minimum": 1}}}, {"a": 0}, {("a",): "The least is 1."}),
        ({"properties": {"a": {"type": "integer"}}}, {"a": "x"}, {("a",): "Expected integer, found text."}),
        (
            {"properties": {"a": {"type": "array", "items": {"type": "string", "pattern": "^a"}}}},
            {"a": ["ab", "b", ""]},
            {("a", 1): "This does not have the form that is asked for: ^a", ("a", 2): "Fill this in or remove it."},
        ),
        (DEPENDENT, {"database": True}, {("size",): "size is needed."}),
        ({"properties": {"a": {"ui:field": "EntityNamePicker"}}}, {"a": "a b"}, {("a",): NAME_RULE}),
        ({"properties": {"a": {"type": "string", "pattern": "("}}}, {"a": "x"}, None),
    ],
)  # fmt: skip
def test_errors_are_sentences_at_their_fields(schema: dict[str, Any], data: dict[str, Any], errors: Any) -> None:
    found = checking.check(schema, data)
    if errors is None:
        assert "schema is not valid" in found[checking.WHOLE]
    else:
        assert found == errors


def _templates() -> list[Path]:
    return sorted(CORPUS.glob("*.yaml")) if CORPUS.is_dir() else []


@pytest.mark.skipif(not _templates(), reason=f"no corpus of templates at {CORPUS} (set PORTWAY_CORPUS)")
@pytest.mark.parametrize("path", _templates(), ids=lambda path: path.stem[:80])
def test_every_valid_template_of_the_corpus_yields_a_form(path: Path) -> None:
    manifest = ryaml.loads(path.read_text())  # type: ignore[attr-defined]
    if not isinstance(manifest, dict) or manifest.get("kind") != "Template":
        pytest.skip("a part that a template includes")
    parameters = manifest["spec"].get("parameters") or []
    macro = Templates()._environment.get_template("form_fields.html")
    for page in parameters if isinstance(parameters, list) else [parameters]:
        data = schemas.with_defaults(page, {})
        fields = building.build(page, data, PLAIN)
        module: Any = macro.module
        html = "".join(str(module.field(field)) for field in fields)
        assert [field.path[0] for field in fields] == [
            name for name in schemas.resolve(page, data)["properties"] if name in {f.path[0] for f in fields}
        ]
        assert all(
            field.id in html or field.kind is FieldKind.NOTE
            for field in fields
            if field.kind is not FieldKind.REPOSITORY
        )
        assert "schema is not valid" not in str(checking.check(page, data))
        missing = [name for name in schemas.listing(page.get("required")) if name not in data]
        assert {path[-1] for path in checking.check(page, data)} >= set(missing)
