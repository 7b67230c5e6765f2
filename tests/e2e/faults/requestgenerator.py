"""Requests made up from the server's own OpenAPI v3 documents: right in part, wrong in part."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WORDS = ("a", "default", "x" * 70, "", "ä", "A_b", "kube-root-ca.crt", "-", "a/b", "1", "*", "metadata.name=a", "b=c")
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    "",
    "text",
    "1Gi",
    [],
    {},
    [None],
    [{}],
    {"a": 1},
    "\u0000",
    [[1]],
)
METHODS = {"get", "put", "post", "patch", "delete"}
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
MEDIA = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain", "")


@dataclass(frozen=True)
class Made:
    method: str
    path: str
    body: bytes
    media: str


class Generator:
    def __init__(self, documents: list[dict[str, Any]], seed: int) -> None:
        self._chance = random.Random(seed)
        self._operations: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
        for document in documents:
            schemas = (document.get("components") or {}).get("schemas") or {}
            for path, item in document["paths"].items():
                self._operations += [(m, path, operation, schemas) for m, operation in item.items() if m in METHODS]

    def requests(self, count: int) -> Iterator[Made]:
        for _ in range(count):
            method, path, operation, schemas = self._chance.choice(self._operations)
            yield self._request(method, path, operation, schemas)

    def _request(self, method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Made:
        chance = self._chance
        filled = re.sub(r"\{\w+\}", lambda _: chance.choice(("default", "a", "b", "kube-system", "Ä")), path)
        filled = filled.replace("Ä", "%C3%84")
        query = []
        for parameter in operation.get("parameters") or ():
            if parameter.get("in") == "query" and chance.random() < 0.25:
                query.append(f"{parameter['name']}={self._parameter(parameter)}")
        url = filled + ("?" + "&".join(query) if query else "")
        if "watch=true" in url or "watch=1" in url or "/watch/" in url:
            url += "&timeoutSeconds=1"
        if method in ("get", "delete") and chance.random() < 0.8:
            return Made(method.upper(), url, b"", "")
        schema = self._body_schema(operation)
        value: Any = self._value(schema, schemas, 0)
        media = chance.choice(PATCHES) if method == "patch" else chance.choices(MEDIA, (20, 2, 1, 1, 1))[0]
        if media == PATCHES[0]:
            value = [
                {
                    "op": chance.choice(("add", "remove", "replace", "test", "move", "copy", "no")),
                    "path": chance.choice(("/metadata/labels/a", "/spec", "", "/", "/data/-", "a", "/metadata")),
                    "value": copy.deepcopy(chance.choice(VALUES)),
                    "from": chance.choice(("/spec", "", "/none")),
                }
            ]
        elif isinstance(value, dict):
            value = self._named(value, filled)
        body = json.dumps(value).encode()
        if chance.random() < 0.03:
            body = body[: chance.randrange(len(body) + 1)] + chance.randbytes(3)
        return Made(method.upper(), url, body, media)

    def _named(self, value: dict[str, Any], path: str) -> dict[str, Any]:
        """Mostly valid metadata, so that the rest of the body is looked at."""
        if self._chance.random() < 0.8:
            name = path.rstrip("/").rsplit("/", 1)[-1]
            metadata: dict[str, Any] = {"name": self._chance.choice((name, "a", "b"))}
            if self._chance.random() < 0.3:
                extra = (
                    "labels",
                    "annotations",
                    "finalizers",
                    "ownerReferences",
                    "managedFields",
                    "generateName",
                    "uid",
                )
                metadata[self._chance.choice(extra)] = copy.deepcopy(
                    self._chance.choice((*VALUES, {"a": "b"}, ["x/y"], "a"))
                )
            value["metadata"] = metadata
            if self._chance.random() < 0.9:
                value.pop("apiVersion", None)
                value.pop("kind", None)
        return value

    def _parameter(self, parameter: dict[str, Any]) -> str:
        chance, kind = self._chance, (parameter.get("schema") or {}).get("type")
        if chance.random() < 0.2:
            return "".join(chance.choice("ab=,!()1") for _ in range(5))
        if kind == "boolean":
            return chance.choice(("true", "false", "1", "maybe"))
        if kind == "integer":
            return chance.choice(("0", "1", "-5", "99999999999999999999", "1.5", "x"))
        given = ("All", "Strict", "Ignore", "Warn", "Exact", "NotOlderThan", "Background", "Orphan", "Foreground")
        return chance.choice(
            (*given, "me", "0", "1", "eyJ2IjoxfQ", "a%20in%20(b)", "metadata.name%3Da", "%00", "%F0%9F%98%80")
        )

    def _body_schema(self, operation: dict[str, Any]) -> dict[str, Any]:
        content = (operation.get("requestBody") or {}).get("content") or {}
        for media in content.values():
            return dict(media.get("schema") or {})
        return {}

    def _value(self, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
        chance = self._chance
        if chance.random() < 0.06 or depth > 7:
            return copy.deepcopy(chance.choice(VALUES))
        schema = _resolved(schema, schemas)
        if "enum" in schema and chance.random() < 0.8:
            return chance.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._object(schema, schemas, depth)
        if kind == "array":
            return [self._value(schema.get("items") or {}, schemas, depth + 1) for _ in range(chance.randrange(3))]
        if kind == "string":
            return chance.choice((*WORDS, "2026-01-01T00:00:00Z", "v1", "Ready", "aGk="))
        if kind in ("integer", "number"):
            return chance.choice((0, 1, -1, 80, 2**40, 1.5))
        if kind == "boolean":
            return chance.random() < 0.5
        return copy.deepcopy(chance.choice(VALUES))

    def _object(self, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> dict[str, Any]:
        chance, required = self._chance, set(schema.get("required") or ())
        value = {
            name: self._value(child, schemas, depth + 1)
            for name, child in (schema.get("properties") or {}).items()
            if name in required or chance.random() < 0.35
        }
        additional = schema.get("additionalProperties")
        if isinstance(additional, dict):
            value[chance.choice(WORDS)] = self._value(additional, schemas, depth + 1)
        if chance.random() < 0.05:
            value["surprise"] = copy.deepcopy(chance.choice(VALUES))
        return value


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    for _ in range(5):
        if "$ref" in schema:
            schema = schemas.get(schema["$ref"].rsplit("/", 1)[-1]) or {}
        elif len(schema.get("allOf") or ()) == 1:
            schema = schema["allOf"][0]
        else:
            break
    return schema
