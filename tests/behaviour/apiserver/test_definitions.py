"""Custom resources: schemas at work, conditions of definitions, their end."""

from __future__ import annotations

from typing import Any

import pytest

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD = f"{CRDS}/widgets.example.org"


def _conditions(found: Any) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}


async def test_a_definition_is_established_by_the_write_that_makes_it(api: Any, make: Any) -> None:
    created = await api.post(CRDS, make.definition({"size": {"type": "string"}}))
    assert _conditions(created) == {"NamesAccepted": "True", "Established": "True"}
    assert created["status"]["storedVersions"] == ["v1"]
    assert created["spec"]["names"]["listKind"] == "WidgetList"
    assert (await api.post(make.widgets, make.widget("a", size="m")))["metadata"]["generation"] == 1
    assert (await api.get(make.widgets))["kind"] == "WidgetList"


async def test_names_in_use_are_not_accepted(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({}))
    second = make.definition({})
    second["metadata"]["name"] = "gadgets.example.org"
    second["spec"]["names"] = {"plural": "gadgets", "kind": "Widget"}
    created = await api.post(CRDS, second)
    assert _conditions(created) == {"NamesAccepted": "False", "Established": "False"}
    assert (await api.refused("GET", "/apis/example.org/v1/gadgets"))[0] == 404


async def test_pruning_and_defaulting(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({"size": {"type": "string", "default": "m"}}))
    created = await api.post(make.widgets, make.widget("a", other=1), fieldValidation="Ignore")
    assert created["spec"] == {"size": "m"}


async def test_a_default_added_later_shows_when_an_old_object_is_read(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({"size": {"type": "string"}}))
    await api.post(make.widgets, make.widget("a"))
    schema = make.definition({"size": {"type": "string", "default": "m"}})["spec"]["versions"]
    await api.patch(CRD, {"spec": {"versions": schema}})
    assert (await api.get(f"{make.widgets}/a"))["spec"] == {"size": "m"}
    assert (await api.get(make.widgets))["items"][0]["spec"] == {"size": "m"}


async def test_generation_counts_changes_of_the_spec(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({"n": {"type": "integer"}}, subresources={"status": {}}))
    await api.post(make.widgets, {**make.widget("a", n=1), "status": {"phase": "Fake"}})
    assert "status" not in await api.get(f"{make.widgets}/a")
    changed = await api.patch(f"{make.widgets}/a", {"spec": {"n": 2}, "metadata": {"labels": {"a": "b"}}})
    assert changed["metadata"]["generation"] == 2
    status = await api.patch(f"{make.widgets}/a/status", {"status": {"phase": "Up"}, "spec": {"n": 3}})
    assert (status["metadata"]["generation"], status["spec"], status["status"]) == (2, {"n": 2}, {"phase": "Up"})


async def test_an_update_of_a_custom_object_needs_a_revision(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({}))
    await api.post(make.widgets, make.widget("a"))
    refused = await api.refused("PUT", f"{make.widgets}/a", make.widget("a"))
    assert "metadata.resourceVersion: Invalid value: 0: must be specified for an update" in refused[2]


async def test_strategic_patches_are_for_built_in_kinds(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({}))
    await api.post(make.widgets, make.widget("a"))
    headers = {"content-type": "application/strategic-merge-patch+json"}
    assert (await api.refused("PATCH", f"{make.widgets}/a", {}, headers=headers))[0] == 415


async def test_two_versions_show_one_object(api: Any, make: Any) -> None:
    crd = make.definition({"n": {"type": "integer"}})
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v2", "storage": False})
    await api.post(CRDS, crd)
    await api.post(make.widgets, make.widget("a", n=1))
    other = await api.get("/apis/example.org/v2/namespaces/default/widgets/a")
    assert other["apiVersion"] == "example.org/v2"
    changed = await api.patch("/apis/example.org/v2/namespaces/default/widgets/a", {"spec": {"n": 2}})
    assert changed["apiVersion"] == "example.org/v2"
    assert (await api.get(f"{make.widgets}/a"))["apiVersion"] == "example.org/v1"


async def test_whoever_uses_a_deprecated_version_is_warned(api: Any, make: Any) -> None:
    crd = make.definition({"n": {"type": "integer"}}, subresources={"status": {}})
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v1beta1", "storage": False})
    crd["spec"]["versions"][1]["deprecated"] = True
    await api.post(CRDS, crd)
    old = make.widgets.replace("/v1/", "/v1beta1/")
    body = {**make.widget("a", n=1), "apiVersion": "example.org/v1beta1"}
    warning = '299 - "example.org/v1beta1 Widget is deprecated; use example.org/v1 Widget"'
    patch = {"headers": {"content-type": "application/merge-patch+json"}}
    told = [
        (await api.call(method, f"{old}{path}", given, **options)).headers.get("warning")
        for method, path, given, options in (
            ("POST", "", body, {}),
            ("GET", "/a", None, {}),
            ("GET", "", None, {}),
            ("GET", "", None, {"watch": "true", "timeoutSeconds": "1", "resourceVersion": "0"}),
            ("PATCH", "/a/status", {"status": {"n": 1}}, patch),
            ("DELETE", "/a", None, {}),
            ("GET", "/a", None, {}),
        )
    ]
    assert told == [warning] * len(told)
    assert "warning" not in (await api.call("GET", make.widgets)).headers


