"""[sig-api-machinery] CustomResourcePublishOpenAPI, OpenAPIV3."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from tests.conformance.specs.goclient import (
    CRDS,
    JSON_PATCH,
    OPEN_SCHEMA,
    GoClient,
    Manifest,
    random_name,
    resource_path,
    until,
)

from portway.krm.errors import StatusError

FOO: Manifest = yaml.safe_load("""
description: Foo CRD for Testing
type: object
properties:
  spec:
    type: object
    description: Specification of Foo
    properties:
      bars:
        description: List of Bars and their specs.
        type: array
        items:
          type: object
          required: [name]
          properties:
            name: {description: Name of Bar., type: string}
            age: {description: Age of Bar., type: string}
            feeling: {description: Whether Bar is feeling great., type: string, enum: [Great, Down]}
            bazs: {description: List of Bazs., items: {type: string}, type: array}
  status:
    description: Status of Foo
    type: object
    properties:
      bars:
        description: List of Bars and their statuses.
        type: array
        items:
          type: object
          properties:
            name: {description: Name of Bar., type: string}
            available: {description: Whether the Bar is installed., type: boolean}
            quxType: {description: Indicates to external qux type., pattern: in-tree|out-of-tree, type: string}
""")
WALDO: Manifest = yaml.safe_load("""
description: Waldo CRD for Testing
type: object
properties:
  spec:
    description: Specification of Waldo
    type: object
    properties: {dummy: {description: Dummy property., type: object}}
  status:
    description: Status of Waldo
    type: object
    properties: {bars: {description: List of Bars and their statuses., type: array, items: {type: object}}}
