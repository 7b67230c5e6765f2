"""What the server refuses or remarks beyond the schema of a kind: the whole texts, as kubectl prints them."""

from __future__ import annotations

from typing import Any

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


async def test_a_definition_is_refused_with_all_that_is_wrong(api: Any, make: Any) -> None:
    wrong = make.definition({})
    wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {"type": "object", "nullable": True}
    wrong["spec"]["scope"] = "World"
    assert await api.refused("POST", CRDS, wrong) == (
        422,
        "Invalid",
        'CustomResourceDefinition.apiextensions.k8s.io "widgets.example.org" is invalid: [spec.scope: Unsupported '
        'value: "World": supported values: "Cluster", "Namespaced", spec.validation.openAPIV3Schema.nullable: '
        "Forbidden: nullable cannot be true at the root]",
    )


async def test_a_served_definition_keeps_what_objects_depend_on(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({}))
    headers = {"content-type": "application/merge-patch+json"}
    body = {"spec": {"scope": "Cluster", "names": {"kind": "Gadget", "listKind": "GadgetList"}}}
    path = f"{CRDS}/widgets.example.org"
    assert await api.refused("PATCH", path, body, headers=headers) == (
        422,
        "Invalid",
        'CustomResourceDefinition.apiextensions.k8s.io "widgets.example.org" is invalid: [spec.scope: Invalid value: '
        '"Cluster": field is immutable, spec.names.kind: Invalid value: "Gadget": field is immutable]',
    )
    renamed = {"status": {"acceptedNames": {"plural": "widgets", "kind": "Widget", "shortNames": ["1"]}}}
    code, _, message = await api.refused("PATCH", f"{path}/status", renamed, headers=headers)
    assert code == 422
    assert message.startswith(
        'CustomResourceDefinition.apiextensions.k8s.io "widgets.example.org" is invalid: '
        'status.acceptedNames.shortNames[0]: Invalid value: "1": a DNS-1035 label must consist of'
    )


async def test_a_format_that_nothing_checks_is_remarked(api: Any, make: Any) -> None:
    answer = await api.call("POST", CRDS, make.definition({"a": {"type": "string", "format": "zip"}}))
    assert (answer.status_code, answer.headers["warning"]) == (201, '299 - "unrecognized format \\"zip\\""')


async def test_an_update_does_not_delete(api: Any, make: Any) -> None:
    await api.post(CONFIG_MAPS, make.config("a"))
    headers = {"content-type": "application/merge-patch+json"}
    body = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert await api.refused("PATCH", f"{CONFIG_MAPS}/a", body, headers=headers) == (
        422,
        "Invalid",
        'ConfigMap "a" is invalid: metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is '
        "immutable",
    )


async def test_finalizers_of_custom_resources_are_remarked(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({}))
    body = make.widget("a")
    body["metadata"]["finalizers"] = ["hold"]
    answer = await api.call("POST", make.widgets, body)
    assert (answer.status_code, answer.headers["warning"]) == (
        201,
        '299 - "metadata.finalizers: \\"hold\\": prefer a domain-qualified finalizer name to avoid accidental '
        'conflicts with other finalizer writers"',
    )


async def test_a_prefix_of_names_is_checked_as_a_name_is(api: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "Odd-"}}
    code, _, message = await api.refused("POST", CONFIG_MAPS, body)
    assert code == 422
    assert 'metadata.generateName: Invalid value: "Odd-": a lowercase RFC 1123 subdomain must consist of' in message
