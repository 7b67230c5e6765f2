"""The judgement of a whole definition, and of the status that somebody writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from portway.apiserver import approvals, crds, names
from portway.apiserver.crdchecks import changes, conversions, versions
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest
from portway.krm.schemas.findings import quote

_SCOPES = ("Cluster", "Namespaced")


def check(manifest: Manifest, old: Manifest | None = None) -> tuple[Cause, ...]:
    """Causes at the places where the definition is written. ``old``: the stored one on update."""
    return tuple(_check(manifest, old))


def warnings(manifest: Manifest, old: Manifest | None) -> list[str]:
    """Formats that nothing checks, unless the stored definition has them too."""
    known = versions.strange_formats(old["spec"].get("versions") or ()) if old is not None else []
    found = versions.strange_formats(manifest["spec"].get("versions") or ())
    return [f"unrecognized format {quote(name)}" for name in found if name not in known]


def check_status(manifest: Manifest) -> tuple[Cause, ...]:
    accepted = (manifest.get("status") or {}).get("acceptedNames") or {}
    return tuple(check_names(accepted, "status.acceptedNames"))


def as_upstream_names_them(found: tuple[Cause, ...], manifest: Manifest) -> tuple[Cause, ...]:
    """The causes at the fields of the form in which upstream judges.

    There what all versions have in common stands once, in ``spec``, and conversion is flat.
    """
    renamed = [*conversions.RENAMED, *versions.shared(manifest["spec"].get("versions") or ())]
    return tuple(Cause(c.reason, _renamed(c.message, renamed), _renamed(c.field, renamed)) for c in found)


def _renamed(text: str, renamed: list[tuple[re.Pattern[str], str]]) -> str:
    for pattern, name in renamed:
        text = pattern.sub(name, text)
    return text


def _check(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    if old is None:
        yield from _check_name(manifest, spec)
    yield from _check_spec(spec, (old or {}).get("spec"))
    established = old is not None and crds.is_established(old.get("status") or {})
    yield from conversions.check(spec.get("conversion") or {}, established=established)
    if old is not None:
        yield from changes.check(spec, old)
    yield from changes.check_stored_versions(manifest, old)
    yield from approvals.check(manifest, old)
    yield from _check_preserving(spec, (old or {}).get("spec") or {})


def _check_name(manifest: Manifest, spec: Mapping[str, Any]) -> Iterator[Cause]:
    name = manifest["metadata"].get("name") or ""
    if not name:
        return
    faults = names.subdomain_faults(name)
    if name != f"{(spec.get('names') or {}).get('plural', '')}.{spec.get('group', '')}":
        faults.append('must be spec.names.plural+"."+spec.group')
    for fault in faults:
        yield causes.invalid("metadata.name", name, fault)


def _check_spec(spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    group, scope = spec.get("group") or "", spec.get("scope") or ""
    faults = names.subdomain_faults(group)
    if not group:
        yield causes.required("spec.group")
    elif faults:
        yield causes.invalid("spec.group", group, ",".join(faults))
    elif "." not in group:
        yield causes.invalid("spec.group", group, "should be a domain with at least one dot")
    if not scope:
        yield causes.required("spec.scope")
    elif scope not in _SCOPES:
        yield causes.unsupported("spec.scope", scope, _SCOPES)
    yield from versions.check(spec.get("versions") or [], (old or {}).get("versions") or [])
    given = spec.get("names") or {}
    for field, derived in (("plural", False), ("singular", True), ("kind", False), ("listKind", True)):
        if not given.get(field) and not (derived and given.get("kind")):
            yield causes.required(f"spec.names.{field}")
    yield from check_names(given, "spec.names")


def check_names(given: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """Of a kind, as far as they are given."""
    for field in ("plural", "singular"):
        yield from _check_label(given.get(field) or "", f"{path}.{field}")
    for field in ("kind", "listKind"):
        name = given.get(field) or ""
        faults = names.dns_1035_faults(name.lower()) if name else []
        if faults:
            text = f"may have mixed case, but should otherwise match: {','.join(faults)}"
            yield causes.invalid(f"{path}.{field}", name, text)
    if given.get("kind") and given["kind"] == given.get("listKind"):
        yield causes.invalid(f"{path}.listKind", given["kind"], "kind and listKind may not be the same")
    for field in ("shortNames", "categories"):
        for index, name in enumerate(given.get(field) or ()):
            yield from _check_label(name, f"{path}.{field}[{index}]", optional=False)


def _check_label(name: str, path: str, *, optional: bool = True) -> Iterator[Cause]:
    faults = names.dns_1035_faults(name) if name or not optional else []
    if faults:
        yield causes.invalid(path, name, ",".join(faults))


def _check_preserving(spec: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    if spec.get("preserveUnknownFields") and not old.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield causes.invalid("spec.preserveUnknownFields", True, text)
