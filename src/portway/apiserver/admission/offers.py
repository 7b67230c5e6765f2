"""What exports and bindings must be before anything is made of them, in whichever version they come.

Both versions are held to the schema of v1alpha2, as annotations may bring what v1alpha1 has no fields for.
Source of the rules: kcp sdk/apis/apis/v1alpha2/validation.go and pkg/admission/apiexport.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from portway.apiserver import exportforms, names
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.exporting import BINDINGS, EXPORTS
from portway.krm.builtins import definitions
from portway.krm.builtins.catalogue import KINDS
from portway.krm.errors import Cause, invalid
from portway.krm.identity import Manifest
from portway.krm.schemas import validating

_PACKAGE = definitions.PACKAGES["apisnext"]
_BUILTIN = frozenset((kind.gvk.group, kind.plural) for kind in KINDS)
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


class OfferChecks:
    async def admit(self, request: AdmissionRequest) -> None:
        """Raises StatusError 422."""
        check, manifest = _CHECKS.get(request.resource.key), request.object
        if check is None or manifest is None or request.subresource:
            return
        gvk = request.resource.served.gvk
        causes = [*_unreadable_schemas(manifest)]
        if not causes:
            whole = exportforms.current(manifest)
            causes = [*validating.validate(definitions.inlined(f"{_PACKAGE}.{gvk.kind}"), whole)]
            if not causes:
                causes = [*check(request, whole)]
        if causes:
            raise invalid(gvk.kind, request.name, tuple(causes), gvk.group)


def _unreadable_schemas(manifest: Manifest) -> Iterator[Cause]:
    """v1alpha1 names schemas only; group and resource are read from the name."""
    for index, name in enumerate((manifest.get("spec") or {}).get("latestResourceSchemas") or ()):
        if name.count(".") < 2:
            text = f'Invalid value: "{name}": must have at least 3 dot-separated segments'
            yield Cause("FieldValueInvalid", text, f"spec.latestResourceSchemas[{index}]")


def _export(_request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    for index, resource in enumerate(spec.get("resources") or ()):
        path = f"spec.resources[{index}]"
        suffix = f".{resource['name']}.{resource['group'] or 'core'}"
        if not resource["schema"].endswith(suffix):
            text = f'Invalid value: "{resource["schema"]}": must end in {suffix}'
            yield Cause("FieldValueInvalid", text, f"{path}.schema")
        storage = resource.get("storage") or {"crd": {}}
        if (storage.get("crd") is None) == (storage.get("virtual") is None):
            text = "Invalid value: Exactly one of crd or virtual must be set"
            yield Cause("FieldValueInvalid", text, f"{path}.storage")
        elif storage.get("virtual") is not None:
            text = "Forbidden: objects kept elsewhere are not served here: use crd"
            yield Cause("FieldValueForbidden", text, f"{path}.storage.virtual")
    for index, claim in enumerate(spec.get("permissionClaims") or ()):
        path = f"spec.permissionClaims[{index}]"
        yield from _verbs(claim, path)
        yield from _labels(claim.get("defaultSelector") or {}, f"{path}.defaultSelector")
        group, resource, identity = exportforms.about(claim)
        if not identity and (group, resource) not in _BUILTIN and group != exportforms.GROUP:
            text = 'Invalid value: "": identityHash is required for API types that are not built-in'
            yield Cause("FieldValueInvalid", text, f"{path}.identityHash")


def _binding(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    export = (spec.get("reference") or {}).get("export")
    if not export or not export.get("name"):
        path = "spec.reference.export" if not export else "spec.reference.export.name"
        yield Cause("FieldValueRequired", "Required value", path)
    old = exportforms.current(request.old) if request.old is not None else {}
    if old and (old.get("spec") or {}).get("reference") != spec.get("reference"):
        yield Cause("FieldValueInvalid", "Invalid value: field is immutable", "spec.reference")
    chosen = {}
    if request.resource.served.gvk.api_version == exportforms.CURRENT:
        claims = (old.get("spec") or {}).get("permissionClaims") or ()
        chosen = {exportforms.about(claim): claim["selector"] for claim in claims}
    for index, claim in enumerate(spec.get("permissionClaims") or ()):
        path = f"spec.permissionClaims[{index}]"
        yield from _verbs(claim, path)
        yield from _selector(claim["selector"], f"{path}.selector")
        if chosen.get(exportforms.about(claim), claim["selector"]) != claim["selector"]:
            yield Cause(
                "FieldValueInvalid", "Invalid value: Permission claim selector is immutable", f"{path}.selector"
            )


def _verbs(claim: Manifest, path: str) -> Iterator[Cause]:
    if not claim["verbs"]:
        text = "Invalid value: 0: spec.permissionClaims.verbs in body should have at least 1 items"
        yield Cause("FieldValueInvalid", text, f"{path}.verbs")


def _selector(selector: Manifest, path: str) -> Iterator[Cause]:
    parts = [name for name in ("matchLabels", "matchExpressions") if selector.get(name)]
    if selector.get("matchAll"):
        for name in parts:
            yield Cause("FieldValueInvalid", f"Invalid value: {name} cannot be used with matchAll", f"{path}.{name}")
    elif not parts:
        text = "Required value: either one of matchAll, matchLabels, or matchExpressions must be set"
        yield Cause("FieldValueRequired", text, path)
    yield from _labels(selector, path)


def _labels(selector: Manifest, path: str) -> Iterator[Cause]:
    yield from names.check_labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        where = f"{path}.matchExpressions[{index}]"
        values = expression.get("values") or ()
        if expression["operator"] not in _OPERATORS:
            text = f'Invalid value: "{expression["operator"]}": not a valid selector operator'
            yield Cause("FieldValueInvalid", text, f"{where}.operator")
        if expression["operator"] in ("In", "NotIn") and not values:
            text = "Required value: must be specified when `operator` is 'In' or 'NotIn'"
            yield Cause("FieldValueRequired", text, f"{where}.values")
        if expression["operator"] in ("Exists", "DoesNotExist") and values:
            text = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield Cause("FieldValueForbidden", text, f"{where}.values")
        for value in values or ("",):
            yield from names.check_labels({expression["key"]: value}, where)


_CHECKS: dict[str, Callable[[AdmissionRequest, Manifest], Iterator[Cause]]] = {EXPORTS: _export, BINDINGS: _binding}
