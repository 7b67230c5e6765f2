import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from portway.apiserver.documents import Document, openapi_v2, openapi_v3, operations
from portway.krm.builtins import catalogue
from portway.krm.errors import StatusError
from portway.krm.identity import GroupVersion
from portway.krm.served import Served

from .served import tab

EVERYTHING = (*catalogue.KINDS, tab())
TABS = GroupVersion("stable.example.com", "v1")
GROUP_VERSIONS = sorted({GroupVersion(s.gvk.group, s.gvk.version) for s in EVERYTHING})


def read(document: Document) -> Any:
    return json.loads(document.body)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def operations_of(document: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


@pytest.mark.parametrize("group_version", GROUP_VERSIONS, ids=str)
def test_every_reference_leads_to_a_schema_and_every_schema_is_needed(group_version: GroupVersion) -> None:
    document = read(openapi_v3.document(EVERYTHING, group_version))
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) - schemas == set()


def test_every_reference_of_the_older_document_leads_to_a_definition() -> None:
    document = read(openapi_v2.document(EVERYTHING))
    assert set(references(document)) - {f"#/definitions/{name}" for name in document["definitions"]} == set()


@pytest.mark.parametrize("served", EVERYTHING, ids=lambda s: str(s.gvk))
def test_each_verb_of_a_resource_has_its_operation(served: Served) -> None:
    document = read(openapi_v3.document(EVERYTHING, GroupVersion(served.gvk.group, served.gvk.version)))
    kind = {"group": served.gvk.group, "version": served.gvk.version, "kind": served.gvk.kind}
    found = {
        operation["x-kubernetes-action"]
        for path, _, operation in operations_of(document)
        if operation.get("x-kubernetes-group-version-kind") == kind and not path.endswith(("/status", "/finalize"))
    }
    words = {"create": "post", "update": "put", "watch": "list"}
    assert found == {words.get(verb, verb) for verb in served.verbs}


@pytest.mark.parametrize("group_version", GROUP_VERSIONS, ids=str)
def test_writes_take_the_parameter_that_kubectl_looks_for(group_version: GroupVersion) -> None:
    document = read(openapi_v3.document(EVERYTHING, group_version))
    without = [
        (method, path)
        for path, method, operation in operations_of(document)
        if method in ("post", "put", "patch") and "fieldValidation" not in {p["name"] for p in operation["parameters"]}
    ]
    assert without == []


def test_operation_ids_are_unique() -> None:
    ids = [o.id for served in EVERYTHING for o in operations.operations(served)]
    assert len(ids) == len(set(ids))


def test_operation_ids_are_upstreams() -> None:
    document = read(openapi_v3.document(EVERYTHING, GroupVersion("", "v1")))
    ids = {operation["operationId"] for _, _, operation in operations_of(document)}
    assert {
        "listCoreV1NamespacedConfigMap",
        "listCoreV1ConfigMapForAllNamespaces",
        "deleteCoreV1CollectionNamespacedConfigMap",
        "createCoreV1NamespacedServiceAccountToken",
        "replaceCoreV1NamespaceFinalize",
        "patchCoreV1NamespaceStatus",
    } <= ids


def test_a_custom_kind_is_published_under_its_reversed_group_with_real_metadata() -> None:
    schemas = read(openapi_v3.document(EVERYTHING, TABS))["components"]["schemas"]
    own = schemas["com.example.stable.v1.Tab"]
    assert own["x-kubernetes-group-version-kind"] == [{"group": "stable.example.com", "version": "v1", "kind": "Tab"}]
    assert own["properties"]["metadata"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    ]
    items = schemas["com.example.stable.v1.TabList"]["properties"]["items"]["items"]
    assert items == {"$ref": "#/components/schemas/com.example.stable.v1.Tab"}


def test_a_custom_kind_takes_no_strategic_merge_patch() -> None:
    path = "/apis/stable.example.com/v1/namespaces/{namespace}/tabs/{name}"
    patch = read(openapi_v3.document(EVERYTHING, TABS))["paths"][path]["patch"]
    assert set(patch["requestBody"]["content"]) == {
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
    }


def test_an_embedded_object_is_published_with_type_fields_and_metadata() -> None:
    template = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    served = tab(schema={"type": "object", "properties": {"template": template}})
    schemas = read(openapi_v3.document([served], TABS))["components"]["schemas"]
    published = schemas["com.example.stable.v1.Tab"]["properties"]["template"]
    assert set(published["properties"]) == {"apiVersion", "kind", "metadata"}
    assert published["required"] == ["kind", "apiVersion"]


def test_int_or_string_is_published_as_the_choice_it_is() -> None:
    spec = {"type": "object", "properties": {"port": {"x-kubernetes-int-or-string": True}}}
    served = tab(schema={"type": "object", "properties": {"spec": spec}})
    published = read(openapi_v3.document([served], TABS))["components"]["schemas"]["com.example.stable.v1.Tab"]
    assert published["properties"]["spec"]["properties"]["port"] == {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
    }


def test_the_older_document_leaves_open_what_it_cannot_say() -> None:
    spec = {
        "type": "object",
        "properties": {
            "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "note": {"type": "string", "nullable": True, "description": "A note."},
        },
    }
    served = tab(schema={"type": "object", "properties": {"spec": spec}})
    published = read(openapi_v2.document([served]))["definitions"]["com.example.stable.v1.Tab"]
    assert published["properties"]["spec"]["properties"] == {
        "port": {"x-kubernetes-int-or-string": True},
        "note": {"description": "A note."},
    }


def test_merge_keys_are_published() -> None:
    schemas = read(openapi_v3.document(EVERYTHING, GroupVersion("", "v1")))["components"]["schemas"]
    conditions = schemas["io.k8s.api.core.v1.NamespaceStatus"]["properties"]["conditions"]
    assert (conditions["x-kubernetes-patch-merge-key"], conditions["x-kubernetes-patch-strategy"]) == ("type", "merge")


def test_the_index_leads_to_each_document_by_its_hash() -> None:
    paths = read(openapi_v3.index(EVERYTHING))["paths"]
    digest = openapi_v3.document(EVERYTHING, TABS).hash
    assert paths["apis/stable.example.com/v1"] == {
        "serverRelativeURL": f"/openapi/v3/apis/stable.example.com/v1?hash={digest}"
    }
    assert len(paths) == len(GROUP_VERSIONS)


def test_a_new_kind_leaves_the_documents_of_other_groups_as_they_are() -> None:
    more = (*EVERYTHING, tab(kind="Window"))
    core = GroupVersion("", "v1")
    assert openapi_v3.document(more, core) is openapi_v3.document(EVERYTHING, core)
    assert openapi_v3.document(more, TABS).hash != openapi_v3.document(EVERYTHING, TABS).hash


def test_the_same_resources_share_one_document() -> None:
    assert openapi_v3.index(list(EVERYTHING)) is openapi_v3.index(EVERYTHING)
    assert openapi_v2.document(list(EVERYTHING)) is openapi_v2.document(EVERYTHING)


def test_a_group_that_is_not_served_has_no_document() -> None:
    with pytest.raises(StatusError) as missing:
        openapi_v3.document(EVERYTHING, GroupVersion("apps", "v1"))
    assert missing.value.code == 404


def test_selectable_fields_are_published() -> None:
    served = replace(tab(), selectable_fields=("spec.color",))
    schemas = read(openapi_v3.document([served], TABS))["components"]["schemas"]
    assert schemas["com.example.stable.v1.Tab"]["x-kubernetes-selectable-fields"] == [{"fieldPath": "spec.color"}]
