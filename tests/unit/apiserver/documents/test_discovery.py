import json
from typing import Any

import pytest

from portway.apiserver.documents import Document, discovery
from portway.krm.builtins import catalogue, served_from_crd
from portway.krm.errors import StatusError
from portway.krm.identity import GroupVersion

from .served import crd, tab

TAB = tab()


def read(document: Document) -> Any:
    return json.loads(document.body)


def test_the_aggregated_document_shows_a_resource_with_its_subresources() -> None:
    document = discovery.aggregated([TAB], core=False)
    kind = {"group": "stable.example.com", "version": "v1", "kind": "Tab"}
    assert document.media_type == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert read(document) == {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": "stable.example.com", "creationTimestamp": None},
                "versions": [
                    {
                        "version": "v1",
                        "freshness": "Current",
                        "resources": [
                            {
                                "resource": "tabs",
                                "responseKind": kind,
                                "scope": "Namespaced",
                                "singularResource": "tab",
                                "verbs": list(TAB.verbs),
                                "shortNames": ["ta"],
                                "categories": ["all"],
                                "subresources": [
                                    {
                                        "subresource": "status",
                                        "responseKind": kind,
                                        "verbs": ["get", "patch", "update"],
                                    }
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_the_older_aggregated_form_differs_in_its_version_only() -> None:
    old = discovery.aggregated([TAB], core=False, version="v2beta1")
    assert old.media_type.split(";")[2] == "v=v2beta1"
    assert read(old) == {
        **read(discovery.aggregated([TAB], core=False)),
        "apiVersion": "apidiscovery.k8s.io/v2beta1",
    }


def test_the_group_without_a_name_has_a_document_of_its_own() -> None:
    core = read(discovery.aggregated([*catalogue.KINDS, TAB], core=True))
    assert [i["metadata"].get("name", "") for i in core["items"]] == [""]
    assert core["items"][0]["versions"][0]["resources"][0]["resource"] == "configmaps"


def test_a_group_lists_its_versions_with_the_preferred_one_first() -> None:
    served = [served_from_crd(crd(versions=("v1beta1", "v1")), version) for version in ("v1beta1", "v1")]
    v1 = {"groupVersion": "stable.example.com/v1", "version": "v1"}
    beta = {"groupVersion": "stable.example.com/v1beta1", "version": "v1beta1"}
    group = {"name": "stable.example.com", "versions": [v1, beta], "preferredVersion": v1}
    assert read(discovery.api_group(served, "stable.example.com")) == {"kind": "APIGroup", "apiVersion": "v1", **group}
    assert read(discovery.api_group_list(served)) == {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}


def test_the_resource_list_of_a_version_shows_resources_and_subresources() -> None:
    listed = read(discovery.api_resource_list([TAB], GroupVersion("stable.example.com", "v1")))
    assert listed["resources"] == [
        {
            "name": "tabs",
            "singularName": "tab",
            "namespaced": True,
            "kind": "Tab",
            "verbs": list(TAB.verbs),
            "shortNames": ["ta"],
            "categories": ["all"],
            "storageVersionHash": discovery.storage_version_hash(TAB),
        },
        {
            "name": "tabs/status",
            "singularName": "",
            "namespaced": True,
            "kind": "Tab",
            "verbs": ["get", "patch", "update"],
        },
    ]


def test_the_token_subresource_names_the_group_of_its_kind() -> None:
    listed = read(discovery.api_resource_list(catalogue.KINDS, GroupVersion("", "v1")))
    token = next(r for r in listed["resources"] if r["name"] == "serviceaccounts/token")
    assert (token["group"], token["version"], token["kind"]) == ("authentication.k8s.io", "v1", "TokenRequest")


@pytest.mark.parametrize(
    "ask", [lambda: discovery.api_group([TAB], "x"), lambda: discovery.api_resource_list([], GroupVersion("x", "v1"))]
)
def test_what_is_not_served_is_not_found(ask: Any) -> None:
    with pytest.raises(StatusError) as missing:
        ask()
    assert missing.value.code == 404


def test_the_etag_changes_with_the_content_only() -> None:
    same = discovery.aggregated([tab()], core=False)
    assert same.etag == discovery.aggregated([TAB], core=False).etag
    assert same.etag != discovery.aggregated([TAB, tab(kind="Window")], core=False).etag
