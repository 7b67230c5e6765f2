"""Exports and bindings in two versions: whatever one of them can say survives the way through the other."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portway.apiserver import exportforms

OLD, CURRENT = exportforms.OLD, exportforms.CURRENT
CRD: dict[str, Any] = {"crd": {}}
VIRTUAL = {"virtual": {"reference": {"kind": "Slice", "name": "s"}, "identityHash": "abc"}}

selectors = st.sampled_from(
    [
        {"matchAll": True},
        {"matchLabels": {"for": "shop"}},
        {"matchExpressions": [{"key": "for", "operator": "In", "values": ["a", "b"]}]},
    ]
)
verbs = st.sampled_from([["*"], ["get", "list"], ["get", "create", "*"]])
abouts = st.sampled_from(
    [
        {"group": "", "resource": "secrets", "identityHash": ""},
        {"group": "", "resource": "pods", "identityHash": ""},
        {"group": "a.b", "resource": "c", "identityHash": "abc"},
    ]
)


def _unique(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*{exportforms.about(claim): claim for claim in claims}.values()]


asks = st.lists(st.builds(lambda about, verbs: {**about, "verbs": verbs}, abouts, verbs), min_size=1).map(_unique)
answers = st.lists(
    st.builds(
        lambda about, verbs, selector, state: {**about, "verbs": verbs, "selector": selector, "state": state},
        abouts,
        verbs,
        selectors,
        st.sampled_from(["Accepted", "Rejected"]),
    ),
    min_size=1,
).map(_unique)


def _export(version: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": "APIExport", "metadata": {"name": "e"}, "spec": spec}


def _binding(version: str, **spec: Any) -> dict[str, Any]:
    reference = {"export": {"path": "root", "name": "e"}}
    spec = {"reference": reference, **spec}
    return {"apiVersion": version, "kind": "APIBinding", "metadata": {"name": "b"}, "spec": spec}


def _there_and_back(manifest: dict[str, Any]) -> dict[str, Any]:
    version = manifest["apiVersion"]
    return exportforms.convert(exportforms.convert(manifest, OLD if version == CURRENT else CURRENT), version)


def _as_an_old_client_keeps_it(manifest: dict[str, Any]) -> dict[str, Any]:
    """What kcp's own v1alpha1 has no fields for is dropped."""
    lowered = exportforms.convert(manifest, OLD)
    claims = [
        {name: value for name, value in claim.items() if name not in ("verbs", "selector", "defaultSelector")}
        for claim in lowered["spec"].get("permissionClaims") or ()
    ]
    return exportforms.convert({**lowered, "spec": {**lowered["spec"], "permissionClaims": claims}}, CURRENT)


@given(asks, st.booleans())
def test_an_export_survives_the_old_version(claims: list[dict[str, Any]], virtual: bool) -> None:
    resources = [{"name": "c", "group": "a.b", "schema": "v1.c.a.b", "storage": CRD}]
    if virtual:
        resources.append({"name": "d", "group": "", "schema": "v1.d.core", "storage": VIRTUAL})
    export = _export(CURRENT, resources=resources, permissionClaims=claims)
    assert _there_and_back(export) == export
    assert _as_an_old_client_keeps_it(export) == export


@given(answers)
def test_a_binding_survives_the_old_version(claims: list[dict[str, Any]]) -> None:
    binding = _binding(CURRENT, permissionClaims=claims)
    assert _there_and_back(binding) == binding
    assert _as_an_old_client_keeps_it(binding) == binding


@pytest.mark.parametrize(
    ("reason", "manifest"),
    [
        ("nothing in it", {"apiVersion": OLD, "kind": "APIExport", "metadata": {"name": "e"}}),
        ("schemas", _export(OLD, latestResourceSchemas=["v1.c.a.b", "v2.d.core"])),
        ("a claim on all", _export(OLD, permissionClaims=[{"group": "", "resource": "secrets", "all": True}])),
        ("a binding", _binding(OLD)),
        (
            "an answer",
            _binding(OLD, permissionClaims=[{"group": "", "resource": "secrets", "all": True, "state": "Accepted"}]),
        ),
        (
            "an answer for objects by name",
            _binding(
                OLD,
                permissionClaims=[
                    {
                        "group": "",
                        "resource": "secrets",
                        "state": "Accepted",
                        "resourceSelector": [{"name": "a", "namespace": "b"}],
                    }
                ],
            ),
        ),
    ],
)
def test_what_the_old_version_says_survives_the_new_one(reason: str, manifest: dict[str, Any]) -> None:
    assert _there_and_back(manifest) == manifest, reason


def test_the_old_version_becomes_the_new_one() -> None:
    claim = {"group": "", "resource": "secrets", "resourceSelector": [{"name": "a"}], "state": "Accepted"}
    asked = {"group": "", "resource": "secrets", "all": True}
    export = exportforms.current(
        _export(OLD, latestResourceSchemas=["v1.c.a.b", "v2.d.core"], permissionClaims=[asked])
    )
    assert export["spec"] == {
        "resources": [
            {"name": "c", "group": "a.b", "schema": "v1.c.a.b", "storage": CRD},
            {"name": "d", "group": "", "schema": "v2.d.core", "storage": CRD},
        ],
        "permissionClaims": [{"group": "", "resource": "secrets", "identityHash": "", "verbs": ["*"]}],
    }
    binding = exportforms.current(_binding(OLD, permissionClaims=[claim]))
    assert binding["spec"]["permissionClaims"] == [
        {
            "group": "",
            "resource": "secrets",
            "identityHash": "",
            "verbs": ["*"],
            "selector": {"matchAll": True},
            "state": "Accepted",
        }
    ]
    kept = orjson.loads(binding["metadata"]["annotations"]["apis.v1alpha2.kcp.io/v1alpha1-permission-claims"])
    assert kept == [{"resource": "secrets", "resourceSelector": [{"name": "a"}], "state": "Accepted"}]


def test_fields_count_before_the_annotation() -> None:
    narrow = {"resource": "secrets", "verbs": ["get"], "selector": {"matchAll": True}, "state": "Accepted"}
    lowered = exportforms.convert(_binding(CURRENT, permissionClaims=[narrow]), OLD)
    lowered["spec"]["permissionClaims"][0]["verbs"] = ["get", "list"]
    [claim] = exportforms.current(lowered)["spec"]["permissionClaims"]
    assert claim["verbs"] == ["get", "list"]


@pytest.mark.parametrize("text", ["{", "7", "[7]", '[{"resource":7}]', '[{"resource":"secrets","verbs":"get"}]'])
def test_what_somebody_else_wrote_into_an_annotation_says_nothing(text: str) -> None:
    for annotation in (exportforms.ANSWERED_ANNOTATION, exportforms.NAMED_ANNOTATION):
        claim = {"resource": "secrets", "all": True, "state": "Accepted"}
        binding = _binding(OLD, permissionClaims=[claim])
        binding["metadata"] = {"name": "b", "annotations": {annotation: text}}
        [raised] = exportforms.current(binding)["spec"]["permissionClaims"]
        assert (raised["verbs"], raised["selector"]) == (["*"], {"matchAll": True})
