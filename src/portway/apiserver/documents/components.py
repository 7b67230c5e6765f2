"""The schemas that documents publish: of a served resource, of its list, and of the built-in types they refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from portway.apiserver.documents import operations
from portway.krm.builtins import definitions
from portway.krm.identity import GroupVersionKind
from portway.krm.served import Served

Schema = dict[str, Any]
V2 = "#/definitions/"
V3 = "#/components/schemas/"
_META_KINDS = frozenset(f"{definitions.META}.{kind}" for kind in ("DeleteOptions", "Status", "WatchEvent"))
_NESTED = ("items", "additionalProperties", "not")
_NESTED_LISTS = ("allOf", "anyOf", "oneOf")
_V2_DROPPED = ("oneOf", "anyOf", "allOf", "not", "nullable", "x-kubernetes-validations")


def of(served: Served, prefix: str) -> dict[str, Schema]:
    """Schemas of the kind and of its list by definition name."""
    name = operations.component_name(served.gvk)
    kinds = [_gvk(served.gvk)]
    own = _custom(served.schema, prefix) if served.custom else dict(declared(name, prefix))
    own["x-kubernetes-group-version-kind"] = kinds
    if served.custom and served.selectable_fields:
        own["x-kubernetes-selectable-fields"] = [{"fieldPath": path} for path in served.selectable_fields]
    found = {name: own}
    if served.list_kind and "list" in served.verbs:
        found[f"{name}List"] = _list(served, name, prefix)
    return found


def needed(served: Served) -> frozenset[str]:
    """Names of the built-in definitions that the resource's schemas and operations refer to."""
    name = operations.component_name(served.gvk)
    roots = {definitions.OBJECT_META, definitions.LIST_META, operations.STATUS}
    roots |= {operations.DELETE_OPTIONS, operations.PATCH}
    roots |= {operations.component_name(s.kind) for s in served.subresources if s.kind}
    if not served.custom:
        roots |= definitions.references(name) - {name}
    return frozenset(r for root in roots for r in definitions.references(root))


@cache
def declared(name: str, prefix: str) -> Schema:
    """Published schema of a built-in definition."""
    for scalar, schema in definitions.SCALAR_COMPONENTS.values():
        if scalar == name:
            return {k: v for k, v in schema.items() if prefix == V3 or k != "oneOf"} | (
                {"type": "string"} if prefix == V2 and "oneOf" in schema else {}
            )
    schema = _walk(definitions.component(name), lambda node: _referred(node, prefix))
    if name in _META_KINDS:
        kind = name.rpartition(".")[2]
        schema["x-kubernetes-group-version-kind"] = [_gvk(GroupVersionKind("", "v1", kind))]
    return schema


def _referred(node: Schema, prefix: str) -> Schema:
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return node
    target = {"$ref": prefix + reference}
    beside = {k: v for k, v in node.items() if k != "$ref"}
    if not beside:
        return target
    # In v3 a $ref swallows what stands beside it; upstream wraps it in allOf. In v2 it may stand beside.
    return {"allOf": [target], **beside} if prefix == V3 else {**target, **beside}


def _custom(schema: Mapping[str, Any], prefix: str) -> Schema:
    if prefix == V2 and schema.get("x-kubernetes-preserve-unknown-fields"):
        return {"type": "object"}  # as upstream: clients of v2 refuse unknown fields where any are named
    metadata = {"$ref": definitions.OBJECT_META, "description": "Standard object's metadata: name, place and history."}
    published = dict(schema)
    properties = dict(schema.get("properties") or {})
    properties.pop("metadata", None)
    published["properties"] = properties
    change = _to_v2 if prefix == V2 else _to_v3
    published = _walk(published, change)
    published.setdefault("properties", {})["metadata"] = _referred(metadata, prefix)
    return published


def _to_v3(node: Schema) -> Schema:
    """What x-kubernetes-* extensions mean is said in OpenAPI, too."""
    if node.get("x-kubernetes-int-or-string") and not node.keys() & {"type", "anyOf", "allOf"}:
        return {**node, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    if not node.get("x-kubernetes-embedded-resource"):
        return node
    properties = dict(node.get("properties") or {})
    for name, value in definitions.TYPE_FIELDS.items():
        properties.setdefault(name, value)
    properties.setdefault("metadata", {"allOf": [{"$ref": V3 + definitions.OBJECT_META}]})
    required = [name for name in ("kind", "apiVersion") if name not in (node.get("required") or ())]
    return {**node, "properties": properties, "required": [*(node.get("required") or ()), *required]}


def _to_v2(node: Schema) -> Schema:
    """v2 knows neither alternatives nor null; such nodes are published open, as upstream does."""
    plain = {k: v for k, v in node.items() if k not in _V2_DROPPED}
    if node.get("nullable") or node.get("x-kubernetes-int-or-string"):
        for key in ("type", "items", "properties", "additionalProperties", "required"):
            plain.pop(key, None)
    elif node.get("x-kubernetes-preserve-unknown-fields"):
        plain.pop("items", None)
        plain.pop("properties", None)
    return plain


def _walk(node: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A copy with ``change`` done to every schema node, children first."""
    copy = dict(node)
    if isinstance(copy.get("properties"), Mapping):
        copy["properties"] = {k: _walk(v, change) for k, v in copy["properties"].items()}
    for key in _NESTED:
        if isinstance(copy.get(key), Mapping):
            copy[key] = _walk(copy[key], change)
    for key in _NESTED_LISTS:
        if isinstance(copy.get(key), list):
            copy[key] = [_walk(v, change) for v in copy[key]]
    return change(copy)


def _list(served: Served, name: str, prefix: str) -> Schema:
    kind = served.gvk._replace(kind=served.list_kind)
    metadata = {"$ref": definitions.LIST_META, "description": "Version of the list and the way to its next page."}
    return {
        "description": f"A list of {served.gvk.kind}.",
        "type": "object",
        "required": ["items"],
        "properties": {
            **definitions.TYPE_FIELDS,
            "items": {"description": "The objects.", "type": "array", "items": {"$ref": prefix + name}},
            "metadata": _referred(metadata, prefix),
        },
        "x-kubernetes-group-version-kind": [_gvk(kind)],
    }


def _gvk(gvk: GroupVersionKind) -> dict[str, str]:
    return {"group": gvk.group, "kind": gvk.kind, "version": gvk.version}


group_version_kind = _gvk
