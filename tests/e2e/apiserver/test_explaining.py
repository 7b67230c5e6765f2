"""kubectl reads the published documents: OpenAPI v3 for most, v2 as protobuf for its old output."""

from typing import Any

from portway.krm.builtins import catalogue


def test_every_built_in_kind_explains_itself_to_the_last_field(kubectl: Any) -> None:
    for served in catalogue.KINDS:
        explained = kubectl("explain", served.plural, "--recursive", f"--api-version={served.gvk.api_version}")
        assert f"KIND:       {served.gvk.kind}\n" in explained
        assert "metadata\t<ObjectMeta>" in explained


def test_a_field_is_explained_by_its_own_words_and_its_types(kubectl: Any) -> None:
    explained = kubectl("explain", "workspace.spec.type")
    assert "FIELD: type <WorkspaceTypeReference>" in explained
    assert "What kind of workspace" in explained
    assert "name\t<string> -required-" in explained


def test_the_old_output_comes_from_the_protobuf_form(kubectl: Any) -> None:
    explained = kubectl("explain", "quota.spec", "--output", "plaintext-openapiv2")
    assert "RESOURCE: spec <Object>" in explained
    assert "hard\t<map[string]string>" in explained


def test_short_names_and_categories_are_known(kubectl: Any) -> None:
    listed = kubectl("api-resources", "--categories=kcp", "-o", "name").split()
    assert set(listed) == {s.plural + "." + s.gvk.group for s in catalogue.KINDS if "kcp" in s.categories}
    assert "default" in kubectl("get", "ns")
