from typing import Any

import pytest

from portway.krm.builtins import definitions, served_from_api_resource_schema, served_from_crd
from portway.krm.errors import StatusError
from portway.krm.identity import GroupVersionKind
from portway.krm.served import Column, Served, Subresource

NAMES = {"plural": "tabs", "kind": "Tab", "shortNames": ["tb"], "categories": ["all"]}
SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}},
    },
}
VERSION = {
    "name": "v1",
    "served": True,
    "storage": False,
    "subresources": {"status": {}, "scale": SCALE},
    "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1}],
    "selectableFields": [{"jsonPath": ".spec.color"}],
}
OLD = {"name": "v1beta1", "served": True, "storage": True, "schema": {}}
CRD: dict[str, Any] = {
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "tabs.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": NAMES,
        "versions": [{**VERSION, "schema": {"openAPIV3Schema": SCHEMA}}, OLD],
    },
}


def expected(served: Served) -> Served:
    return Served(
        gvk=GroupVersionKind("example.com", "v1", "Tab"),
        plural="tabs",
        singular="tab",
        namespaced=True,
        schema=served.schema,
        list_kind="TabList",
        short_names=("tb",),
        categories=("all",),
        subresources=(
            Subresource("status"),
            Subresource("scale", kind=GroupVersionKind("autoscaling", "v1", "Scale")),
        ),
        columns=(Column("Size", ".spec.size", "integer", priority=1),),
        selectable_fields=("spec.color",),
        storage_version="v1beta1",
        custom=True,
        scale=SCALE,
    )


def test_a_definition_is_served_as_it_says() -> None:
    served = served_from_crd(CRD, "v1")
    assert served == expected(served)


def test_an_exported_schema_is_served_as_it_says() -> None:
    spec = {**CRD["spec"], "versions": [{**VERSION, "schema": SCHEMA}, OLD]}
    served = served_from_api_resource_schema({"kind": "APIResourceSchema", "spec": spec}, "v1")
    assert served == expected(served)


def test_an_exported_schema_of_group_core_is_of_the_group_without_a_name() -> None:
    spec = {**CRD["spec"], "group": "core", "versions": [{**VERSION, "schema": SCHEMA}]}
    served = served_from_api_resource_schema({"spec": spec}, "v1")
    assert served.gvk == GroupVersionKind("", "v1", "Tab")


def test_the_schema_gets_type_fields_and_metadata_and_keeps_restrictions_of_the_name() -> None:
    properties = served_from_crd(CRD, "v1").schema["properties"]
    metadata = properties["metadata"]["properties"]
    assert list(properties) == ["apiVersion", "kind", "metadata", "spec"]
    assert metadata["name"]["maxLength"] == 5
    assert metadata["labels"] == definitions.inlined(definitions.OBJECT_META)["properties"]["labels"]


def test_a_definition_is_left_as_it_was() -> None:
    served_from_crd(CRD, "v1")
    assert list(SCHEMA["properties"]) == ["spec", "metadata"]


def test_a_version_without_schema_takes_anything() -> None:
    schema = served_from_crd(CRD, "v1beta1").schema
    assert schema["x-kubernetes-preserve-unknown-fields"] is True


def test_accepted_names_count_more_than_wanted_ones() -> None:
    accepted = {"plural": "tabs", "singular": "tab", "kind": "Tab", "listKind": "TabList"}
    served = served_from_crd({**CRD, "status": {"acceptedNames": accepted}}, "v1")
    assert served.short_names == ()


def test_a_version_that_is_not_there_is_not_found() -> None:
    with pytest.raises(StatusError) as missing:
        served_from_crd(CRD, "v2")
    assert (missing.value.code, missing.value.message) == (
        404,
        'CustomResourceDefinition "tabs.example.com" has no version "v2"',
    )


OWN_WORDS = "tabs of this kind go at the end of the year"


@pytest.mark.parametrize(
    ("versions", "told", "reason"),
    [
        ([{"name": "v1"}], "", "a version that is not deprecated warns of nothing"),
        ([{"name": "v1", "deprecated": True}], "example.com/v1 Tab is deprecated", "there is no other"),
        (
            [{"name": "v1", "deprecated": True, "deprecationWarning": OWN_WORDS}, {"name": "v2"}],
            OWN_WORDS,
            "the definition has words of its own",
        ),
        (
            [{"name": "v1beta1", "deprecated": True}, {"name": "v1beta2"}, {"name": "v1"}, {"name": "v1alpha1"}],
            "example.com/v1beta1 Tab is deprecated; use example.com/v1 Tab",
            "the newest is named",
        ),
        (
            [{"name": "v1", "deprecated": True}, {"name": "v1beta1"}, {"name": "v2", "served": False}],
            "example.com/v1 Tab is deprecated",
            "an older version and one that is not served are no way out",
        ),
        (
            [{"name": "v1", "deprecated": True}, {"name": "v2", "deprecated": True}],
            "example.com/v1 Tab is deprecated",
            "nor is one that is deprecated too",
        ),
    ],
)
def test_a_deprecated_version_says_so(versions: list[dict[str, Any]], told: str, reason: str) -> None:
    all_versions = [{"served": True, "storage": False, "schema": {}, **version} for version in versions]
    crd = {**CRD, "spec": {**CRD["spec"], "versions": all_versions}}
    schema = {"kind": "APIResourceSchema", "metadata": {"name": "v1.tabs.example.com"}, "spec": crd["spec"]}
    name = versions[0]["name"]
    assert served_from_crd(crd, name).deprecation == told, reason
    assert served_from_api_resource_schema(schema, name).deprecation == told, reason
