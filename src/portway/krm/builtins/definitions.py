"""All declared messages under their full OpenAPI names, and the schemas made from them.

``inlined`` is what validation, apply and patches walk; ``component`` is what OpenAPI documents publish, with
$refs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from portway.krm.builtins import access, core, declarations, exports, extensions, meta, templates, workspaces
from portway.krm.builtins.declarations import Field, Message

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
PACKAGES = {
    "meta": META,
    "core": "io.k8s.api.core.v1",
    "rbac": "io.k8s.api.rbac.v1",
    "authentication": "io.k8s.api.authentication.v1",
    "authorization": "io.k8s.api.authorization.v1",
    "extensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "admission": "io.k8s.api.admissionregistration.v1",
    "admissionbeta": "io.k8s.api.admissionregistration.v1beta1",
    "admissionalpha": "io.k8s.api.admissionregistration.v1alpha1",
    "autoscaling": "io.k8s.api.autoscaling.v1",
    "coordination": "io.k8s.api.coordination.v1",
    "events": "io.k8s.api.events.v1",
    "conditions": "io.kcp.conditions.v1alpha1",
    "tenancy": "io.kcp.tenancy.v1alpha1",
    "kcpcore": "io.kcp.core.v1alpha1",
    "apis": "io.kcp.apis.v1alpha1",
    "apisnext": "io.kcp.apis.v1alpha2",
}
_TEXTS = {
    "meta": meta.TEXT,
    "core": core.TEXT + templates.TEXT,
    "rbac": access.RBAC,
    "authentication": access.AUTHENTICATION,
    "authorization": access.AUTHORIZATION,
    "extensions": extensions.APIEXTENSIONS,
    "admission": extensions.ADMISSION,
    "admissionbeta": extensions.ADMISSION_BETA,
    "admissionalpha": extensions.ADMISSION_BETA,
    "autoscaling": extensions.AUTOSCALING,
    "coordination": extensions.COORDINATION,
    "events": extensions.EVENTS,
    "conditions": workspaces.CONDITIONS,
    "tenancy": workspaces.TENANCY,
    "kcpcore": workspaces.CORE,
    "apis": exports.APIS,
    "apisnext": exports.APIS_V1ALPHA2,
}

MESSAGES: dict[str, Message] = {}
for _package, _text in _TEXTS.items():
    MESSAGES.update(declarations.parse(_text, PACKAGES, _package))

OBJECT_META = f"{META}.ObjectMeta"
LIST_META = f"{META}.ListMeta"
REF = "x-portway-ref"
"""Key in inlined schemas: the definition a subschema was made from."""

TYPE_FIELDS: dict[str, Any] = {
    "apiVersion": {
        "type": "string",
        "description": "APIVersion defines group and version of the kind; ones that are not served are refused.",
    },
    "kind": {
        "type": "string",
        "description": "The kind of this object, in CamelCase; follows from the URL and cannot be changed.",
    },
}

_EXTENSIONS = PACKAGES["extensions"]
_INLINE_SCALARS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "quantity": {"x-kubernetes-int-or-string": True},
    "intorstring": {"x-kubernetes-int-or-string": True},
    "raw": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "json": {"x-kubernetes-preserve-unknown-fields": True},
    "fieldsv1": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "strings": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"},
    "object": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "schemaorarray": {"x-kubernetes-preserve-unknown-fields": True, REF: f"{_EXTENSIONS}.JSONSchemaProps"},
    "schemaorbool": {"x-kubernetes-preserve-unknown-fields": True, REF: f"{_EXTENSIONS}.JSONSchemaProps"},
    "schemaorstrings": {"x-kubernetes-preserve-unknown-fields": True},
}

RECURSIVE = frozenset((f"{_EXTENSIONS}.JSONSchemaProps",))
"""Messages that hold themselves; ``inlined`` leaves them open under ``REF``, and ``level`` opens them one at a time."""

SCALAR_COMPONENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "time": (f"{META}.Time", {"type": "string", "format": "date-time"}),
    "microtime": (f"{META}.MicroTime", {"type": "string", "format": "date-time"}),
    "fieldsv1": (f"{META}.FieldsV1", {"type": "object"}),
    "quantity": (
        "io.k8s.apimachinery.pkg.api.resource.Quantity",
        {"oneOf": [{"type": "string"}, {"type": "number"}]},
    ),
    "intorstring": (
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    ),
    "raw": ("io.k8s.apimachinery.pkg.runtime.RawExtension", {"type": "object"}),
    "json": (f"{_EXTENSIONS}.JSON", {}),
    "schemaorarray": (f"{_EXTENSIONS}.JSONSchemaPropsOrArray", {}),
    "schemaorbool": (f"{_EXTENSIONS}.JSONSchemaPropsOrBool", {}),
    "schemaorstrings": (f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray", {}),
}
"""Scalars that upstream names as definitions of their own."""


@cache
def inlined(name: str) -> dict[str, Any]:
    """Schema of a message with everything below it in place. Treat it as read-only: it is shared.

    Recursive types (JSONSchemaProps) are left open where they recur.
    """
    return _inlined(MESSAGES[name])


@cache
def level(name: str) -> dict[str, Any]:
    """Schema of a message of RECURSIVE, in which it is left open again wherever it recurs."""
    return _opened(MESSAGES[name])


def _inlined(message: Message) -> dict[str, Any]:
    if message.name in RECURSIVE:
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True, REF: message.name}
    return _opened(message)


def _opened(message: Message) -> dict[str, Any]:
    properties: dict[str, Any] = dict(TYPE_FIELDS) if message.is_kind else {}
    required: list[str] = []
    for field in message.fields:
        if field.inline:
            inner = _inlined(MESSAGES[field.type])
            properties |= inner.get("properties", {})
            required += inner.get("required", [])
            continue
        if field.required:
            required.append(field.name)
        base = _inlined_base(field)
        properties[field.name] = _with_flags(field, base)
    schema: dict[str, Any] = {"type": "object", REF: message.name}
    if message.description:
        schema["description"] = message.description
    if properties:
        schema["properties"] = properties
    if required:
        schema["required"] = required
    if message.atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    return schema


def _inlined_base(field: Field) -> dict[str, Any]:
    if not field.is_message:
        return dict(_INLINE_SCALARS[field.type])
    if field.type == OBJECT_META:
        return dict(inlined(OBJECT_META))
    return _inlined(MESSAGES[field.type])


def _with_flags(field: Field, base: dict[str, Any]) -> dict[str, Any]:
    """Wraps ``base`` as list or map and adds what the field's flags say."""
    schema = dict(base)
    if field.repeated:
        schema = {"type": "array", "items": schema}
    elif field.mapped:
        schema = {"type": "object", "additionalProperties": schema}
    description = field.description or (MESSAGES[field.type].description if field.is_message else "")
    if description:
        schema["description"] = description
    flags = field.flags
    if "atomic" in flags:
        schema["x-kubernetes-list-type" if field.repeated else "x-kubernetes-map-type"] = "atomic"
    if "set" in flags:
        schema["x-kubernetes-list-type"] = "set"
    if "map" in flags:
        schema["x-kubernetes-list-type"] = "map"
        schema["x-kubernetes-list-map-keys"] = flags["map"].split(",")
    if "merge" in flags:
        schema["x-kubernetes-patch-strategy"] = "merge"
        if flags["merge"]:
            schema["x-kubernetes-patch-merge-key"] = flags["merge"]
    if "enum" in flags:
        schema["enum"] = flags["enum"].split("|")
    if "pattern" in flags:
        schema["pattern"] = flags["pattern"]
    if field.default is not None:
        schema["default"] = field.default
    return schema


