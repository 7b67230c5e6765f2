"""Request bodies as manifests: media types, kind and version, strictness about what is not declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portway.apiserver import metadata
from portway.apiserver.requests import Request
from portway.krm import causes, decoding, protobuf
from portway.krm.decoding import Decoded
from portway.krm.errors import bad_request, invalid, unsupported_media_type
from portway.krm.identity import GroupVersionKind, Manifest
from portway.krm.schemas import validating

PROTOBUF = "application/vnd.kubernetes.protobuf"


def media_type(request: Request) -> str:
    return request.header(b"content-type").partition(";")[0].strip().lower()


async def read(request: Request, *, protobuf_allowed: bool = True) -> Decoded:
    """The decoded body. Raises StatusError 400 and 415."""
    media = media_type(request)
    body = await request.body()
    if media == PROTOBUF and protobuf_allowed:
        return Decoded(protobuf.decode(body))
    if media in ("application/yaml", "application/x-yaml", "text/yaml"):
        return decoding.decode_yaml(body)
    if media in ("", "application/json", "*/*", "application/x-www-form-urlencoded"):
        return decoding.decode_json(body) if body else _nothing(request)
    supported = ["application/json", "application/yaml", *([PROTOBUF] if protobuf_allowed else [])]
    raise unsupported_media_type(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(supported)}"
    )


def _nothing(request: Request) -> Decoded:
    """A deletion and a verb of an object need no body. Raises StatusError 400 where an object is expected."""
    if request.method == "PUT" or (request.method == "POST" and not request.target.subresource):
        raise bad_request("the request has no body: it must be an object, as JSON, YAML or Protobuf")
    return Decoded({})


async def read_manifest(request: Request, gvk: GroupVersionKind, *, custom: bool) -> tuple[Manifest, Decoded]:
    """A body of kind ``gvk``; apiVersion and kind may be left out, but not differ. Raises StatusError 400."""
    decoded = await read(request, protobuf_allowed=not custom)
    return typed(decoded.value, gvk), decoded


def typed(value: Any, gvk: GroupVersionKind) -> Manifest:
    if not isinstance(value, dict):
        raise bad_request(f"the body of the request must be an object of kind {gvk.kind}")
    version, kind = value.get("apiVersion") or gvk.api_version, value.get("kind") or gvk.kind
    if version != gvk.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({gvk.api_version})"
        )
    if kind != gvk.kind:
        raise bad_request(f"the kind in the data ({kind}) does not match the expected kind ({gvk.kind})")
    manifest = {"apiVersion": version, "kind": kind, **value}
    manifest["apiVersion"], manifest["kind"] = version, kind
    fields = manifest.get("metadata")
    if fields is None:
        manifest["metadata"] = {}
    elif not isinstance(fields, dict):
        raise bad_request(f"{gvk.kind}: metadata must be an object")
    else:
        metadata.check_types(gvk.kind, fields)
    return manifest


def check_types(gvk: GroupVersionKind, schema: Mapping[str, Any], manifest: Manifest) -> None:
    """Raises StatusError 400 for values that a typed client could not decode.

    Null is as good as absent, and in a list or a map as good as an empty item, which takes its place.
    """
    for cause in validating.validate(schema, manifest):
        if cause.reason == "FieldValueTypeInvalid" and '"null"' in cause.message:
            _fill_nulls(schema, manifest)
        elif cause.reason == "FieldValueTypeInvalid" and "must be of type byte" in cause.message:
            raise bad_request(
                f'{gvk.kind} in version "{gvk.version}" cannot be handled as a {gvk.kind}: '
                f"{cause.field}: illegal base64 data"
            )
        elif cause.reason == "FieldValueTypeInvalid":
            raise bad_request(
                f'{gvk.kind} in version "{gvk.version}" cannot be handled as a {gvk.kind}: '
                f"json: cannot unmarshal {cause.field}: {cause.message}"
            )


_EMPTY: Mapping[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def _fill_nulls(schema: Mapping[str, Any], value: Any) -> None:
    if isinstance(value, list):
        items = schema.get("items") or {}
        empty = _EMPTY.get(items.get("type", ""))
        for index, item in enumerate(value):
            if item is None and empty is not None:
                value[index] = empty()
            _fill_nulls(items, item)
    elif isinstance(value, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        of_others = others if isinstance(others, Mapping) else {}
        empty = _EMPTY.get(of_others.get("type", ""))
        for key, item in value.items():
            if item is None and key not in properties and empty is not None:
                value[key] = empty()
            _fill_nulls(properties.get(key) or of_others, item)


_OPERATION = frozenset(("op", "path", "from", "value"))


@dataclass(frozen=True, slots=True)
class PatchBody:
    """A patch as it was read, for complaints of it."""

    read: Decoded
    shown: str = ""
    """What a refusal names as the bad value: what the patch made, of a strategic one the patch itself."""

    def complaints(self) -> list[str]:
        operations = self.read.value if isinstance(self.read.value, list) else []
        what = "json patch " if operations else ""
        unknown = [
            f'{what}unknown field "[{index}].{name}"'
            for index, operation in enumerate(operations)
            if isinstance(operation, dict)
            for name in sorted(operation.keys() - _OPERATION)
        ]
        return [*unknown, *(f'{what}duplicate field "{path}"' for path in self.read.duplicates)]


Source = Decoded | PatchBody | None
"""Where a manifest comes from; None when nobody sent it."""


def be_strict(request: Request, gvk: GroupVersionKind, unknown: Iterable[str], source: Source) -> None:
    """Ignore, warn of, or refuse fields that are unknown or given twice, as fieldValidation asks."""
    mode = request.field_validation
    if mode == "Ignore":
        return
    complaints = [f'unknown field "{path}"' for path in unknown]
    if isinstance(source, PatchBody):
        complaints = [*source.complaints(), *complaints]
    elif source is not None:
        complaints += [f'duplicate field "{path}"' for path in source.duplicates]
    if not complaints:
        return
    if mode == "Warn":
        request.warnings.extend(complaints)
        return
    told = f"strict decoding error: {', '.join(complaints)}"
    if isinstance(source, PatchBody):
        raise invalid("", "", (causes.invalid("patch", source.shown, told),))
    raise bad_request(f'{gvk.kind} in version "{gvk.version}" cannot be handled as a {gvk.kind}: {told}')


def tell_duplicates(request: Request, duplicates: Iterable[tuple[str, int]]) -> None:
    """(key, line) of an applied configuration, in the words of the YAML library that upstream reads it with."""
    lines = "".join(f'\n  line {line}: key "{key}" already set in map' for key, line in duplicates)
    told = f"error converting YAML to JSON: yaml: unmarshal errors:{lines}"
    if request.field_validation == "Strict":
        raise bad_request(f"error strict decoding YAML: {told}")
    request.warnings.append(told)
