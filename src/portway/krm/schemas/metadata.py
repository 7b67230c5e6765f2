"""The schema of ObjectMeta, which custom resources share and no CRD spells out.

Source: k8s.io/apimachinery meta/v1 ObjectMeta, with the merge keys and list types of its OpenAPI document.
"""

from __future__ import annotations

from typing import Any, Final

_STRING: Final[dict[str, Any]] = {"type": "string"}
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_INTEGER: Final[dict[str, Any]] = {"type": "integer", "format": "int64"}
_STRINGS: Final[dict[str, Any]] = {"type": "object", "additionalProperties": _STRING}

_OWNER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["apiVersion", "kind", "name", "uid"],
    "x-kubernetes-map-type": "atomic",
    "properties": {
        "apiVersion": _STRING,
        "kind": _STRING,
        "name": _STRING,
        "uid": _STRING,
        "controller": {"type": "boolean"},
        "blockOwnerDeletion": {"type": "boolean"},
    },
}

_FIELDS_ENTRY: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "manager": _STRING,
        "operation": _STRING,
        "apiVersion": _STRING,
        "time": _TIME,
        "fieldsType": _STRING,
        "fieldsV1": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "subresource": _STRING,
    },
}

OBJECT_META: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "name": _STRING,
        "generateName": _STRING,
        "namespace": _STRING,
        "selfLink": _STRING,
        "uid": _STRING,
        "resourceVersion": _STRING,
        "generation": _INTEGER,
        "creationTimestamp": _TIME,
        "deletionTimestamp": _TIME,
        "deletionGracePeriodSeconds": _INTEGER,
        "labels": _STRINGS,
        "annotations": _STRINGS,
        "ownerReferences": {
            "type": "array",
            "items": _OWNER,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "x-kubernetes-patch-merge-key": "uid",
            "x-kubernetes-patch-strategy": "merge",
        },
        "finalizers": {
            "type": "array",
            "items": _STRING,
            "x-kubernetes-list-type": "set",
            "x-kubernetes-patch-strategy": "merge",
        },
        "managedFields": {"type": "array", "items": _FIELDS_ENTRY, "x-kubernetes-list-type": "atomic"},
    },
}

TYPE_AND_META: Final[dict[str, Any]] = {
    "apiVersion": _STRING,
    "kind": _STRING,
    "metadata": OBJECT_META,
}
"""What every object has whether its schema says so or not."""


def with_type_and_meta(schema: Any) -> dict[str, Any]:
    """The schema of a whole (or embedded) object, with apiVersion, kind and ObjectMeta spelled out.

    A ``metadata`` declared with properties of its own (built-in kinds, or a restricted name) keeps those
    restrictions; the other ObjectMeta fields are added.
    """
    declared = dict(schema.get("properties") or {})
    for name, default in TYPE_AND_META.items():
        declared[name] = _merged(declared.get(name), default)
    return {**schema, "properties": declared}


def _merged(declared: Any, default: dict[str, Any]) -> dict[str, Any]:
    if not declared:
        return default
    if "properties" not in default:
        return {**default, **declared}
    properties = dict(default["properties"])
    for name, schema in (declared.get("properties") or {}).items():
        properties[name] = {**properties.get(name, {}), **schema}
    return {**default, **declared, "properties": properties}
