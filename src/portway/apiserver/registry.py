"""Which resources each workspace serves: built-in kinds, its CRDs, and what its APIBindings bind.

Everything is kept per workspace as a few references; the set of resources itself is shared by all workspaces with
the same CRDs and bindings (thousands of teams, one set), and made when first asked for.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, NamedTuple

from portway.apiserver import crds, resources
from portway.apiserver.crds import Definition
from portway.apiserver.following import Follower
from portway.apiserver.resources import Bundle, Resource, ResourceSet
from portway.apiserver.tenants import Tenants
from portway.krm.builtins import served_from_api_resource_schema
from portway.krm.errors import not_found
from portway.krm.identity import Manifest
from portway.krm.served import Served
from portway.store.contract import Key, Reads

SCHEMAS = "apiresourceschemas.apis.kcp.io"
EXPORTS = "apiexports.apis.kcp.io"
BINDINGS = "apibindings.apis.kcp.io"


class Reference(NamedTuple):
    """An API export as a binding names it; ``path`` is empty for the binding's own workspace."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Binding:
    reference: Reference
    bound: bool
    """Whether its status says so."""


@dataclass(frozen=True, slots=True)
class Export:
    revision: int
    schemas: tuple[str, ...]


class Registry:
    def __init__(self, cache: Reads, tenants: Tenants, builtin: tuple[Served, ...]) -> None:
        self._tenants = tenants
        self.builtin = ResourceSet(resources.of(served) for served in builtin)
        self._sets: dict[str, ResourceSet] = {}
        self._shared: weakref.WeakValueDictionary[tuple[tuple[str, ...], ...], ResourceSet] = (
            weakref.WeakValueDictionary()
        )
        self.crds: Follower[Definition] = Follower(cache, crds.CRDS, crds.parse, self._workspace_changed)
        self.bindings: Follower[Binding] = Follower(cache, BINDINGS, _binding, self._workspace_changed)
        self.exports: Follower[Export] = Follower(cache, EXPORTS, _export, self._all_changed)
        self.schemas: Follower[tuple[Resource, ...]] = Follower(cache, SCHEMAS, _schema, self._all_changed)

    @property
    def followers(self) -> tuple[Follower[Any], ...]:
        return (self.crds, self.bindings, self.exports, self.schemas)

    def builtin_resource(self, group: str, version: str, plural: str) -> Resource:
        """Raises StatusError 404; every workspace serves what is built in."""
        found = self.builtin.find(group, version, plural)
        if found is None:
            raise not_found(plural, "", group)
        return found

    def serving(self, cluster: str) -> ResourceSet:
        found = self._sets.get(cluster)
        if found is None:
            found = self._sets[cluster] = self._make(cluster)
        return found

    def find(self, cluster: str | None, group: str, version: str, plural: str) -> Resource | None:
        """``cluster`` None: as any workspace serves it, root first."""
        if cluster is not None:
            return self.serving(cluster).find(group, version, plural)
        for candidate in ("root", *self._wildcard_clusters()):
            found = self.serving(candidate).find(group, version, plural)
            if found is not None:
                return found
        return None

    def export(self, cluster: str, reference: Reference) -> tuple[str, Export] | None:
        """The export a binding in ``cluster`` names, with the logical cluster it lives in."""
        if reference.path:
            tenant = self._tenants.resolve(reference.path)
            if tenant is None:
                return None
            cluster = tenant.cluster
        export = self.exports.get(cluster, reference.name)
        return (cluster, export) if export is not None else None

    def reference_status(self, cluster: str, reference: Reference) -> Manifest:
        """Status of an APIBinding in ``cluster`` as things stand."""
        found = self.export(cluster, reference)
        if found is None:
            return {"phase": "Binding"}
        provider, export = found
        bound = [self._bound_resource(provider, name) for name in export.schemas]
        return {
            "phase": "Bound",
            "apiExportClusterName": provider,
            "boundResources": [entry for entry in bound if entry is not None],
        }

    def binding_status(self, cluster: str, manifest: Manifest) -> Manifest:
        reference = reference_of(manifest)
        return self.reference_status(cluster, reference) if reference else {"phase": "Binding"}

    def late_bindings(self) -> list[Key]:
        """Bindings whose status says Binding although their export is there by now."""
        return [
            Key(BINDINGS, cluster, *place)
            for cluster in self.bindings.clusters()
            for place, binding in self.bindings.of(cluster).items()
            if not binding.bound and self.export(cluster, binding.reference) is not None
        ]

    def _bound_resource(self, provider: str, schema: str) -> Manifest | None:
        served = self.schemas.get(provider, schema)
        if not served:
            return None
        first = served[0].served
        return {
            "group": first.gvk.group,
            "resource": first.plural,
            "schema": {"name": schema, "UID": "", "identityHash": ""},
            "storageVersions": [first.storage_version],
        }

    def _wildcard_clusters(self) -> list[str]:
        return list(dict.fromkeys([*self.crds.clusters(), *self.exports.clusters()]))

    def _make(self, cluster: str) -> ResourceSet:
        bundles = [definition.bundle for definition in self.crds.of(cluster).values()]
        bundles += [self._bound(cluster, binding.reference) for binding in self.bindings.of(cluster).values()]
        bundles = sorted((b for b in bundles if b.resources), key=lambda bundle: bundle.identity)
        if not bundles:
            return self.builtin
        identity = tuple(bundle.identity for bundle in bundles)
        shared = self._shared.get(identity)
        if shared is None:
            shared = ResourceSet((r for bundle in bundles for r in bundle.resources), self.builtin)
            self._shared[identity] = shared
        return shared

    def _bound(self, cluster: str, reference: Reference) -> Bundle:
        found = self.export(cluster, reference)
        if found is None:
            return Bundle(())
        provider, export = found
        served: list[Resource] = []
        for name in export.schemas:
            served.extend(self.schemas.get(provider, name) or ())
        identity = ("export", provider, reference.name, str(export.revision), str(len(served)))
        return Bundle(identity, tuple(served))

    def _workspace_changed(self, key: Key) -> None:
        self._sets.pop(key.cluster, None)

    def _all_changed(self, _key: Key) -> None:
        self._sets.clear()


def _binding(_key: Key, _revision: int, manifest: Manifest) -> Binding | None:
    reference = reference_of(manifest)
    bound = (manifest.get("status") or {}).get("phase") == "Bound"
    return Binding(reference, bound) if reference else None


def reference_of(manifest: Manifest) -> Reference | None:
    """What an APIBinding binds."""
    export = ((manifest.get("spec") or {}).get("reference") or {}).get("export") or {}
    name = export.get("name", "")
    return Reference(export.get("path", ""), name) if name else None


def _export(_key: Key, revision: int, manifest: Manifest) -> Export:
    spec = manifest.get("spec") or {}
    names = tuple(spec.get("latestResourceSchemas") or ())
    names += tuple(r["schema"] for r in spec.get("resources") or () if r.get("schema"))
    return Export(revision, tuple(dict.fromkeys(names)))


def _schema(_key: Key, revision: int, manifest: Manifest) -> tuple[Resource, ...]:
    names = crds.served_names(manifest["spec"])
    return tuple(resources.of(served_from_api_resource_schema(manifest, name), changed_at=revision) for name in names)
