"""Creates, updates, patches and deletes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

CONFIGS = "/api/v1/namespaces/default/configmaps"


async def test_generated_names_have_five_random_characters(api: Any) -> None:
    created = await api.post(CONFIGS, {"metadata": {"generateName": "a-"}})
    assert created["metadata"]["name"].startswith("a-")
    assert len(created["metadata"]["name"]) == 7
    assert created["kind"] == "ConfigMap"


async def test_a_write_that_changes_nothing_keeps_the_revision(api: Any, make: Any) -> None:
    created = await api.post(CONFIGS, make.config("a", x="1"))
    before = created["metadata"]["resourceVersion"]
    patched = await api.patch(f"{CONFIGS}/a", {"data": {"x": "1"}})
    replaced = await api.put(f"{CONFIGS}/a", created)
    assert {patched["metadata"]["resourceVersion"], replaced["metadata"]["resourceVersion"]} == {before}


async def test_an_update_of_an_old_state_is_a_conflict(api: Any, make: Any) -> None:
    created = await api.post(CONFIGS, make.config("a", x="1"))
    await api.patch(f"{CONFIGS}/a", {"data": {"x": "2"}})
    code, reason, message = await api.refused("PUT", f"{CONFIGS}/a", {**created, "data": {"x": "3"}})
    assert (code, reason) == (409, "Conflict")
    assert "the object has been modified" in message


async def test_concurrent_patches_all_count(api: Any, make: Any) -> None:
    await api.post(CONFIGS, make.config("a"))
    await asyncio.gather(*(api.patch(f"{CONFIGS}/a", {"data": {f"k{n}": "v"}}) for n in range(8)))
    assert len((await api.get(f"{CONFIGS}/a"))["data"]) == 8


async def test_a_failed_test_of_a_json_patch_is_unprocessable(api: Any, make: Any) -> None:
    await api.post(CONFIGS, make.config("a", x="1"))
    patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": "0"}]
    headers = {"content-type": "application/json-patch+json"}
    assert (await api.refused("PATCH", f"{CONFIGS}/a", patch, headers=headers))[0] == 422


async def test_dry_run_answers_and_stores_nothing(api: Any, make: Any) -> None:
    answered = await api.post(CONFIGS, make.config("a"), dryRun="All")
    assert "resourceVersion" not in answered["metadata"]
    assert (await api.refused("GET", f"{CONFIGS}/a"))[0] == 404
    await api.post(CONFIGS, make.config("a", x="1"))
    assert (await api.patch(f"{CONFIGS}/a", {"data": {"x": "2"}}, dryRun="All"))["data"] == {"x": "2"}
    await api.delete(f"{CONFIGS}/a", dryRun="All")
    assert (await api.get(f"{CONFIGS}/a"))["data"] == {"x": "1"}


BODY = b'{"metadata":{"name":"a"},"data":{"x":"1","x":"2"},"extra":1}'
COMPLAINT = 'unknown field "extra", duplicate field "data.x"'


async def test_strict_validation_refuses_unknown_and_duplicate_fields(api: Any) -> None:
    code, reason, message = await api.refused("POST", CONFIGS, BODY, fieldValidation="Strict")
    assert (code, reason) == (400, "BadRequest")
    assert message.endswith(f"strict decoding error: {COMPLAINT}")


async def test_unknown_fields_are_told_before_a_missing_version(api: Any, make: Any) -> None:
    await api.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", make.definition({}))
    await api.post(make.widgets, make.widget("a"))
    body = {**make.widget("a"), "extra": 1}
    code, _, message = await api.refused("PUT", f"{make.widgets}/a", body, fieldValidation="Strict")
    assert (code, message.rpartition(": ")[2]) == (400, 'unknown field "extra"')
    code, _, message = await api.refused("PUT", f"{make.widgets}/a", body, fieldValidation="Warn")
    assert (code, message.rpartition(": ")[2]) == (422, "must be specified for an update")


async def test_warn_and_ignore_drop_them(api: Any) -> None:
    warned = await api.call("POST", CONFIGS, BODY)
    assert warned.status_code == 201
    assert warned.headers.get_list("warning") == [
        '299 - "unknown field \\"extra\\""',
        '299 - "duplicate field \\"data.x\\""',
    ]
    assert "extra" not in warned.json()
    await api.delete(f"{CONFIGS}/a")
    assert "warning" not in (await api.call("POST", CONFIGS, BODY, fieldValidation="Ignore")).headers


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "text"),
    [
        ("POST", CONFIGS, b"{", 400, "not valid JSON"),
        ("POST", CONFIGS, {"kind": "Secret", "metadata": {"name": "a"}}, 400, "does not match the expected kind"),
        ("POST", CONFIGS, {"metadata": {"name": "a", "namespace": "b"}}, 400, "does not match the namespace"),
        ("POST", CONFIGS, {"metadata": {}}, 422, "name or generateName is required"),
        ("POST", CONFIGS, {"metadata": {"name": "A"}}, 422, "a lowercase RFC 1123 subdomain"),
        ("POST", CONFIGS, {"metadata": {"name": "a", "labels": {"a b": "c"}}}, 422, "name part must consist"),
        ("POST", CONFIGS, {"metadata": {"name": "a"}, "data": {"a/b": "c"}}, 422, "a valid config key must"),
        ("POST", CONFIGS, b"x" * (3 * 1024 * 1024 + 1), 413, "limit is 3145728"),
        ("POST", f"{CONFIGS}/a", {}, 405, "does not allow this method"),
        ("PUT", f"{CONFIGS}/kube-root-ca.crt", {"metadata": {"name": "b"}}, 400, "does not match the name on the URL"),
        ("PUT", f"{CONFIGS}/none", {"metadata": {"name": "none"}}, 404, 'configmaps "none" not found'),
        ("PATCH", f"{CONFIGS}/kube-root-ca.crt", {}, 415, "application/merge-patch+json"),
        ("DELETE", f"{CONFIGS}/none", None, 404, "not found"),
        ("DELETE", "/api/v1/configmaps", None, 405, "does not allow this method"),
        ("POST", CONFIGS, b"", 400, "the request has no body"),
        ("PUT", f"{CONFIGS}/kube-root-ca.crt", b"", 400, "the request has no body"),
        ("DELETE", "/api/v1/namespaces/default", None, 403, "this namespace may not be deleted"),
        ("DELETE", "/api/v1/namespaces/portway-system", None, 403, "this namespace may not be deleted"),
    ],
)
async def test_what_is_wrong_is_said(api: Any, method: str, path: str, body: Any, code: int, text: str) -> None:
    answered, _, message = await api.refused(method, path, body)
    assert (answered, text in message) == (code, True), message


@pytest.mark.parametrize(
    ("method", "options", "text"),
    [
        ("POST", {"dryRun": "Some"}, 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]'),
        ("PUT", {"fieldValidation": "Some"}, 'UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported'),
        ("PATCH", {"force": "true"}, "force: Forbidden: may not be specified for non-apply patch"),
        ("PATCH", {"fieldManager": "m" * 129}, "fieldManager: Too long: may not be more than 128 bytes"),
        ("PATCH", {"fieldManager": "\a"}, 'Invalid value: "\\u0007": invalid character U+0007 (at position 0)'),
        ("DELETE", {"propagationPolicy": "Some"}, 'supported values: "Foreground", "Background", "Orphan", "nil"'),
        ("DELETE", {"propagationPolicy": "Orphan", "orphanDependents": "true"}, "cannot be both set"),
        ("DELETE", {"dryRun": "Some"}, 'DeleteOptions.meta.k8s.io "" is invalid: dryRun'),
        ("GET", {"sendInitialEvents": "true"}, "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
    ],
)
async def test_options_that_are_none_are_refused(
    api: Any, make: Any, method: str, options: dict[str, str], text: str
) -> None:
    path = CONFIGS if method in ("GET", "POST") else f"{CONFIGS}/kube-root-ca.crt"
    body = None if method in ("GET", "DELETE") else make.config("kube-root-ca.crt")
    headers = {"content-type": "application/merge-patch+json"} if method == "PATCH" else {}
    code, reason, message = await api.refused(method, path, body, headers=headers, **options)
    assert (code, reason, text in message) == (422, "Invalid", True), message


async def test_null_in_a_map_is_an_empty_value(api: Any) -> None:
    made = await api.post(CONFIGS, {"metadata": {"name": "a"}, "data": {"x": None, "y": "1"}})
    assert made["data"] == {"x": "", "y": "1"}


async def test_an_applied_configuration_names_its_type(api: Any) -> None:
    headers = {"content-type": "application/apply-patch+yaml"}
    body = {"kind": "ConfigMap", "metadata": {"name": "a"}}
    answered = await api.refused("PATCH", f"{CONFIGS}/a", body, headers=headers, fieldManager="m")
    assert answered == (400, "BadRequest", "invalid object type: apiVersion missing, kind ConfigMap")


async def test_secret_text_is_stored_as_data(api: Any) -> None:
    secrets = "/api/v1/namespaces/default/secrets"
    created = await api.post(secrets, {"metadata": {"name": "s"}, "stringData": {"p": "hush"}})
    assert created["data"] == {"p": "aHVzaA=="}
    assert created["type"] == "Opaque"
    assert "stringData" not in created


async def test_immutable_means_immutable(api: Any, make: Any) -> None:
    await api.post(CONFIGS, {**make.config("a", x="1"), "immutable": True})
    headers = {"content-type": "application/merge-patch+json"}
    refused = await api.refused("PATCH", f"{CONFIGS}/a", {"data": {"x": "2"}}, headers=headers)
    assert "field is immutable when `immutable` is set" in refused[2]


async def test_preconditions_of_a_deletion(api: Any, make: Any) -> None:
    created = await api.post(CONFIGS, make.config("a"))
    refused = await api.refused("DELETE", f"{CONFIGS}/a", {"preconditions": {"uid": "other"}})
    assert refused[:2] == (409, "Conflict")
    done = await api.delete(f"{CONFIGS}/a", {"preconditions": {"uid": created["metadata"]["uid"]}})
    assert done["details"] == {"name": "a", "kind": "configmaps", "uid": created["metadata"]["uid"]}


async def test_finalizers_hold_an_object_until_the_last_is_gone(api: Any, make: Any) -> None:
    held = make.config("a")
    held["metadata"]["finalizers"] = ["example.org/x"]
    await api.post(CONFIGS, held)
    marked = await api.delete(f"{CONFIGS}/a")
    assert marked["metadata"]["deletionTimestamp"]
    headers = {"content-type": "application/merge-patch+json"}
    more = {"metadata": {"finalizers": ["example.org/x", "example.org/y"]}}
    assert "no new finalizers" in (await api.refused("PATCH", f"{CONFIGS}/a", more, headers=headers))[2]
    await api.patch(f"{CONFIGS}/a", {"metadata": {"finalizers": None}})
    assert (await api.refused("GET", f"{CONFIGS}/a"))[0] == 404


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
async def test_propagation_is_left_to_the_collector_by_a_finalizer(
    api: Any, make: Any, policy: str, finalizer: str
) -> None:
    await api.post(CONFIGS, make.config("a"))
    marked = await api.delete(f"{CONFIGS}/a", {"propagationPolicy": policy})
    assert marked["metadata"]["finalizers"] == [finalizer]


async def test_a_collection_is_deleted_by_selector(api: Any, make: Any) -> None:
    for name in "abc":
        labelled = make.config(name)
        labelled["metadata"]["labels"] = {"app": "y" if name == "c" else "x"}
        await api.post(CONFIGS, labelled)
    gone = await api.delete(CONFIGS, labelSelector="app=x")
    assert make.names_of(gone) == ["a", "b"]
    assert make.names_of(await api.get(CONFIGS)) == ["c", "kube-root-ca.crt"]


async def test_yaml_bodies_are_read(api: Any) -> None:
    headers = {"content-type": "application/yaml"}
    created = await api.post(CONFIGS, b"metadata: {name: a}\ndata: {x: 'on'}\n", headers=headers)
    assert created["data"] == {"x": "on"}


async def test_apply_creates_merges_and_removes(api: Any, make: Any) -> None:
    async def apply(data: dict[str, str], manager: str = "me") -> Any:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
        return await api.patch(f"{CONFIGS}/a", body, "apply-patch+yaml", fieldManager=manager)

    await apply({"x": "1", "y": "1"})
    await apply({"z": "1"}, "you")
    merged = await apply({"x": "2"})
    assert merged["data"] == {"x": "2", "z": "1"}
    again = await apply({"x": "2"})
    assert again == merged


async def test_apply_needs_a_manager(api: Any, make: Any) -> None:
    headers = {"content-type": "application/apply-patch+yaml"}
    refused = await api.refused("PATCH", f"{CONFIGS}/a", make.config("a"), headers=headers)
    assert "fieldManager: Required value" in refused[2]


async def test_every_answer_has_an_audit_id(api: Any) -> None:
    answer = await api.call("GET", CONFIGS, headers={"audit-id": "mine"})
    assert answer.headers["audit-id"] == "mine"
    assert (await api.call("GET", CONFIGS)).headers["audit-id"]


async def test_null_in_a_list_of_a_built_in_kind_is_an_empty_item(api: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "n"}, "imagePullSecrets": [None]}
    made = await api.post("/api/v1/namespaces/default/serviceaccounts", body)
    assert made["imagePullSecrets"] == [{}]
