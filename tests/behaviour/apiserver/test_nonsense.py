"""Requests nobody should send: each is answered, none with a 5xx."""

from __future__ import annotations

import copy
import random
from typing import Any

import orjson
import pytest

from portway.apiserver.resources import Resource

JUNK: list[Any] = [None, 1, -1, 1.5, True, "", "x", "a" * 300, "\x00", "é", [], [1], ["x"], [None], [{}], {}]
JUNK += [{"a": 1}, {"a": {"b": [1]}}, {"name": "x"}, "2020-01-01T00:00:00Z"]
WORDS = ["name", "spec", "metadata", "kind", "type", "versions", "names", "group", "data", "rules", "schema"]
WORDS += ["subjects", "roleRef", "labels"]
FIELDS = ["labels", "annotations", "finalizers", "ownerReferences", "managedFields", "generateName", "name", "uid"]
FIELDS += ["resourceVersion", "deletionTimestamp"]
NAMES = ["a", "b", "kube-root-ca.crt", "default", "widgets.example.org", "universal", "%00"]
QUERIES = [
    {},
    {"force": "true"},
    {"dryRun": "All"},
    {"dryRun": "x"},
    {"fieldValidation": "Strict"},
    {"limit": "x"},
    {"labelSelector": "!!"},
    {"fieldSelector": "metadata.name=a"},
    {"fieldSelector": "spec.x"},
    {"resourceVersion": "3", "resourceVersionMatch": "Exact"},
    {"continue": "eyJ2IjoiIn0"},
]
PATCHES = ["merge-patch+json", "json-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"]
BYTES = [b"{", b"\xff\xfe", b"[[[[", b"k8s\0\x0a\x01", b"- a\n b: c\n", b"&a [*a]"]


class Monkey:
    def __init__(self, seed: int, resources: tuple[Resource, ...]) -> None:
        self._random = random.Random(seed)
        self._resources = resources

    def request(self) -> tuple[str, str, bytes, dict[str, Any]]:
        """Method, path, body, options."""
        choose = self._random.choice
        served = choose(self._resources).served
        gvk = served.gvk
        path = f"/apis/{gvk.group}/{gvk.version}" if gvk.group else f"/api/{gvk.version}"
        path += "/namespaces/default" if served.namespaced else ""
        path += f"/{served.plural}"
        name, method = choose(NAMES), choose(["GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE"])
        if method != "POST":
            path += f"/{name}" + choose(["", "", "", "", "/status", "/scale", "/token", "/none"])
        media = choose(PATCHES) if method == "PATCH" else "json"
        if self._random.random() < 0.03:
            media = choose(["vnd.kubernetes.protobuf", "yaml", "octet-stream"])
        body = self._operations() if media == "json-patch+json" else self._object(served.schema, name)
        if media == "apply-patch+yaml":
            body |= {"apiVersion": gvk.api_version, "kind": gvk.kind}
        data = orjson.dumps(body) if self._random.random() < 0.95 else choose(BYTES)
        options = {"fieldManager": "m", **choose(QUERIES), "headers": {"content-type": f"application/{media}"}}
        return method, path, data, options

    def _object(self, schema: Any, name: str) -> Any:
        body = self._map(0)
        metadata: dict[str, Any] = {"name": name}
        if self._random.random() < 0.2:
            metadata[self._random.choice(FIELDS)] = self._value(0)
        properties = schema.get("properties") or {"spec": {}}
        field = self._random.choice(list(properties))
        below = list(properties[field].get("properties") or ())
        if below:
            body[field] = {key: self._value(1) for key in self._random.sample(below, min(3, len(below)))}
        if self._random.random() < 0.9:
            body.pop("kind", None)
            body["metadata"] = metadata
        return body

    def _operations(self) -> Any:
        paths = ["/spec", "/metadata/name", "/metadata/labels", "/a/b", "", "/metadata/finalizers/-", "x", 1]
        kinds = ["add", "remove", "replace", "test", "move", "copy", "zz"]
        choose = self._random.choice
        return [{"op": choose(kinds), "path": choose(paths), "value": self._value(0), "from": "/spec"} for _ in "ab"]

    def _value(self, depth: int) -> Any:
        dice = self._random.random()
        if depth < 3 and dice < 0.35:
            return self._map(depth)
        if depth < 3 and dice < 0.5:
            return [self._value(depth + 1) for _ in range(2)]
        return copy.deepcopy(self._random.choice(JUNK))

    def _map(self, depth: int) -> dict[str, Any]:
        return {self._random.choice(WORDS): self._value(depth + 1) for _ in range(3)}


@pytest.mark.parametrize("seed", range(4))
async def test_nonsense_is_refused_and_breaks_nothing(api: Any, server: Any, make: Any, seed: int) -> None:
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
    crd = make.definition({"n": {"type": "integer"}}, subresources={"status": {}, "scale": scale})
    await api.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
    monkey = Monkey(seed, server.context.registry.serving("root").resources)
    for _ in range(1500):
        method, path, body, options = monkey.request()
        answer = await api.call(method, path, body, **options)
        assert answer.status_code < 500, (method, path, body, options, answer.text)
    await api.post("/api/v1/namespaces/default/configmaps", make.config("still-alive"))
