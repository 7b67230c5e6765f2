"""/openapi/v3: an index with a hash a group version, and a complete document for each.

kubectl decides by these whether the server validates fields (parameter ``fieldValidation`` on the PATCH of the kind),
explains kinds from them and learns merge keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson

from portway import __version__
from portway.apiserver.documents import bodies, components, operations, parameters
from portway.apiserver.documents.bodies import Document
from portway.apiserver.documents.caching import by_identity
from portway.apiserver.documents.discovery import missing
from portway.apiserver.documents.operations import Operation
from portway.krm.identity import GroupVersion
from portway.krm.served import Served

_TYPES = ("application/json", "application/yaml")


class Fragment(NamedTuple):
    """What one resource adds to a document, already written out."""

    paths: dict[str, orjson.Fragment]
    schemas: dict[str, orjson.Fragment]
    needed: frozenset[str]


@by_identity(maxsize=256)
def index(served: Sequence[Served]) -> Document:
    """/openapi/v3. URLs are relative to the workspace's root, as clients keep the prefix they were configured with."""
    found = dict.fromkeys(GroupVersion(s.gvk.group, s.gvk.version) for s in served)
    paths = {}
    for group_version in found:
        path = operations.root(group_version).removeprefix("/")
        digest = document(served, group_version).hash
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return bodies.document({"paths": paths})


def document(served: Sequence[Served], group_version: GroupVersion) -> Document:
    """/openapi/v3/api/v1 or /openapi/v3/apis/<group>/<version>; raises 404 when nothing of it is served."""
    own = [s for s in served if s.gvk[:2] == tuple(group_version)]
    if not own:
        raise missing()
    return _document(own)


@by_identity(maxsize=256)
def _document(served: Sequence[Served]) -> Document:
    group_version = GroupVersion(served[0].gvk.group, served[0].gvk.version)
    root = operations.root(group_version)
    paths: dict[str, Any] = {f"{root}/": _resources_path(group_version)}
    schemas: dict[str, Any] = {}
    needed: set[str] = set()
    for resource in served:
        fragment = _fragment([resource])
        paths |= fragment.paths
        schemas |= fragment.schemas
        needed |= fragment.needed
    for name in needed - schemas.keys():
        schemas[name] = _builtin(name)
    value = {
        "openapi": "3.0.0",
        "info": {"title": "Portway", "version": __version__},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"BearerToken": {"type": "http", "scheme": "bearer", "description": "A token."}},
        },
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
        shared = [parameters.path(name) for name in operation.path_parameters]
        if shared:
            path["parameters"] = shared
    schemas = components.of(resource, components.V3)
    return Fragment(
        {k: orjson.Fragment(orjson.dumps(v)) for k, v in paths.items()},
        {k: orjson.Fragment(orjson.dumps(v)) for k, v in schemas.items()},
        components.needed(resource),
    )


@cache
def _builtin(name: str) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(components.declared(name, components.V3)))


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "description": operation.description,
        "operationId": operation.id,
        "parameters": [parameters.query(name) for name in operation.query],
    }
    if operation.body:
        schema = {"$ref": components.V3 + operation.body}
        described["requestBody"] = {
            "content": {type_: {"schema": schema} for type_ in operation.patch_types or ("*/*",)},
            **({"required": True} if operation.body_required else {}),
        }
    answer = {type_: {"schema": {"$ref": components.V3 + operation.response}} for type_ in _TYPES}
    responses: dict[str, Any] = {str(c): {"description": _PHRASES[c], "content": answer} for c in operation.codes}
    described["responses"] = {**responses, "401": {"description": "Unauthorized"}}
    described["x-kubernetes-action"] = operation.action
    described["x-kubernetes-group-version-kind"] = components.group_version_kind(operation.kind)
    return described


_PHRASES = {200: "OK", 201: "Created", 202: "Accepted"}


def _resources_path(group_version: GroupVersion) -> dict[str, Any]:
    return {
        "get": {
            "description": f"list the resources of {group_version}",
            "operationId": f"getAPIResources{group_version}".replace("/", "_"),
            "responses": {"200": {"description": "OK"}, "401": {"description": "Unauthorized"}},
        }
    }
