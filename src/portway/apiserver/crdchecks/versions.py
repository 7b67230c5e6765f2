"""The versions of a definition: their names, schemas, subresources, printer columns and selectable fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from portway.apiserver import names
from portway.krm import causes
from portway.krm.cel import fieldpaths, rulechecks
from portway.krm.errors import Cause
from portway.krm.schemas import formats, structural

Version = Mapping[str, Any]

_PARTS = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
"""Parts that versions can have in common, each with its name in ``spec`` in the form that upstream judges."""
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_MOST_SELECTABLE = 8
_WARNING_LIMIT = 256
_AT_ROOT = {
    "Description": "description",
    "Type": "type",
    "Format": "format",
    "Title": "title",
    "Maximum": "maximum",
    "ExclusiveMaximum": "exclusiveMaximum",
    "Minimum": "minimum",
    "ExclusiveMinimum": "exclusiveMinimum",
    "MaxLength": "maxLength",
    "MinLength": "minLength",
    "Pattern": "pattern",
    "MaxItems": "maxItems",
    "MinItems": "minItems",
    "UniqueItems": "uniqueItems",
    "MultipleOf": "multipleOf",
    "Required": "required",
    "Items": "items",
    "Properties": "properties",
    "ExternalDocs": "externalDocs",
    "Example": "example",
    "XPreserveUnknownFields": "x-kubernetes-preserve-unknown-fields",
    "XValidations": "x-kubernetes-validations",
}
"""Fields of a schema whose status is written apart, by the names they have in upstream's text."""


def check(versions: Sequence[Version], old: Sequence[Version]) -> Iterator[Cause]:
    """``old``: the stored versions; a schema that is as it was is not judged again."""
    known = {version.get("name"): version for version in old}
    alike = {part for part in _PARTS if _alike(versions, part)}
    seen: set[str] = set()
    for index, version in enumerate(versions):
        path, name = f"spec.versions[{index}]", version.get("name") or ""
        faults = names.dns_1035_faults(name)
        if faults:
            yield causes.invalid(f"{path}.name", name, ",".join(faults))
        yield from _check_warning(version, path)
        for part, judge in _JUDGES.items():
            if index == 0 or part not in alike:
                yield from judge(version, known.get(name) or {}, path)
        seen.add(name)
    for wrong, text in (
        (len(seen) < len(versions), "must contain unique version names"),
        (
            sum(bool(version.get("storage")) for version in versions) != 1,
            "must have exactly one version marked as storage version",
        ),
    ):
        if wrong and len(alike) == len(_PARTS):
            yield causes.invalid("spec.versions", [_shown(version) for version in versions], text)
        elif wrong:
            yield causes.faulty("spec.versions", text)
    faults = names.dns_1035_faults(versions[0].get("name") or "") if versions else []
    if faults:
        yield causes.invalid("spec.version", versions[0].get("name") or "", ",".join(faults))


def _shown(version: Version) -> dict[str, Any]:
    """A version of those that have all in common, with the names that its fields have in Go."""
    return {
        "Name": version.get("name") or "",
        "Served": bool(version.get("served")),
        "Storage": bool(version.get("storage")),
        "Deprecated": bool(version.get("deprecated")),
        "DeprecationWarning": version.get("deprecationWarning"),
        **dict.fromkeys(("Schema", "Subresources", "AdditionalPrinterColumns", "SelectableFields")),
    }


def shared(versions: Sequence[Version]) -> Iterator[tuple[re.Pattern[str], str]]:
    """How upstream names what all versions have in common, and the paths of columns."""
    for part, name in _PARTS.items():
        if _alike(versions, part) and (part != "schema" or _schema_of(versions[0]) is not None):
            yield re.compile(rf"\bspec\.versions\[0\]\.{part}\b"), f"spec.{name}"
    yield re.compile(r"(additionalPrinterColumns\[\d+\])\.jsonPath\b"), r"\1.JSONPath"


def strange_formats(versions: Sequence[Version]) -> list[str]:
    """Formats in the schemas that nothing checks, each once."""
    found = (name for version in versions for name in formats.strange(_schema_of(version) or {}))
    return list(dict.fromkeys(found))


def _alike(versions: Sequence[Version], part: str) -> bool:
    return bool(versions) and all(version.get(part) == versions[0].get(part) for version in versions)


def _schema_of(version: Version) -> dict[str, Any] | None:
    return (version.get("schema") or {}).get("openAPIV3Schema")


