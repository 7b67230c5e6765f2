"""Schemas, exports and bindings of APIs as the registry keeps them: parsed once, shared where they are equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from portway.apiserver import crds, resources
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
        return cls(claim.get("group") or "", claim.get("resource") or "", claim.get("identityHash") or "")


@dataclass(frozen=True, slots=True)
class Claim:
    """An accepted claim. No verbs: all; no names and no labels: all objects."""

    about: Claimed
    verbs: frozenset[str] = frozenset()
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


@dataclass(frozen=True, slots=True)
class Export:
    revision: int
    schemas: tuple[str, ...]
    identity: str = ""
    """Hash of its key."""
    restricted: bool = False
    """RBAC of its own workspace limits what users of bindings may do."""
    claims: tuple[Claimed, ...] = ()


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
    status, fields = manifest.get("status") or {}, manifest["metadata"]
    bound = tuple((r["group"], r["resource"], r["schema"]["name"]) for r in status.get("boundResources") or ())
    claims = tuple(_claim(c) for c in manifest["spec"].get("permissionClaims") or () if c.get("state") == "Accepted")
    return Binding(
        reference,
        status.get("phase") == "Bound",
        _resources(bound),
        claims,
        fields.get("creationTimestamp") or "",
        bool(fields.get("deletionTimestamp")),
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


def _claim(claim: Manifest) -> Claim:
    named = tuple((s.get("namespace") or "", s.get("name") or "") for s in claim.get("resourceSelector") or ())
    return Claim(Claimed.of(claim), frozenset(claim.get("verbs") or ()), named, _labels(claim.get("selector") or {}))


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
    spec = manifest.get("spec") or {}
    names = tuple(spec.get("latestResourceSchemas") or ())
    names += tuple(r["schema"] for r in spec.get("resources") or () if r.get("schema"))
    return Export(
        revision,
        tuple(dict.fromkeys(names)),
        (manifest.get("status") or {}).get("identityHash") or "",
        (spec.get("maximalPermissionPolicy") or {}).get("local") is not None,
        tuple(Claimed.of(claim) for claim in spec.get("permissionClaims") or ()),
    )


def parse_schema(_key: Key, revision: int, manifest: Manifest) -> Schema:
    spec: dict[str, Any] = manifest["spec"]
    served = [served_from_api_resource_schema(manifest, name) for name in crds.served_names(spec)]
    return Schema(
        tuple(resources.of(each, changed_at=revision) for each in served),
        "" if spec["group"] == "core" else spec["group"],
        spec["names"]["plural"],
        crds.plural_names(spec["names"]),
        crds.kind_names(spec["names"]),
        manifest["metadata"].get("uid") or "",
    )
