"""Which resources each workspace serves: built-in kinds, its CRDs, and what its APIBindings bind.

Everything is kept per workspace as a few references; the set of resources itself is shared by all workspaces with
the same CRDs and bindings (thousands of teams, one set), and made when first asked for. A binding serves what its
export offers now: a changed export or schema reaches all consumers at once, whatever their status still says.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

from portway.apiserver import arranging, crds, exporting, resources
from portway.apiserver.arranging import Arrangement, Offer
from portway.apiserver.claiming import ClaimChanges
from portway.apiserver.crds import Definition
from portway.apiserver.exporting import BINDINGS, EXPORTS, SCHEMAS, Binding, Export, Reference, Schema
from portway.apiserver.following import Follower
from portway.apiserver.resources import Bundle, Resource, ResourceSet, Source
from portway.apiserver.tenants import Tenants
from portway.krm.errors import not_found
from portway.krm.served import Served
from portway.store.contract import Key, Reads


class Registry:
    def __init__(self, cache: Reads, tenants: Tenants, builtin: tuple[Served, ...]) -> None:
        self._tenants = tenants
        self.builtin = ResourceSet(resources.of(served) for served in builtin)
        self._builtin_names = frozenset((s.gvk.group, s.plural) for s in builtin)
        self._sets: dict[str, ResourceSet] = {}
        self._shared: weakref.WeakValueDictionary[tuple[tuple[str, ...], ...], ResourceSet] = (
            weakref.WeakValueDictionary()
        )
        self.claims = ClaimChanges()
        self._naming: dict[str, dict[str, set[str]]] = {}
        """Workspaces that once named an export: by its name, then by its path (empty: the workspace's own)."""
        self.crds: Follower[Definition] = Follower(cache, crds.CRDS, crds.parse, self._workspace_changed)
        self.bindings: Follower[Binding] = Follower(cache, BINDINGS, exporting.parse_binding, self._binding_changed)
        self.exports: Follower[Export] = Follower(cache, EXPORTS, exporting.parse_export, self._all_changed)
        self.schemas: Follower[Schema] = Follower(cache, SCHEMAS, exporting.parse_schema, self._all_changed)

    @property
    def followers(self) -> tuple[Follower[Any], ...]:
        return (self.crds, self.bindings, self.exports, self.schemas)

    def is_builtin(self, group: str, plural: str) -> bool:
        """In any version."""
        return (group, plural) in self._builtin_names

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

    def source_of(self, cluster: str, reference: Reference) -> Source | None:
        """The place of the export a binding in ``cluster`` names, whether there is one or not."""
        if reference.path:
            tenant = self._tenants.resolve(reference.path)
            if tenant is None:
                return None
            cluster = tenant.cluster
        return Source(cluster, reference.name)

    def source_for(self, cluster: str, binding: Binding) -> Source | None:
        """The place of a binding's export; None when the path leads to another workspace than it did at first.

        Who was allowed to bind there was asked of the first one.
        """
        source = self.source_of(cluster, binding.reference)
        return source if source is None or binding.home in ("", source.cluster) else None

    def export_for(self, cluster: str, binding: Binding) -> tuple[Source, Export] | None:
        source = self.source_for(cluster, binding)
        export = self.exports.get(*source) if source is not None else None
        return (source, export) if source is not None and export is not None else None

    def export(self, cluster: str, reference: Reference) -> tuple[Source, Export] | None:
        """The export a binding in ``cluster`` names, with its place."""
        source = self.source_of(cluster, reference)
        export = self.exports.get(*source) if source is not None else None
        return (source, export) if source is not None and export is not None else None

    def schemas_of(self, source: Source) -> list[tuple[str, Schema]]:
        """What an export offers, by the names of its schemas."""
        export = self.exports.get(*source)
        found = [(name, self.schemas.get(source.cluster, name)) for name in (export.schemas if export else ())]
        return [(name, schema) for name, schema in found if schema is not None]

    def bindings_to(self, cluster: str, source: Source) -> Iterator[tuple[str, Binding]]:
        """Bindings in a workspace to an export, by name."""
        for (_, name), binding in self.bindings.of(cluster).items():
            if binding.reference.name == source.export and self.source_for(cluster, binding) == source:
                yield name, binding

    def consumers(self, source: Source) -> list[str]:
        """Workspaces with a binding to an export, in order; found without looking at any other workspace."""
        found: set[str] = set()
        for path, clusters in self._naming.get(source.export, {}).items():
            tenant = self._tenants.resolve(path) if path else None
            if path and (tenant is None or tenant.cluster != source.cluster):
                continue
            candidates = clusters if path else clusters & {source.cluster}
            gone = {cluster for cluster in candidates if not any(self.bindings_to(cluster, source))}
            clusters.difference_update(gone)
            found |= candidates - gone
        return sorted(found)

    def arrangement(self, cluster: str, extra: tuple[str, Binding] | None = None) -> Arrangement:
        """What serves what; ``extra``: a binding about to be made."""
        bindings = {name: binding for (_, name), binding in self.bindings.of(cluster).items()}
        if extra is not None:
            bindings[extra[0]] = extra[1]
        ordered = sorted(bindings.items(), key=lambda item: (item[1].created, item[0]))
        offers = [offer for name, binding in ordered if (offer := self._offer(cluster, name, binding)) is not None]
        definitions = [(name, definition) for (_, name), definition in self.crds.of(cluster).items()]
        return arranging.arrange(self._builtin_names, definitions, offers)

    def taken(self, cluster: str) -> list[Definition]:
        """Names that bindings of a workspace took, as CRDs see them."""
        return [
            Definition(Bundle(()), schema.group, schema.names, schema.kinds, False)
            for schemas in self.arrangement(cluster).schemas.values()
            for schema in schemas
        ]

    def _offer(self, cluster: str, name: str, binding: Binding) -> Offer | None:
        source = self.source_for(cluster, binding)
        if source is None:
            return None
        schemas = [schema for _, schema in self.schemas_of(source)]
        return Offer(name, binding.reference, schemas, binding.resources.keys(), binding.bound) if schemas else None

    def _wildcard_clusters(self) -> list[str]:
        return list(dict.fromkeys([*self.crds.clusters(), *self.exports.clusters()]))

    def _make(self, cluster: str) -> ResourceSet:
        bundles = [definition.bundle for definition in self.crds.of(cluster).values()]
        if self.bindings.of(cluster):
            bound = list(self._bound(cluster))
            taken = {resource.key for bundle in bound for resource in bundle.resources}
            # A status that somebody wrote into a CRD must not have it served in the place of what is bound.
            bundles = [b for b in bundles if not any(resource.key in taken for resource in b.resources)] + bound
        bundles = sorted((b for b in bundles if b.resources), key=lambda bundle: bundle.identity)
        if not bundles:
            return self.builtin
        identity = tuple(bundle.identity for bundle in bundles)
        shared = self._shared.get(identity)
        if shared is None:
            sources = {r.key: bundle.source for bundle in bundles if bundle.source for r in bundle.resources}
            shared = ResourceSet((r for bundle in bundles for r in bundle.resources), self.builtin, sources)
            self._shared[identity] = shared
        return shared

    def _bound(self, cluster: str) -> Iterator[Bundle]:
        for name, schemas in self.arrangement(cluster).schemas.items():
            binding = self.bindings.get(cluster, name)
            found = self.export_for(cluster, binding) if binding is not None else None
            if binding is None or found is None:
                continue
            source, export = found
            served = [
                resources.ending(resource) if binding.terminating else resource
                for schema in schemas
                for resource in schema.resources
            ]
            parts = (
                f"{schema.plural}.{schema.group}@{schema.resources[0].changed_at}"
                for schema in schemas
                if schema.resources
            )
            plurals = ",".join(parts)
            ending = "ending" if binding.terminating else ""
            yield Bundle(("export", *source, str(export.revision), plurals, ending), tuple(served), source)

    def _workspace_changed(self, key: Key) -> None:
        self._sets.pop(key.cluster, None)

    def _binding_changed(self, key: Key) -> None:
        self._sets.pop(key.cluster, None)
        binding = self.bindings.get(key.cluster, key.name)
        source = self.source_for(key.cluster, binding) if binding is not None else None
        self.claims.note(key, binding, source)
        if binding is not None:
            path, name = binding.reference
            self._naming.setdefault(name, {}).setdefault(path, set()).add(key.cluster)

    def _all_changed(self, _key: Key) -> None:
        self._sets.clear()