""")


def crd_of(suffix: str, schema: Manifest | None, *versions: str) -> Manifest:
    name = random_name("e2e-test-crd-publish-openapi-")
    stated = schema or OPEN_SCHEMA
    return {
        "kind": "CustomResourceDefinition",
        "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": {"name": f"{name}-crds.crd-publish-openapi-test-{suffix}.example.com"},
        "spec": {
            "group": f"crd-publish-openapi-test-{suffix}.example.com",
            "names": {"plural": f"{name}-crds", "singular": f"{name}-crd", "kind": f"{name}-crd"},
            "scope": "Namespaced",
            "versions": [
                {"name": v, "served": True, "storage": v == versions[0], "schema": {"openAPIV3Schema": stated}}
                for v in versions
            ],
        },
    }


class Swagger:
    """/openapi/v2 as the spec reads it: without an Accept header of its own, with the ETag unquoted and quoted."""

    def __init__(self, go: GoClient) -> None:
        self.go, self.etag, self.known = go, "", Manifest()

    async def definitions(self) -> Manifest:
        headers = {"authorization": f"Bearer {self.go.token}", "accept-encoding": "gzip"}
        if self.etag:
            headers["if-none-match"] = f'"{self.etag}"'
        answer = await self.go.http.get("/openapi/v2", headers={**headers, "accept": ""})
        if answer.status_code != 304:
            assert answer.status_code == 200
            self.etag, self.known = answer.headers["etag"].strip('"'), answer.json()
        found: Manifest = self.known["definitions"]
        return found

    async def shows(self, crd: Manifest, version: str, schema: Manifest | None) -> None:
        name = definition_name(crd, version)

        async def is_there() -> bool:
            found = copy.deepcopy((await self.definitions()).get(name))
            if found is None:
                return False
            for added in ("metadata", "apiVersion", "kind"):
                found.get("properties", {}).pop(added, None)
            if not found.get("properties", True):
                found.pop("properties")
            found.pop("x-kubernetes-group-version-kind")
            assert schema is None or found == schema, found
            return True

        await until(is_there, f"{name} is published")

    async def hides(self, crd: Manifest, version: str) -> None:
        async def is_gone() -> bool:
            return definition_name(crd, version) not in await self.definitions()

        await until(is_gone, f"{definition_name(crd, version)} is no longer published")


def definition_name(crd: Manifest, version: str) -> str:
    backwards = ".".join(reversed(crd["spec"]["group"].split(".")))
    return f"{backwards}.{version}.{crd['spec']['names']['kind']}"


@pytest.fixture
def swagger(go: GoClient) -> Swagger:
    return Swagger(go)


async def set_up(swagger: Swagger, crd: Manifest, schema: Manifest | None) -> None:
    await swagger.go.create(CRDS, crd)
    for version in crd["spec"]["versions"]:
        await swagger.shows(crd, version["name"], schema)


async def clean_up(swagger: Swagger, crd: Manifest) -> None:
    await swagger.go.delete(f"{CRDS}/{crd['metadata']['name']}")
    for version in crd["spec"]["versions"]:
        await swagger.hides(crd, version["name"])


async def test_a_definition_with_a_schema_is_published(swagger: Swagger, namespace: str) -> None:
    crd = crd_of("foo", FOO, "v1")
    await set_up(swagger, crd, FOO)
    go, path = swagger.go, resource_path(crd, namespace=namespace)
    resource = {
        "apiVersion": f"{crd['spec']['group']}/v1",
        "kind": crd["spec"]["names"]["kind"],
        "metadata": {"name": "test-foo"},
        "spec": {"bars": [{"name": "test-bar"}]},
    }
    await go.create(path, resource, fieldManager="kubectl-create", fieldValidation="Strict")
    await go.delete(f"{path}/test-foo", {"propagationPolicy": "Background"})
    for spec, told in (
        ({"bars": [{"name": "test-bar", "feeling": "NonExistentValue"}]}, 'Unsupported value: "NonExistentValue"'),
        ({"foo": True}, 'unknown field "spec.foo"'),
        ({"bars": [{"age": "10"}]}, "spec.bars[0].name: Required value"),
    ):
        with pytest.raises(StatusError) as refused:
            await go.create(path, {**resource, "spec": spec}, fieldValidation="Strict")
        assert told in refused.value.message
    await clean_up(swagger, crd)


@pytest.mark.parametrize(
    ("suffix", "schema", "published", "extra"),
    [
        ("empty", None, {"type": "object"}, {"a": {"b": [{"c": "d"}]}}),
        (
            "unknown-at-root",
            {**WALDO, "description": "at root", "x-kubernetes-preserve-unknown-fields": True},
            None,
            {"a": {"b": [{"c": "d"}]}},
        ),
        (
            "unknown-in-nested",
            {
                **WALDO,
                "properties": {"spec": {**WALDO["properties"]["spec"], "x-kubernetes-preserve-unknown-fields": True}},
            },
            None,
            {"spec": {"a": None, "b": [{"c": "d"}]}},
        ),
    ],
)
async def test_unknown_fields_are_kept_where_the_schema_says_so(
    swagger: Swagger, namespace: str, suffix: str, schema: Manifest | None, published: Manifest | None, extra: Any
) -> None:
    crd = crd_of(suffix, schema, "v1")
    await set_up(swagger, crd, published)
    go, path = swagger.go, resource_path(crd, namespace=namespace)
    head = {"apiVersion": f"{crd['spec']['group']}/v1", "kind": crd["spec"]["names"]["kind"]}
    await go.create(path, {**head, "metadata": {"name": "test-cr"}, **extra}, fieldValidation="Strict")
    await go.delete(f"{path}/test-cr")
    v3 = await go.get(f"/openapi/v3/apis/{crd['spec']['group']}/v1")
    assert v3["components"]["schemas"][definition_name(crd, "v1")]["type"] == "object"
    await clean_up(swagger, crd)


async def test_definitions_of_different_groups_versions_and_kinds_stand_beside_each_other(swagger: Swagger) -> None:
    for one, other in (
        (crd_of("foo", FOO, "v1"), crd_of("waldo", WALDO, "v1beta1")),
        (crd_of("common-group", FOO, "v4"), crd_of("common-group", WALDO, "v5")),
        (crd_of("common-group", FOO, "v6"), crd_of("common-group", WALDO, "v6")),
    ):
        await set_up(swagger, one, FOO)
        await set_up(swagger, other, WALDO)
        await swagger.shows(one, one["spec"]["versions"][0]["name"], FOO)
        await clean_up(swagger, one)
        await clean_up(swagger, other)
    several = crd_of("multi-ver", FOO, "v2", "v3")
    await set_up(swagger, several, FOO)
    await clean_up(swagger, several)


async def test_a_renamed_version_is_published_under_its_new_name(swagger: Swagger) -> None:
    crd = crd_of("multi-ver", FOO, "v2", "v3")
    await set_up(swagger, crd, FOO)
    patch = [
        {"op": "test", "path": "/spec/versions/1/name", "value": "v3"},
        {"op": "replace", "path": "/spec/versions/1/name", "value": "v4"},
    ]
    await swagger.go.patch(f"{CRDS}/{crd['metadata']['name']}", patch, JSON_PATCH)
    await swagger.shows(crd, "v4", FOO)
    await swagger.hides(crd, "v3")
    await swagger.shows(crd, "v2", FOO)
    crd["spec"]["versions"][1]["name"] = "v4"
    await clean_up(swagger, crd)


async def test_a_version_no_longer_served_is_no_longer_published(swagger: Swagger) -> None:
    crd = crd_of("multi-to-single-ver", FOO, "v5", "v6alpha1")
    await set_up(swagger, crd, FOO)
    found = await swagger.go.get(f"{CRDS}/{crd['metadata']['name']}")
    found["spec"]["versions"][1]["served"] = False
    await swagger.go.update(f"{CRDS}/{crd['metadata']['name']}", found)
    await swagger.hides(crd, "v6alpha1")
    await swagger.shows(crd, "v5", FOO)
    await clean_up(swagger, crd)


async def test_openapi_v3_has_a_document_for_every_group_version(go: GoClient) -> None:
    index = (await go.get("/openapi/v3"))["paths"]
    for path, entry in index.items():
        if not path.endswith(".k8s.io/v1") and path != "api/v1":
            continue
        found = await go.get(entry["serverRelativeURL"])
        assert found["openapi"].startswith("3.")
        assert found["info"]
        assert found["paths"]


async def test_openapi_v3_follows_a_definition(go: GoClient) -> None:
    crd = crd_of("v3", None, "v1beta1")
    group = crd["spec"]["group"]
    await go.define(crd)
    url = (await go.get("/openapi/v3"))["paths"][f"apis/{group}/v1beta1"]["serverRelativeURL"]
    document = await go.get(url)
    assert definition_name(crd, "v1beta1") in document["components"]["schemas"]
    await go.undefine(crd)

    async def is_gone() -> bool:
        return f"apis/{group}/v1beta1" not in (await go.get("/openapi/v3"))["paths"]

    await until(is_gone, "the document is no longer listed")
