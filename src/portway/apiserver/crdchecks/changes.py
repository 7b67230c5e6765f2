"""What an update of a definition may not change, what is stored, and whose approval a group needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from portway.apiserver import crds
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest
from portway.krm.schemas.findings import quote

_APPROVAL = "api-approved.kubernetes.io"
_PROTECTED = ("k8s.io", "kubernetes.io")
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"


def check(spec: Mapping[str, Any], old: Manifest) -> Iterator[Cause]:
    before = old["spec"]
    given, names = spec.get("names") or {}, before["names"]
    if crds.is_established(old.get("status") or {}):
        if spec.get("scope") != before["scope"]:
            yield causes.immutable("spec.scope", spec.get("scope") or "")
        if given.get("kind") != names["kind"]:
            yield causes.immutable("spec.names.kind", given.get("kind") or "")
    if spec.get("group") != before["group"]:
        yield causes.immutable("spec.group", spec.get("group") or "")
    if given.get("plural") != names["plural"]:
        yield causes.immutable("spec.names.plural", given.get("plural") or "")


def check_stored_versions(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    """What objects may be stored as has to stay in the definition."""
    versions = (manifest.get("spec") or {}).get("versions") or ()
    stored = ((old or {}).get("status") or {}).get("storedVersions") or []
    if not stored and not any(version.get("storage") for version in versions):
        yield causes.invalid("status.storedVersions", stored or None, "must have at least one stored version")
    listed = {version.get("name") for version in versions}
    for index, name in enumerate(stored):
        if name not in listed:
            text = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and removes "
                f"{name} from status.storedVersions"
            )
            yield causes.invalid(f"status.storedVersions[{index}]", name, text)


def check_approval(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    """Groups of the Kubernetes community are for approved definitions, or say that they are not."""
    group = (manifest.get("spec") or {}).get("group") or ""
    if not any(group == domain or group.endswith(f".{domain}") for domain in _PROTECTED):
        return
    approval = _approval_of(manifest)
    if old is not None and _kind_of(_approval_of(old)) == _kind_of(approval):
        return
    path = f"metadata.annotations[{_APPROVAL}]"
    text = f"protected groups must have approval annotation {quote(_APPROVAL)}"
    if not approval:
        yield causes.required(path, f"{text}, {_SEE}")
    elif _kind_of(approval) == "invalid":
        yield causes.invalid(path, approval, f'{text} with either a URL or a reason starting with "unapproved", {_SEE}')


def _approval_of(manifest: Manifest) -> str:
    return (manifest["metadata"].get("annotations") or {}).get(_APPROVAL) or ""


def _kind_of(approval: str) -> str:
    if not approval:
        return "missing"
    if approval.startswith("unapproved"):
        return "bypassed"
    try:
        parts = urlsplit(approval)
    except ValueError:
        return "invalid"
    return "approved" if parts.scheme and parts.netloc else "invalid"
