"""Schemas, exports and bindings of APIs as the registry keeps them: parsed once, shared where they are equal.

Manifests are read as v1alpha2, whichever version they were stored in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from portway.apiserver import crds, exportforms, resources
from portway.apiserver.resources import Resource
from portway.krm import selectors
from portway.krm.builtins import served_from_api_resource_schema
from portway.krm.identity import Manifest
from portway.store.contract import Key

SCHEMAS = "apiresourceschemas.apis.kcp.io"
EXPORTS = "apiexports.apis.kcp.io"
BINDINGS = "apibindings.apis.kcp.io"
BINDING_FINALIZER = "apis.kcp.io/apibinding-finalizer"


class Reference(NamedTuple):
    """An API export as a binding names it; ``path`` is empty for the binding's own workspace."""

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.path else f'local APIExport "{self.name}"'


class Claimed(NamedTuple):
    """What a claim is about. ``identity`` is the hash of the export it comes from; empty for built-in kinds."""

    group: str
    resource: str
    identity: str

    @classmethod
    def of(cls, claim: Manifest) -> Claimed:
        return cls(*exportforms.about(claim))


@dataclass(frozen=True, slots=True)
class Claim:
    """An accepted claim. No names and no labels: all objects."""

    about: Claimed
    verbs: frozenset[str] = frozenset((exportforms.ALL_VERBS,))
    names: tuple[tuple[str, str], ...] = ()
    """(namespace, name), either empty for any."""
    labels: str = ""
    """A label selector as text."""

    def covers(self, manifest: Manifest) -> bool:
        fields = manifest["metadata"]
        here = (fields.get("namespace") or "", fields.get("name") or "")
        if self.names and not any(ns in ("", here[0]) and name in ("", here[1]) for ns, name in self.names):
            return False
        return not self.labels or selectors.parse_labels(self.labels).matches(fields.get("labels") or {})


@dataclass(frozen=True, slots=True)
class Binding:
    reference: Reference
    bound: bool
    """Whether its status says so."""
    resources: Mapping[tuple[str, str], str]
    """Name of the schema by (group, resource), as its status says."""
    claims: tuple[Claim, ...]
    created: str
    terminating: bool
    told: str = ""
    """What its status says of the export's claims, to be compared with ``Export.told``."""
    lost: bool = False
    """Whether its status says that there is no such export."""
    home: str = ""
    """Logical cluster of the export, once known: the path may be given to another workspace."""


@dataclass(frozen=True, slots=True)
class Export:
    revision: int
    schemas: tuple[str, ...]
    identity: str = ""
    """Hash of its key."""
    restricted: bool = False
    """RBAC of its own workspace limits what users of bindings may do."""
    claims: Mapping[Claimed, Manifest] = field(default_factory=dict)
    """What it asks for, as it is written there."""
    told: str = ""

    def asks(self, about: Claimed, verb: str) -> bool:
        claim = self.claims.get(about)
        return claim is not None and allows(claim["verbs"], verb)


def allows(verbs: Iterable[str], verb: str) -> bool:
    return verb in verbs or exportforms.ALL_VERBS in verbs


@dataclass(frozen=True, slots=True)
class Schema:
    resources: tuple[Resource, ...]
    """One for each version served."""
    group: str
    plural: str
    names: frozenset[str]
    kinds: frozenset[str]
    uid: str


def reference_of(manifest: Manifest) -> Reference | None:
    """What an APIBinding binds."""
    export = ((manifest.get("spec") or {}).get("reference") or {}).get("export") or {}
    name = export.get("name", "")
    return Reference(export.get("path") or "", name) if name else None


def parse_binding(_key: Key, _revision: int, manifest: Manifest) -> Binding | None:
    reference = reference_of(manifest)
    if reference is None:
        return None
    manifest = exportforms.current(manifest)
    status, fields = manifest.get("status") or {}, manifest["metadata"]
    bound = tuple((r["group"], r["resource"], r["schema"]["name"]) for r in status.get("boundResources") or ())
    accepted = [c for c in manifest["spec"].get("permissionClaims") or () if c.get("state") == "Accepted"]
    names = exportforms.names_of(manifest) if accepted else {}
    return Binding(
        reference,
        status.get("phase") == "Bound",
        _resources(bound),
        tuple(_claim(claim, names.get(exportforms.about(claim), ())) for claim in accepted),
        fields.get("creationTimestamp") or "",
        bool(fields.get("deletionTimestamp")),
        _told(status.get("exportPermissionClaims")),
        any(c["type"] == "APIExportValid" and c["status"] == "False" for c in status.get("conditions") or ()),
        sys.intern(status.get("apiExportClusterName") or ""),
    )


_shared: dict[tuple[tuple[str, str, str], ...], Mapping[tuple[str, str], str]] = {}


def _resources(bound: tuple[tuple[str, str, str], ...]) -> Mapping[tuple[str, str], str]:
    """The same object for the same content: thousands of bindings differ in a few ways only."""
    found = _shared.get(bound)
    if found is None:
        if len(_shared) > 10_000:
            _shared.clear()
        found = _shared[bound] = {(group, resource): schema for group, resource, schema in bound}
    return found


def _claim(claim: Manifest, names: Iterable[Manifest]) -> Claim:
    named = tuple((each.get("namespace") or "", each.get("name") or "") for each in names)
    selector = claim.get("selector") or {}
    labels = "" if exportforms.everything(selector) else _labels(selector)
    return Claim(Claimed.of(claim), frozenset(claim["verbs"]), named, labels)


def _told(claims: list[Manifest] | None) -> str:
    """Claims of an export as one text, the same object for the same claims."""
    return sys.intern(orjson.dumps(claims, option=orjson.OPT_SORT_KEYS).decode()) if claims else ""


def _labels(selector: Manifest) -> str:
    terms = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        key, values = expression.get("key", ""), ",".join(expression.get("values") or ())
        terms.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }.get(expression.get("operator", ""), key)
        )
    return ",".join(terms)


def parse_export(_key: Key, revision: int, manifest: Manifest) -> Export:
    manifest = exportforms.current(manifest)
    spec = manifest.get("spec") or {}
    claims = spec.get("permissionClaims") or []
    return Export(
        revision,
        tuple(dict.fromkeys(resource["schema"] for resource in spec.get("resources") or ())),
        (manifest.get("status") or {}).get("identityHash") or "",
        (spec.get("maximalPermissionPolicy") or {}).get("local") is not None,
        {Claimed.of(claim): claim for claim in claims},
        _told(claims),
    )


def parse_schema(_key: Key, revision: int, manifest: Manifest) -> Schema:
    spec: dict[str, Any] = manifest["spec"]
    served = [served_from_api_resource_schema(manifest, name) for name in crds.served_names(spec)]
    return Schema(
        tuple(resources.of(each, changed_at=revision, conversion=crds.conversion_of(spec)) for each in served),
        "" if spec["group"] == "core" else spec["group"],
        spec["names"]["plural"],
        crds.plural_names(spec["names"]),
        crds.kind_names(spec["names"]),
        manifest["metadata"].get("uid") or "",
    )