def _check_warning(version: Version, path: str) -> Iterator[Cause]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    faults = []
    if not version.get("deprecated"):
        faults = ["can only be set for deprecated versions"]
    else:
        if len(warning.encode()) > _WARNING_LIMIT:
            faults.append(f"must be <= {_WARNING_LIMIT} characters long")
        if not warning:
            faults.append("must not be an empty string")
        strange = next((i for i, character in enumerate(warning) if not character.isprintable()), None)
        if strange is not None:
            what = f"non-printable character found at index {len(warning[:strange].encode())}"
            faults.append(f"must only contain printable UTF-8 characters; {what}")
    for fault in faults:
        yield causes.invalid(f"{path}.deprecationWarning", warning, fault)


def _check_schema(version: Version, old: Version, path: str) -> Iterator[Cause]:
    schema, where = _schema_of(version), f"{path}.schema.openAPIV3Schema"
    if schema is None:
        yield causes.required(where)
        return
    if (version.get("subresources") or {}).get("status") is not None:
        yield from _check_root(schema, where)
    if schema != _schema_of(old):
        yield from structural.check(schema, where) or rulechecks.check(schema, where)


def _check_root(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """A status that is written apart has to be found apart."""
    if schema.get("type") and schema["type"] != "object":
        text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield causes.invalid(f"{path}.type", schema["type"], text)
    elif any(value for field, value in schema.items() if field not in _AT_ROOT.values()):
        listed = " ".join(_AT_ROOT)
        text = f"only [{listed}] fields are allowed at the root of the schema if the status subresource is enabled"
        yield causes.faulty(path, text)


def _check_scale(version: Version, _old: Version, path: str) -> Iterator[Cause]:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return
    for field, roots in (
        ("specReplicasPath", (".spec.",)),
        ("statusReplicasPath", (".status.",)),
        ("labelSelectorPath", (".spec.", ".status.")),
    ):
        where, given = f"{path}.subresources.scale.{field}", scale.get(field) or ""
        if not given and field != "labelSelectorPath":
            yield causes.required(where)
        elif given and given[0] != ".":
            yield causes.invalid(where, given, "must be a simple json path starting with .")
        elif given and not given.startswith(roots):
            listed = f"either {' or '.join(root.rstrip('.') for root in roots)}" if len(roots) > 1 else roots[0][:-1]
            yield causes.invalid(where, given, f"should be a json path under {listed}")


def _check_columns(version: Version, _old: Version, path: str) -> Iterator[Cause]:
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        where = f"{path}.additionalPrinterColumns[{index}]"
        kind, form, json_path = (column.get(field) or "" for field in ("type", "format", "jsonPath"))
        if not column.get("name"):
            yield causes.required(f"{where}.name")
        text = f"must be one of {','.join(_COLUMN_TYPES)}"
        if not kind:
            yield causes.required(f"{where}.type", text)
        elif kind not in _COLUMN_TYPES:
            yield causes.invalid(f"{where}.type", kind, text)
        if form and form not in _COLUMN_FORMATS:
            yield causes.invalid(f"{where}.format", form, f"must be one of {','.join(_COLUMN_FORMATS)}")
        if not json_path:
            yield causes.required(f"{where}.jsonPath")
        elif json_path[0] != ".":
            yield causes.invalid(f"{where}.jsonPath", json_path, "must be a simple json path starting with .")


def _check_selectable(version: Version, old: Version, path: str) -> Iterator[Cause]:
    schema, given = _schema_of(version), version.get("selectableFields") or ()
    seen: set[str] = set()
    for index, field in enumerate(given if schema is not None else ()):
        where, json_path = f"{path}.selectableFields[{index}].jsonPath", field.get("jsonPath") or ""
        if not json_path:
            yield causes.required(where)
            continue
        try:
            found = fieldpaths.find(json_path, schema or {}, brackets=False)
        except fieldpaths.BadPath as bad:
            yield causes.invalid(where, json_path, f"is an invalid path: {bad}")
            continue
        if found.path == ".metadata" or found.path.startswith(".metadata."):
            yield causes.invalid(where, json_path, "must not point to fields in metadata")
        if found.schema.get("type") not in ("string", "boolean", "integer"):
            text = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings with "
                "formats are allowed."
            )
            yield causes.invalid(where, json_path, text)
        if found.path in seen:
            yield causes.duplicate(where, json_path)
        seen.add(found.path)
    if len(seen) > _MOST_SELECTABLE and given != old.get("selectableFields"):
        yield causes.too_many(f"{path}.selectableFields", len(seen), _MOST_SELECTABLE)


_JUDGES: dict[str, Callable[[Version, Version, str], Iterator[Cause]]] = {
    "schema": _check_schema,
    "subresources": _check_scale,
    "additionalPrinterColumns": _check_columns,
    "selectableFields": _check_selectable,
}
