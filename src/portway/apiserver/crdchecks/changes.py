"""What an update of a definition may not change, and what objects are stored as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portway.apiserver import crds
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest


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
