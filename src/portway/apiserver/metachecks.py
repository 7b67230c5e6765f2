"""What is required of ObjectMeta. These run on every write: what is not there costs one look.

Rules and texts: k8s.io/apimachinery pkg/api/validation/objectmeta.go, and pkg/apis/core/validation for the kinds that
name their finalizers more strictly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portway.apiserver import names
from portway.apiserver.resources import Resource
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest
from portway.krm.schemas.findings import quote

_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
_STRICT_GROUPS = ("", "rbac.authorization.k8s.io")
_FINALIZERS = "metadata.finalizers"
_OWNERS = "metadata.ownerReferences"
_FIXED = ("deletionTimestamp", "deletionGracePeriodSeconds")


def check(resource: Resource, manifest: Manifest, live: Manifest | None) -> Iterator[Cause]:
    """What refuses the metadata, a cause per field. ``live``: the stored object on update."""
    metadata = manifest["metadata"]
    if live is None and metadata.get("generateName"):
        yield from names.check_prefix(resource.key, metadata["generateName"])
    yield from names.check(resource.key, metadata.get("name") or "")
    if metadata.get("labels"):
        yield from names.check_labels(metadata["labels"], "metadata.labels")
    if metadata.get("annotations"):
        yield from names.check_annotations(metadata["annotations"])
    if metadata.get("ownerReferences"):
        yield from _check_owners(metadata["ownerReferences"])
    if metadata.get("finalizers"):
        yield from _check_finalizers(resource, metadata["finalizers"], live)


def check_fixed(manifest: Manifest, live: Manifest) -> Iterator[Cause]:
    """An update does not delete: asked before what no client may change is carried over."""
    given, old = manifest["metadata"], live["metadata"]
    for field in _FIXED:
        if given.get(field) is not None and old.get(field) is None:
            yield causes.immutable(f"metadata.{field}", given[field])


def warnings_of_finalizers(manifest: Manifest, live: Manifest | None) -> list[str]:
    """Of finalizers that are new on a custom resource."""
    given = manifest["metadata"].get("finalizers")
    if not given:
        return []
    old = (live["metadata"].get("finalizers") or ()) if live is not None else ()
    return [text for finalizer in sorted({*given} - {*old}) for text in _warnings(finalizer)]


def _warnings(finalizer: str) -> Iterator[str]:
    if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        what = "finalizer name including a path (/)" if "." in finalizer else "finalizer name"
        text = f"prefer a domain-qualified {what} to avoid accidental conflicts with other finalizer writers"
        yield f"{_FINALIZERS}: {quote(finalizer)}: {text}"


def _check_finalizers(resource: Resource, finalizers: list[str], live: Manifest | None) -> Iterator[Cause]:
    for finalizer in finalizers:
        for fault in names.qualified_faults(finalizer):
            yield causes.invalid(_FINALIZERS, finalizer, fault)
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield causes.invalid(_FINALIZERS, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")
    if live is not None and live["metadata"].get("deletionTimestamp"):
        added = sorted({*finalizers} - {*(live["metadata"].get("finalizers") or ())})
        if added:
            text = "no new finalizers can be added if the object is being deleted, found new finalizers "
            yield causes.forbidden(_FINALIZERS, f"{text}[]string{{{', '.join(map(quote, added))}}}")
    if not resource.served.custom and resource.served.gvk.group in _STRICT_GROUPS:
        for index, finalizer in enumerate(finalizers):
            if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
                text = "name is neither a standard finalizer name nor is it fully qualified"
                yield causes.invalid(f"{_FINALIZERS}[{index}]", finalizer, text)


def _check_owners(owners: list[Any]) -> Iterator[Cause]:
    controller = ""
    for owner in owners:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                text = "version must not be empty" if field == "apiVersion" else "must not be empty"
                yield causes.invalid(f"{_OWNERS}.{field}", "", text)
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            yield causes.invalid(_OWNERS, owner, "/v1, Kind=Event is disallowed from being an owner")
        if owner.get("controller") is not True:
            continue
        named = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if controller:
            text = 'Only one reference can have Controller set to true. Found "true" in references for '
            yield causes.invalid(_OWNERS, owners, f"{text}{controller} and {named}")
        else:
            controller = named
