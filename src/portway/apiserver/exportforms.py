"""APIExport and APIBinding as apis.kcp.io v1alpha1 and v1alpha2 have them.

v1alpha2 is the stored version. What a version cannot say of what is wanted lies in annotations under kcp's names while
an object is shown in it, and comes back from there: a client that knows one version loses nothing of the other. Fields
that this v1alpha1 has beyond kcp's (``verbs``, ``selector``) count before the annotation.
Source: kcp sdk/apis/apis/v1alpha2 types_apiexport_conversion.go and types_apibinding_conversion.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from portway.krm.identity import Manifest

GROUP = "apis.kcp.io"
OLD = f"{GROUP}/v1alpha1"
CURRENT = f"{GROUP}/v1alpha2"
ALL_VERBS = "*"

SCHEMAS_ANNOTATION = "apis.v1alpha2.kcp.io/resource-schemas"
ASKED_ANNOTATION = "apis.v1alpha2.kcp.io/permission-claims"
ANSWERED_ANNOTATION = "apis.v1alpha2.kcp.io/acceptable-permission-claims"
NAMED_ANNOTATION = "apis.v1alpha2.kcp.io/v1alpha1-permission-claims"
"""Claims on objects by name, which only v1alpha1 can say."""

_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("group", "resource", "identityHash", "name", "schema", "state"), str),
    **dict.fromkeys(("verbs", "resourceSelector"), list),
    **dict.fromkeys(("selector", "defaultSelector", "storage"), dict),
}
"""What annotations may hold; the rest is for the schema to check."""

_Claims = list[Manifest]
_About = tuple[str, str, str]


def convert(manifest: Manifest, api_version: str) -> Manifest:
    """The same APIExport or APIBinding in the other version; what is in that version already comes back as it is."""
    if manifest["apiVersion"] == api_version:
        return manifest
    is_export = manifest["kind"] == "APIExport"
    if api_version == CURRENT:
        change = _raise_export if is_export else _raise_binding
    else:
        change = _lower_export if is_export else _lower_binding
    annotations = dict(manifest["metadata"].get("annotations") or {})
    spec, status = change(manifest, annotations)
    metadata = {**manifest["metadata"], "annotations": annotations}
    if not annotations:
        del metadata["annotations"]
    converted = {**manifest, "apiVersion": api_version, "metadata": metadata}
    for name, value in (("spec", spec), ("status", status)):
        if name in manifest or value:
            converted[name] = value
    return converted


def current(manifest: Manifest) -> Manifest:
    """A stored object in v1alpha2, whichever version wrote it."""
    return convert(manifest, CURRENT)


def about(claim: Mapping[str, Any]) -> _About:
    """What a claim of either version is about: group, resource, identity of its export."""
    return claim.get("group") or "", claim.get("resource") or "", claim.get("identityHash") or ""


def names_of(manifest: Manifest) -> dict[_About, list[Manifest]]:
    """Of a v1alpha2 object: the ``resourceSelector`` of claims that were made in v1alpha1."""
    kept = _kept((manifest["metadata"].get("annotations") or {}).get(NAMED_ANNOTATION))
    return {place: claim["resourceSelector"] for place, claim in kept.items() if claim.get("resourceSelector")}


def everything(selector: Mapping[str, Any] | None) -> bool:
    """Whether a selector leaves nothing out; a missing one does not."""
    selector = selector or {}
    return bool(selector.get("matchAll")) or not (selector.get("matchLabels") or selector.get("matchExpressions"))


def _raise_export(manifest: Manifest, annotations: dict[str, str]) -> tuple[Manifest, Manifest]:
    spec = dict(manifest.get("spec") or {})
    schemas = [_schema(name) for name in spec.pop("latestResourceSchemas", None) or ()]
    known = {schema["schema"] for schema in schemas}
    for schema in _read(annotations.pop(SCHEMAS_ANNOTATION, "")):
        if schema.get("schema") not in known:
            schemas.append(schema)
    if schemas:
        spec["resources"] = schemas
    _raise_claims(spec, annotations, ASKED_ANNOTATION, _raise_asked)
    return spec, manifest.get("status") or {}


def _lower_export(manifest: Manifest, annotations: dict[str, str]) -> tuple[Manifest, Manifest]:
    spec = dict(manifest.get("spec") or {})
    schemas = spec.pop("resources", None) or ()
    latest = [schema["schema"] for schema in schemas if not _is_virtual(schema)]
    if latest:
        spec["latestResourceSchemas"] = latest
    _write(annotations, SCHEMAS_ANNOTATION, filter(_is_virtual, schemas))
    overhanging = _lower_claims(spec, annotations, _lower_asked)
    _write(annotations, ASKED_ANNOTATION, (claim for claim in overhanging if not _is_plain_ask(claim)))
    return spec, manifest.get("status") or {}


def _raise_binding(manifest: Manifest, annotations: dict[str, str]) -> tuple[Manifest, Manifest]:
    spec, status = dict(manifest.get("spec") or {}), dict(manifest.get("status") or {})
    _raise_claims(spec, annotations, ANSWERED_ANNOTATION, _raise_answered)
    for name, change in (("exportPermissionClaims", _raise_asked), ("appliedPermissionClaims", _raise_answered)):
        if name in status:
            status[name] = [change(claim, {}) for claim in status[name] or ()]
    return spec, status


def _lower_binding(manifest: Manifest, annotations: dict[str, str]) -> tuple[Manifest, Manifest]:
    spec, status = dict(manifest.get("spec") or {}), dict(manifest.get("status") or {})
    overhanging = _lower_claims(spec, annotations, _lower_answered)
    _write(annotations, ANSWERED_ANNOTATION, (claim for claim in overhanging if not _is_plain_answer(claim)))
    for name, change in (("exportPermissionClaims", _lower_asked), ("appliedPermissionClaims", _lower_answered)):
        if name in status:
            status[name] = [change(claim, None) for claim in status[name] or ()]
    return spec, status


def _raise_claims(
    spec: Manifest, annotations: dict[str, str], annotation: str, change: Callable[[Manifest, Manifest], Manifest]
) -> None:
    kept = _kept(annotations.pop(annotation, ""))
    claims = spec.get("permissionClaims")
    if not claims:
        return
    spec["permissionClaims"] = [change(claim, kept.get(about(claim), {})) for claim in claims]
    _write(annotations, NAMED_ANNOTATION, (_named(claim) for claim in claims if claim.get("resourceSelector")))


def _lower_claims(
    spec: Manifest, annotations: dict[str, str], change: Callable[[Manifest, Manifest | None], Manifest]
) -> _Claims:
    """The claims as they were."""
    named = _kept(annotations.pop(NAMED_ANNOTATION, ""))
    claims: _Claims = spec.get("permissionClaims") or []
    if claims:
        spec["permissionClaims"] = [change(claim, named.get(about(claim))) for claim in claims]
    return claims


def _raise_asked(claim: Manifest, kept: Manifest) -> Manifest:
    raised: Manifest = {"group": "", "identityHash": "", **_common(claim)}
    raised["verbs"] = claim.get("verbs") or kept.get("verbs") or [ALL_VERBS]
    default = claim.get("defaultSelector") or kept.get("defaultSelector")
    return {**raised, "defaultSelector": default} if default else raised


def _raise_answered(claim: Manifest, kept: Manifest) -> Manifest:
    selector = claim.get("selector") or kept.get("selector")
    return {**_raise_asked(claim, kept), "selector": {"matchAll": True} if everything(selector) else selector}


def _lower_asked(claim: Manifest, named: Manifest | None) -> Manifest:
    lowered = {name: value for name, value in _common(claim).items() if value or name != "identityHash"}
    if claim.get("verbs") != [ALL_VERBS]:
        lowered["verbs"] = claim.get("verbs")
    if named is not None and named.get("resourceSelector"):
        return {**lowered, "resourceSelector": named["resourceSelector"]}
    return {**lowered, "all": True}


def _lower_answered(claim: Manifest, named: Manifest | None) -> Manifest:
    lowered = _lower_asked(claim, named)
    if not everything(claim.get("selector")):
        lowered.pop("all", None)
        lowered["selector"] = claim["selector"]
    return lowered


def _common(claim: Manifest) -> Manifest:
    return {name: claim[name] for name in ("group", "resource", "identityHash", "state") if name in claim}


def _is_plain_ask(claim: Manifest) -> bool:
    return claim.get("verbs") == [ALL_VERBS] and not claim.get("defaultSelector")


def _is_plain_answer(claim: Manifest) -> bool:
    return _is_plain_ask(claim) and everything(claim.get("selector"))


def _is_virtual(schema: Manifest) -> bool:
    return bool((schema.get("storage") or {}).get("virtual"))


def _schema(name: str) -> Manifest:
    """From ``v1.databases.acme.example``."""
    _, _, rest = name.partition(".")
    resource, _, group = rest.partition(".")
    kept = "" if group == "core" else group
    return {"name": resource, "group": kept, "schema": name, "storage": {"crd": {}}}


def _named(claim: Manifest) -> Manifest:
    names = ("group", "resource", "identityHash", "resourceSelector", "state")
    return {name: claim[name] for name in names if claim.get(name)}


def _kept(text: str | None) -> dict[_About, Manifest]:
    return {about(claim): claim for claim in _read(text or "")}


def _read(text: str) -> _Claims:
    """What an annotation holds, without what somebody else wrote into it."""
    try:
        found = orjson.loads(text) if text else []
    except orjson.JSONDecodeError:
        return []
    return [item for item in found if _is_well_formed(item)] if isinstance(found, list) else []


def _is_well_formed(item: Any) -> bool:
    if not isinstance(item, dict) or not all(isinstance(item.get(name, kind()), kind) for name, kind in _KINDS.items()):
        return False
    named = item.get("resourceSelector") or ()
    return all(isinstance(each, dict) and all(isinstance(value, str) for value in each.values()) for each in named)


def _write(annotations: dict[str, str], name: str, items: Iterable[Manifest]) -> None:
    listed = list(items)
    annotations.pop(name, None)
    if listed:
        annotations[name] = orjson.dumps(listed).decode()
