"""[sig-api-machinery] FieldValidation. What upstream shows on a Deployment is shown on a ResourceQuota."""

from __future__ import annotations

import pytest
from tests.conformance.specs.goclient import GoClient, Manifest, definition, resource_path

from portway.krm.errors import StatusError

STRICT = {"fieldManager": "field_validation_mgr", "fieldValidation": "Strict"}
PORT = {
    "properties": {
        "containerPort": {"format": "int32", "type": "integer"},
        "hostIP": {"type": "string"},
        "hostPort": {"format": "int32", "type": "integer"},
        "name": {"type": "string"},
        "protocol": {"type": "string"},
    },
    "required": ["containerPort", "protocol"],
    "type": "object",
}
SPEC = {
    "foo": {"type": "string"},
    "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
    "ports": {
        "type": "array",
        "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
        "x-kubernetes-list-type": "map",
        "items": PORT,
    },
}
TEMPLATE = {
    "type": "object",
    "x-kubernetes-embedded-resource": True,
    "properties": {
        "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
        "spec": {"type": "object"},
    },
}
TAIL = """
  cronSpec: "* * * * */5"
  ports:
  - name: x
    containerPort: 80
    protocol: TCP"""


def schema(**spec: object) -> Manifest:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": SPEC, **spec}}}


async def refused(go: GoClient, path: str, body: str) -> str:
    with pytest.raises(StatusError) as caught:
        await go.do("POST", path, body.encode(), "application/json", **STRICT)
    assert (caught.value.code, caught.value.reason) == (400, "BadRequest")
    return caught.value.message


async def test_unknown_and_duplicate_fields_of_a_typed_object_are_found(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    head = '{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"%s}, "spec": {%s}}'
    told = await refused(go, path, head % ("", '"unknownField": "foo", "hard": {"pods": "2"}, "hard": {"pods": "3"}'))
    assert 'strict decoding error: unknown field "spec.unknownField", duplicate field "spec.hard"' in told
    told = await refused(go, path, head % (', "unknownMeta": "foo"', '"hard": {"pods": "2"}'))
    assert 'strict decoding error: unknown field "metadata.unknownMeta"' in told


QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


@pytest.mark.parametrize(
    ("media", "body", "told"),
    [
        (
            MERGE,
            '{"spec": {"b": 1, "b": 2}, "x": 2}',
            'duplicate field "spec.b", unknown field "spec.b", unknown field "x"',
        ),
        (MERGE, '{"metadata": {"zork": 1}}', 'unknown field "metadata.zork"'),
        (JSON_PATCH, '[{"op": "add", "path": "/spec/b", "value": 1}]', 'unknown field "spec.b"'),
        (
            JSON_PATCH,
            '[{"op": "add", "path": "/spec/b", "path": "/spec/b", "value": 1}]',
            'json patch duplicate field "[0].path", unknown field "spec.b"',
        ),
        (
            JSON_PATCH,
            '[{"op": "add", "path": "/metadata/labels", "value": {}, "foo": 1}]',
            'json patch unknown field "[0].foo"',
        ),
    ],
)
async def test_strict_patches_are_refused_with_what_they_made(
    go: GoClient, namespace: str, media: str, body: str, told: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    await go.typed("POST", path, QUOTA)
    with pytest.raises(StatusError) as caught:
        await go.do("PATCH", f"{path}/q", body.encode(), media, **STRICT)
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert caught.value.message.startswith(' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"v1\\"')
    assert caught.value.message.endswith(f'": strict decoding error: {told}')
    assert [cause.field for cause in caught.value.causes] == ["patch"]


async def test_a_strict_strategic_patch_is_refused_with_itself(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    await go.typed("POST", path, QUOTA)
    media = "application/strategic-merge-patch+json"
    with pytest.raises(StatusError) as caught:
        await go.do("PATCH", f"{path}/q", b'{"spec": {"b": [1, null, {"c": true}]}}', media, **STRICT)
    assert caught.value.message == (
        ' "" is invalid: patch: Invalid value: "map[spec:map[b:[1 <nil> map[c:true]]]]": '
        'strict decoding error: unknown field "spec.b"'
    )


async def defined(go: GoClient, wanted: Manifest | None) -> tuple[Manifest, str]:
    crd = definition("v1beta1", "v1", schema=wanted, storage="v1", status=True)
    await go.define(crd)
    return crd, f"{resource_path(crd)}/mytest"


def body(crd: Manifest, spec: str, *, root: str = "", meta: str = "") -> str:
    kind = crd["spec"]["names"]["kind"]
    head = f"\napiVersion: mygroup.example.com/v1beta1\nkind: {kind}\nmetadata:\n  name: mytest{meta}\n"
    return f"{head}  finalizers:\n  - test-finalizer\n{root}spec:{spec}{TAIL}"


async def cleaned(go: GoClient, crd: Manifest, path: str) -> None:
    await go.patch(path, {"metadata": {"finalizers": []}})
    await go.undefine(crd)


async def apply_refused(go: GoClient, path: str, body: str) -> str:
    answer = await go.call("PATCH", path, body.encode(), "application/apply-patch+yaml", **STRICT)
    assert answer.status_code >= 400
    return answer.text


async def test_a_valid_resource_of_a_definition_with_a_schema_is_applied(go: GoClient) -> None:
    crd, path = await defined(go, schema())
    await go.apply(path, body(crd, "\n  foo: foo1"), "field_validation_mgr", fieldValidation="Strict")
    await cleaned(go, crd, path)


async def test_unknown_fields_are_applied_where_there_is_no_schema(go: GoClient) -> None:
    crd, path = await defined(go, None)
    await go.apply(path, body(crd, "\n  unknown: uk1"), "field_validation_mgr", fieldValidation="Strict")
    await cleaned(go, crd, path)


async def test_unknown_fields_are_refused_where_there_is_a_schema(go: GoClient) -> None:
    crd, path = await defined(go, schema())
    told = await apply_refused(go, path, body(crd, "\n  foo: foo1", root="unknownField: unknown\n"))
    assert ".unknownField: field not declared in schema" in told
    await go.undefine(crd)


async def test_unknown_metadata_is_refused_at_the_root_and_in_embedded_objects(go: GoClient) -> None:
    wanted = schema(**{"x-kubernetes-preserve-unknown-fields": True, "properties": {**SPEC, "template": TEMPLATE}})
    crd, path = await defined(go, wanted)
    template = "\n  template:\n    apiversion: foo/v1\n    kind: Sub\n    metadata:\n        unknownSubMeta: unknown\n"
    template += "        name: subobject\n        namespace: default\n  foo: foo1"
    told = await apply_refused(go, path, body(crd, template, meta="\n  unknownMeta: unknown"))
    assert ".metadata.unknownMeta: field not declared in schema" in told
    await go.undefine(crd)


async def test_duplicates_are_found_where_unknown_fields_are_preserved(go: GoClient) -> None:
    crd, path = await defined(go, schema(**{"x-kubernetes-preserve-unknown-fields": True}))
    told = await apply_refused(go, path, body(crd, "\n  unknown: uk1\n  foo: foo1\n  foo: foo2"))
    assert r"line 11: key \"foo\" already set in map" in told
    await go.undefine(crd)