async def test_scale_reads_and_writes_the_paths_of_the_schema(api: Any, make: Any) -> None:
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n", "labelSelectorPath": ".status.sel"}
    crd = make.definition({"n": {"type": "integer"}}, subresources={"status": {}, "scale": scale})
    await api.post(CRDS, crd)
    await api.post(make.widgets, make.widget("a", n=1))
    await api.patch(f"{make.widgets}/a/status", {"status": {"n": 1, "sel": "app=x"}})
    patched = await api.patch(f"{make.widgets}/a/scale", {"spec": {"replicas": 5}})
    assert (patched["kind"], patched["spec"], patched["status"]) == (
        "Scale",
        {"replicas": 5},
        {"replicas": 1, "selector": "app=x"},
    )
    assert (await api.get(f"{make.widgets}/a"))["spec"] == {"n": 5}
    misnamed = {**patched, "metadata": {"name": "b"}}
    assert (await api.refused("PUT", f"{make.widgets}/a/scale", misnamed))[0] == 400


async def test_selectable_fields(api: Any, make: Any) -> None:
    crd = make.definition({"colour": {"type": "string"}}, selectableFields=[{"jsonPath": ".spec.colour"}])
    await api.post(CRDS, crd)
    for name, colour in (("a", "red"), ("b", "blue")):
        await api.post(make.widgets, make.widget(name, colour=colour))
    assert make.names_of(await api.get(make.widgets, fieldSelector="spec.colour=blue")) == ["b"]


async def test_a_deleted_definition_takes_its_objects_along(api: Any, make: Any) -> None:
    await api.post(CRDS, make.definition({}))
    held = make.widget("a")
    held["metadata"]["finalizers"] = ["example.org/hold"]
    await api.post(make.widgets, held)
    await api.post(make.widgets, make.widget("b"))
    await api.delete(CRD)
    assert (await api.refused("POST", make.widgets, make.widget("c")))[0] == 405

    async def only_a_is_left() -> bool:
        left = (await api.get(make.widgets))["items"]
        return [i["metadata"]["name"] for i in left if i["metadata"].get("deletionTimestamp")] == ["a"]

    await make.eventually(only_a_is_left, "b is deleted, a waits for its finalizer")
    await api.patch(f"{make.widgets}/a", {"metadata": {"finalizers": None}})

    async def is_gone() -> bool:
        return bool((await api.call("GET", CRD)).status_code == 404)

    await make.eventually(is_gone, "the definition goes last")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"metadata": {"name": "other"}}, 'must be spec.names.plural+"."+spec.group'),
        ({"scope": "Galaxy"}, 'Unsupported value: "Galaxy"'),
        ({"versions": []}, "exactly one version marked as storage version"),
    ],
)
async def test_definitions_that_make_no_sense_are_refused(api: Any, make: Any, change: Any, text: str) -> None:
    crd = make.definition({})
    crd["metadata"].update(change.pop("metadata", {}))
    crd["spec"].update(change)
    code, _, message = await api.refused("POST", CRDS, crd)
    assert (code, text in message) == (422, True), message


@pytest.mark.parametrize(
    ("group", "plural", "kind"),
    [
        ("rbac.authorization.k8s.io", "clusterroles", "ClusterRole"),
        ("core.kcp.io", "logicalclusters", "LogicalCluster"),
        ("apis.kcp.io", "apibindings", "APIBinding"),
        ("authentication.k8s.io", "tokenreviews", "TokenReview"),
    ],
)
async def test_nobody_serves_or_removes_what_is_built_in_as_his_own(
    api: Any, make: Any, group: str, plural: str, kind: str
) -> None:
    """Not in another version either."""
    definition = make.definition({})
    definition["metadata"] = {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved"}}
    definition["spec"] |= {"group": group, "names": {"plural": plural, "kind": kind}, "scope": "Cluster"}
    definition["spec"]["versions"][0]["name"] = "v9"
    code, _, message = await api.refused("POST", CRDS, definition)
    assert code == 422
    assert message.endswith(f'spec.names.plural: Forbidden: "{plural}" is built in')


@pytest.mark.parametrize(
    ("approval", "outcome"),
    [
        (None, "Required value: protected groups must have approval annotation"),
        ("because", 'Invalid value: "because": protected groups must have approval annotation'),
        ("https://github.com/kubernetes/enhancements/pull/1111", "ApprovedAnnotation"),
        ("unapproved, a test", "UnapprovedAnnotation"),
    ],
)
async def test_groups_of_the_community_say_where_they_were_approved(
    api: Any, make: Any, approval: str | None, outcome: str
) -> None:
    definition = make.definition({})
    annotations = {"api-approved.kubernetes.io": approval} if approval else {}
    definition["metadata"] = {"name": "widgets.things.k8s.io", "annotations": annotations}
    definition["spec"]["group"] = "things.k8s.io"
    answer = (await api.call("POST", CRDS, definition)).json()
    if answer["kind"] == "Status":
        assert f"metadata.annotations[api-approved.kubernetes.io]: {outcome}" in answer["message"]
        return
    [condition] = [c for c in answer["status"]["conditions"] if c["type"] == "KubernetesAPIApprovalPolicyConformant"]
    assert (condition["reason"], condition["status"]) == (outcome, str(outcome == "ApprovedAnnotation"))
