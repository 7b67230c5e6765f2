"""Groups of the Kubernetes community: their CRDs carry where they were approved, or that they were not.

Rules and texts: k8s.io/apiextensions-apiserver pkg/apihelpers and pkg/controller/apiapproval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from portway.krm.errors import Cause
from portway.krm.identity import Manifest

ANNOTATION = "api-approved.kubernetes.io"
CONDITION = "KubernetesAPIApprovalPolicyConformant"
_GROUPS = ("k8s.io", "kubernetes.io")
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"


class State(StrEnum):
    """As the reason of the condition."""

    MISSING = "MissingAnnotation"
    BYPASSED = "UnapprovedAnnotation"
    APPROVED = "ApprovedAnnotation"
    INVALID = "InvalidAnnotation"


def is_protected(group: str) -> bool:
    return any(group == each or group.endswith(f".{each}") for each in _GROUPS)


def state_of(manifest: Manifest) -> tuple[State, str]:
    """And the message that goes with it."""
    annotations: Mapping[str, str] = manifest["metadata"].get("annotations") or {}
    text = annotations.get(ANNOTATION) or ""
    if not text:
        return State.MISSING, f'protected groups must have approval annotation "{ANNOTATION}", {_SEE}'
    if text.startswith("unapproved"):
        return State.BYPASSED, f'not approved: "{text}"'
    if _is_address(text):
        return State.APPROVED, f"approved in {text}"
    why = 'with either a URL or a reason starting with "unapproved"'
    return State.INVALID, f'protected groups must have approval annotation "{ANNOTATION}" {why}, {_SEE}'


def check(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    """Of a CRD; one that goes on as it was is not judged again."""
    if not is_protected((manifest.get("spec") or {}).get("group") or ""):
        return
    state, why = state_of(manifest)
    if old is not None and state_of(old)[0] is state:
        return
    path = f"metadata.annotations[{ANNOTATION}]"
    if state is State.MISSING:
        yield Cause("FieldValueRequired", f"Required value: {why}", path)
    if state is State.INVALID:
        text = manifest["metadata"]["annotations"][ANNOTATION]
        yield Cause("FieldValueInvalid", f'Invalid value: "{text}": {why}', path)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)