@cache
def component(name: str) -> dict[str, Any]:
    """Published schema of a message; a message below it is {"$ref": <full name>}, for documents to prefix."""
    message = MESSAGES[name]
    properties: dict[str, Any] = dict(TYPE_FIELDS) if message.is_kind else {}
    required: list[str] = []
    for field in message.fields:
        if field.inline:
            inner = component(field.type)
            properties |= inner.get("properties", {})
            required += inner.get("required", [])
            continue
        if field.required:
            required.append(field.name)
        properties[field.name] = _with_flags(field, _component_base(field))
    schema: dict[str, Any] = {"type": "object"}
    if message.description:
        schema["description"] = message.description
    if properties:
        schema["properties"] = properties
    if required:
        schema["required"] = required
    if message.atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    return schema


def _component_base(field: Field) -> dict[str, Any]:
    if field.is_message:
        return {"$ref": field.type}
    if field.type in SCALAR_COMPONENTS:
        return {"$ref": SCALAR_COMPONENTS[field.type][0]}
    return dict(_INLINE_SCALARS[field.type])


@cache
def references(name: str) -> frozenset[str]:
    """Full names of all definitions a message needs, itself included."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        message = MESSAGES.get(current)
        for field in message.fields if message else ():
            if field.is_message:
                waiting.append(field.type)
            elif field.type in SCALAR_COMPONENTS:
                waiting.append(SCALAR_COMPONENTS[field.type][0])
    return frozenset(found)
