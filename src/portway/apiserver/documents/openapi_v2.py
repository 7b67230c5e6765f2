"""/openapi/v2: one document of everything. Terraform reads it as JSON, client-go as protobuf; kubectl prefers v3."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson

from portway import __version__
from portway.apiserver.documents import bodies, components, gnostic, operations, parameters
from portway.apiserver.documents.bodies import Document
from portway.apiserver.documents.caching import by_identity
from portway.apiserver.documents.operations import Operation
from portway.krm.served import Served

_TYPES = ["application/json", "application/yaml"]
_PHRASES = {200: "OK", 201: "Created", 202: "Accepted"}


PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_TITLE = "Portway"


class Fragment(NamedTuple):
    paths: dict[str, orjson.Fragment]
    definitions: dict[str, orjson.Fragment]
    needed: frozenset[str]


@by_identity(maxsize=8)
def document(served: Sequence[Served]) -> Document:
    paths: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    needed: set[str] = set()
    for resource in served:
        fragment = _fragment([resource])
        paths |= fragment.paths
        definitions |= fragment.definitions
        needed |= fragment.needed
    for name in needed - definitions.keys():
        definitions[name] = _builtin(name)
    value = {
        "swagger": "2.0",
        "info": {"title": _TITLE, "version": __version__},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.items())),
        "securityDefinitions": {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}},
        "security": [{"BearerToken": []}],
    }
    return bodies.document(value)


@by_identity(maxsize=1024)
def _fragment(served: Sequence[Served]) -> Fragment:
    (resource,) = served
    schemas = components.of(resource, components.V2)
    return Fragment(
        {k: orjson.Fragment(orjson.dumps(v)) for k, v in _paths(resource).items()},
        {k: orjson.Fragment(orjson.dumps(v)) for k, v in schemas.items()},
        components.needed(resource),
    )


@by_identity(maxsize=8)
def protobuf(served: Sequence[Served]) -> Document:
    """The same document in client-go's form."""
    paths: list[bytes] = []
    definitions: dict[str, bytes] = {}
    needed: set[str] = set()
    for resource in served:
        own_paths, own_definitions = _encoded([resource])
        paths.append(own_paths)
        definitions |= own_definitions
        needed |= components.needed(resource)
    for name in needed - definitions.keys():
        definitions[name] = _encoded_builtin(name)
    joined = b"".join(definitions[name] for name in sorted(definitions))
    return bodies.of_bytes(gnostic.document(_TITLE, __version__, b"".join(paths), joined), PROTOBUF)


@by_identity(maxsize=1024)
def _encoded(served: Sequence[Served]) -> tuple[bytes, dict[str, bytes]]:
    (resource,) = served
    schemas = components.of(resource, components.V2)
    paths = b"".join(gnostic.path(name, node) for name, node in _paths(resource).items())
    return paths, {name: gnostic.definition(name, schema) for name, schema in schemas.items()}


@cache
def _encoded_builtin(name: str) -> bytes:
    return gnostic.definition(name, components.declared(name, components.V2))


def _paths(resource: Served) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations.operations(resource):
        path = paths.setdefault(operation.path, {})
        path[operation.method] = _operation(operation)
        shared = [parameters.path(name, v2=True) for name in operation.path_parameters]
        if shared:
            path["parameters"] = shared
    return paths


@cache
def _builtin(name: str) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(components.declared(name, components.V2)))


def _operation(operation: Operation) -> dict[str, Any]:
    given = [parameters.query(name, v2=True) for name in operation.query]
    if operation.body:
        body: dict[str, Any] = {"name": "body", "in": "body", "schema": {"$ref": components.V2 + operation.body}}
        given.append({**body, "required": True} if operation.body_required else body)
    answer = {"$ref": components.V2 + operation.response}
    responses: dict[str, Any] = {str(c): {"description": _PHRASES[c], "schema": answer} for c in operation.codes}
    return {
        "tags": [operation.tag],
        "description": operation.description,
        "operationId": operation.id,
        "consumes": list(operation.patch_types) or ["*/*"],
        "produces": _TYPES,
        "schemes": ["https"],
        "parameters": given,
        "responses": {**responses, "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": components.group_version_kind(operation.kind),
    }
