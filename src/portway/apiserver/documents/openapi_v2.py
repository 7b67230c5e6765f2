"""/openapi/v2: one document of everything, as JSON. Terraform and older clients read it; kubectl prefers v3."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson

from portway import __version__
from portway.apiserver.documents import bodies, components, operations, parameters
from portway.apiserver.documents.bodies import Document
from portway.apiserver.documents.caching import by_identity
from portway.apiserver.documents.operations import Operation
from portway.krm.served import Served

_TYPES = ["application/json", "application/yaml"]
_PHRASES = {200: "OK", 201: "Created", 202: "Accepted"}


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
        "info": {"title": "Portway", "version": __version__},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.items())),
        "securityDefinitions": {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}},
        "security": [{"BearerToken": []}],
    }
    return bodies.document(value)


@by_identity(maxsize=1024)
def _fragment(served: Sequence[Served]) -> Fragment:
    (resource,) = served
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations.operations(resource):
        path = paths.setdefault(operation.path, {})
        path[operation.method] = _operation(operation)
        shared = [parameters.path(name, v2=True) for name in operation.path_parameters]
        if shared:
            path["parameters"] = shared
    schemas = components.of(resource, components.V2)
    return Fragment(
        {k: orjson.Fragment(orjson.dumps(v)) for k, v in paths.items()},
        {k: orjson.Fragment(orjson.dumps(v)) for k, v in schemas.items()},
        components.needed(resource),
    )


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
