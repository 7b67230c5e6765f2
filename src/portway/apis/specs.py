"""The base of all typed specs, and their structural schemas.

A spec is read with ``Spec.read(manifest)`` at the edge and typed inside. Field names are camelCase on the wire.
"""

from __future__ import annotations

from typing import Any, Self

import pydantic
from pydantic.alias_generators import to_camel

from portway.krm.identity import Manifest


class Spec(pydantic.BaseModel):
    """A frozen part of an object. Unknown fields are kept out (the API prunes them before)."""

    model_config = pydantic.ConfigDict(
        frozen=True, populate_by_name=True, alias_generator=to_camel, extra="ignore", use_enum_values=False
    )

    @classmethod
    def read(cls, value: Manifest | None) -> Self:
        """Coerce a raw ``spec`` or ``status``. Raises pydantic.ValidationError on what the API never admits."""
        return cls.model_validate(value or {})

    def write(self) -> Manifest:
        """The wire form, without unset optional fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


OPEN: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}
"""``json_schema_extra`` of fields that hold free-form objects."""


def structural(model: type[Spec]) -> dict[str, Any]:
    """The structural OpenAPI v3 schema of a model (no $ref, no titles, no anyOf-null)."""
    raw = model.model_json_schema(by_alias=True, mode="validation")
    return _flatten(raw, raw.get("$defs", {}))


def _flatten(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        named = definitions[node["$ref"].rsplit("/", 1)[1]]
        return _flatten({**named, **{k: v for k, v in node.items() if k != "$ref"}}, definitions)
    if "anyOf" in node:
        return _flatten_optional(node, definitions)
    if "allOf" in node and len(node["allOf"]) == 1:
        rest = {k: v for k, v in node.items() if k != "allOf"}
        return _flatten({**node["allOf"][0], **rest}, definitions)
    flat: dict[str, Any] = {}
    for key, value in node.items():
        flat.update(_flatten_keyword(key, value, definitions))
    if "type" not in flat and not flat.get("x-kubernetes-int-or-string"):
        if flat.get("properties"):
            flat["type"] = "object"
        else:
            flat.update(OPEN)
    return flat


def _flatten_keyword(key: str, value: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if key in ("title", "$defs", "discriminator", "propertyNames"):
        return {}
    if key == "default" and not value:  # an empty default is what an absent field means anyway
        return {}
    if key == "additionalProperties" and isinstance(value, bool):
        return dict(OPEN) if value else {}
    if key == "properties":
        return {key: {name: _flatten(child, definitions) for name, child in value.items()}}
    if key in ("items", "additionalProperties"):
        return {key: _flatten(value, definitions)}
    if key == "const":
        return {"enum": [value]}
    if key == "exclusiveMinimum":
        return {"minimum": value, "exclusiveMinimum": True}
    return {key: value}


def _flatten_optional(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    options = [option for option in node["anyOf"] if option.get("type") != "null"]
    rest = {k: v for k, v in node.items() if k != "anyOf"}
    if len(options) == 1:
        return _flatten({**options[0], **rest}, definitions)
    if {option.get("type") for option in options} == {"integer", "string"}:
        rest.pop("title", None)
        return {**rest, "x-kubernetes-int-or-string": True}
    return {"description": node.get("description", ""), **OPEN}
