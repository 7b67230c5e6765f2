"""Namespaces, and the kinds of kcp: workspaces, schemas and bindings of APIs."""

from __future__ import annotations

from collections.abc import Iterator

from portway.apiserver import names
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.crdchecks import checking, conversions, versions
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_STANDARD = ("foregroundDeletion", "kubernetes", "orphan")


def namespace(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    if request.subresource == "status":
        yield from _check_phase(manifest)
        return
    if request.operation is Operation.UPDATE and request.subresource != "finalize":
        return
    for index, finalizer in enumerate((manifest.get("spec") or {}).get("finalizers") or ()):
        path = f"spec.finalizers[{index}]" if request.subresource else "spec.finalizers"
        for fault in names.qualified_faults(finalizer):
            yield causes.invalid(path, finalizer, fault)
        if "/" not in finalizer and finalizer not in _STANDARD:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield causes.invalid(path, finalizer, text)


def _check_phase(manifest: Manifest) -> Iterator[Cause]:
    phase = (manifest.get("status") or {}).get("phase") or ""
    if manifest["metadata"].get("deletionTimestamp"):
        if phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
            yield causes.invalid("status.Phase", phase, text)
    elif phase != "Active":
        yield causes.invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")


def api_resource_schema(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec")
    if not spec:
        yield causes.required("spec")
        return
    if not (spec.get("names") or {}).get("plural") or not isinstance(spec.get("versions"), list):
        return  # the schema of the kind says so
    if not request.name.endswith(f".{spec['names']['plural']}.{spec.get('group') or ''}"):
        text = "must be <prefix>.<spec.names.plural>.<spec.group>"
        yield causes.invalid("metadata.name", request.name, text)
    if request.old is not None:
        if request.old.get("spec") != spec:
            text = "the spec of an APIResourceSchema cannot be changed: make a new one and name it in the export"
            yield causes.forbidden("spec", text)
        return
    yield from checking.check_names(spec["names"], "spec.names")
    yield from conversions.check(spec.get("conversion") or {}, established=True)
    as_in_crds = [{**version, "schema": {"openAPIV3Schema": version.get("schema")}} for version in spec["versions"]]
    for cause in versions.check(as_in_crds, ()):
        yield Cause(cause.reason, cause.message.replace(_IN_CRDS, ""), cause.field.replace(_IN_CRDS, ""))


_IN_CRDS = ".openAPIV3Schema"
"""What CRDs wrap schemas in."""


def workspace(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    for fault in names.label_faults(request.name):
        yield causes.invalid("metadata.name", request.name, fault)
    old = request.old
    if (manifest.get("spec") or {}).get("mount") and not ((old or {}).get("spec") or {}).get("mount"):
        yield causes.forbidden("spec.mount", "mounts are not served here")
    if request.operation is not Operation.UPDATE or old is None:
        return
    for field in ("type", "cluster", "URL"):
        if (old.get("spec") or {}).get(field) != (manifest.get("spec") or {}).get(field):
            yield causes.faulty(f"spec.{field}", "field is immutable")


def workspace_type(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    for fault in names.label_faults(request.name):
        yield causes.invalid("metadata.name", request.name, fault)
    if request.name in ("system", "any"):
        yield causes.invalid("metadata.name", request.name, "this name is reserved")
    if spec.get("authenticationConfigurations"):
        yield causes.forbidden(
            "spec.authenticationConfigurations", "ways to log in are those of the whole installation"
        )
    for field in ("limitAllowedChildren", "limitAllowedParents"):
        limit = spec.get(field)
        if limit is not None and ("none" in limit) == ("types" in limit):
            yield causes.faulty(f"spec.{field}", "must have exactly one of none and types")
