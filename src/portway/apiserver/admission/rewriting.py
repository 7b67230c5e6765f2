"""Puts what a mutating step made in the place of the object that all later steps hold."""

from __future__ import annotations

from portway.apiserver.admission.contract import AdmissionRequest
from portway.krm.identity import Manifest

_FIXED = (
    *("name", "namespace", "uid", "resourceVersion", "generation"),
    *("creationTimestamp", "deletionTimestamp", "managedFields"),
)


def replace_object(request: AdmissionRequest, made: Manifest) -> None:
    """In place. What only the server sets, and what the object is, stays."""
    current = request.object
    if current is None:
        return
    metadata = dict(made.get("metadata") or {})
    for field in _FIXED:
        if field in current["metadata"]:
            metadata[field] = current["metadata"][field]
        else:
            metadata.pop(field, None)
    made = {**made, "apiVersion": current["apiVersion"], "kind": current["kind"], "metadata": metadata}
    current.clear()
    current.update(made)
