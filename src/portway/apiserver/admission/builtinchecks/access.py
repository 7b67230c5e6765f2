"""Roles and their bindings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portway.apiserver import labelselectors, names
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.rbac import RBAC_GROUP
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_SUBJECTS = ("ServiceAccount", "User", "Group")


def role(_request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    for index, rule in enumerate(manifest.get("rules") or ()):
        yield from _check_rule(rule, f"rules[{index}]", namespaced=True)


def cluster_role(_request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    for index, rule in enumerate(manifest.get("rules") or ()):
        yield from _check_rule(rule, f"rules[{index}]", namespaced=False)
    aggregation = manifest.get("aggregationRule")
    if aggregation is None:
        return
    path, selectors = "aggregationRule.clusterRoleSelectors", aggregation.get("clusterRoleSelectors") or ()
    if not selectors:
        yield causes.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
    for index, selector in enumerate(selectors):
        faults = tuple(labelselectors.check(selector, f"{path}[{index}]"))
        yield from faults
        if faults:
            yield causes.invalid(f"{path}[{index}]", None, "invalid label selector.")


def _check_rule(rule: Mapping[str, Any], path: str, *, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield causes.required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        where = f"{path}.nonResourceURLs"
        if namespaced:
            yield causes.invalid(where, urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            yield causes.invalid(where, urls, text)
        return
    for field, word in (("apiGroups", "api group"), ("resources", "resource")):
        if not rule.get(field):
            yield causes.required(f"{path}.{field}", f"resource rules must supply at least one {word}")


def binding(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    reference = manifest.get("roleRef") or {}
    namespaced = request.resource.served.namespaced
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if reference.get("apiGroup") != RBAC_GROUP:
        yield causes.unsupported("roleRef.apiGroup", reference.get("apiGroup") or "", (RBAC_GROUP,))
    if reference.get("kind") not in kinds:
        yield causes.unsupported("roleRef.kind", reference.get("kind") or "", kinds)
    name = reference.get("name") or ""
    if not name:
        yield causes.required("roleRef.name")
    for fault in names.segment_faults(name):
        yield causes.invalid("roleRef.name", name, fault)
    for index, subject in enumerate(manifest.get("subjects") or ()):
        yield from _check_subject(subject, f"subjects[{index}]", namespaced=namespaced)
    if request.old is not None and request.old.get("roleRef") != reference:
        shown = {go: reference.get(field) or "" for go, field in _REFERENCE.items()}
        yield causes.invalid("roleRef", shown, "cannot change roleRef")


_REFERENCE = {"APIGroup": "apiGroup", "Kind": "kind", "Name": "name"}
"""As the fields are called in Go."""


def _check_subject(subject: Mapping[str, Any], path: str, *, namespaced: bool) -> Iterator[Cause]:
    kind, name, group = (subject.get(field) or "" for field in ("kind", "name", "apiGroup"))
    if not name:
        yield causes.required(f"{path}.name")
    if kind not in _SUBJECTS:
        yield causes.unsupported(f"{path}.kind", kind, _SUBJECTS)
    elif kind != "ServiceAccount":
        if group != RBAC_GROUP:
            yield causes.unsupported(f"{path}.apiGroup", group, (RBAC_GROUP,))
    else:
        for fault in names.subdomain_faults(name) if name else ():
            yield causes.invalid(f"{path}.name", name, fault)
        if group:
            yield causes.unsupported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield causes.required(f"{path}.namespace")
