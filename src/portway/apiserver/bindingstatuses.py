"""Status of an APIBinding as things stand: what is bound, what stands in the way, which claims are in force."""

from __future__ import annotations

from collections.abc import Iterator

from portway.apiserver import clocks, exporting
from portway.apiserver.exporting import BINDINGS, Binding, Claimed, Reference, Schema
from portway.apiserver.registry import Registry
from portway.apiserver.resources import Source
from portway.krm.identity import Manifest
from portway.store.contract import Key


class BindingStatuses:
    def __init__(self, registry: Registry, now: clocks.Now) -> None:
        self._registry = registry
        self._now = now
        self._first: dict[Source, tuple[int, Manifest]] = {}
        """Revision of an export and the status of a binding to it that nothing stands in the way of."""

    def first(self, cluster: str, reference: Reference) -> Manifest:
        """Of a binding made with its workspace, which holds nothing else."""
        found = self._registry.export(cluster, reference)
        if found is not None:
            kept, made = self._first.get(found[0], (0, {}))
            if kept == found[1].revision:
                return made
        status = self._make_first(cluster, reference)
        if found is not None:
            self._first[found[0]] = (found[1].revision, status)
        return status

    def _make_first(self, cluster: str, reference: Reference) -> Manifest:
        fields = {"name": reference.name}
        spec = {"reference": {"export": reference._asdict()}}
        return self.of(cluster, {"metadata": fields, "spec": spec})

    def of(self, cluster: str, manifest: Manifest) -> Manifest:
        name = manifest["metadata"].get("name", "")
        before = manifest.get("status") or {}
        binding = exporting.parse_binding(Key(BINDINGS, cluster, "", name), 0, manifest)
        found = self._registry.export(cluster, binding.reference) if binding is not None else None
        if binding is None or found is None:
            missing = ("APIExportValid", "APIExportNotFound", f"APIExport {self._named(binding)} not found")
            kept = before if binding is not None and binding.bound else {"phase": "Binding"}
            return {**kept, "conditions": self._conditions(before, [missing])}
        source, export = found
        arrangement = self._registry.arrangement(cluster, (name, binding))
        conflict = arrangement.conflicts.get(name, "")
        bound = binding.bound or not conflict
        status: Manifest = {"phase": "Bound" if bound else "Binding", "apiExportClusterName": source.cluster}
        served = arrangement.schemas.get(name, []) if bound else []
        status["boundResources"] = self._bound(source, export.identity, served, before)
        problems = [("BindingUpToDate", "NamingConflicts", conflict)] if conflict else []
        if conflict and not bound:
            problems.append(("InitialBindingCompleted", "NamingConflicts", conflict))
        if export.claims:
            asked = set(export.claims)
            status["exportPermissionClaims"] = [_claim(claim) for claim in export.claims]
            status["appliedPermissionClaims"] = [_claim(c.about) for c in binding.claims if c.about in asked]
            unexpected = [claim.about for claim in binding.claims if claim.about not in asked]
            if unexpected:
                listed = ", ".join(f"{c.resource}.{c.group}".rstrip(".") for c in unexpected)
                problems.append(
                    ("PermissionClaimsValid", "InvalidPermissionClaims", f"the export does not claim {listed}")
                )
        status["conditions"] = self._conditions(before, problems, claims=bool(export.claims))
        return status

    def is_stale(self, cluster: str, name: str, binding: Binding) -> bool:
        """Whether its status does not say what it serves."""
        found = self._registry.export(cluster, binding.reference)
        if found is None:
            return False
        arrangement = self._registry.arrangement(cluster)
        if not binding.bound:
            return name not in arrangement.conflicts
        named = {id(schema): text for text, schema in self._registry.schemas_of(found[0])}
        served = arrangement.schemas.get(name, [])
        return {(s.group, s.plural): named.get(id(s), "") for s in served} != binding.resources

    def _named(self, binding: Binding | None) -> str:
        return str(binding.reference) if binding is not None else "without a name"

    def _bound(self, source: Source, identity: str, served: list[Schema], before: Manifest) -> list[Manifest]:
        stored = {
            (r["group"], r["resource"]): r.get("storageVersions") or [] for r in before.get("boundResources") or ()
        }
        whole = self._registry.schemas_of(source)
        kept = {id(schema) for schema in served}
        entries = []
        for name, schema in whole:
            if id(schema) not in kept or not schema.resources:
                continue
            version = schema.resources[0].served.storage_version
            versions = [*dict.fromkeys([*stored.get((schema.group, schema.plural), ()), version])]
            reference = {"name": name, "UID": schema.uid, "identityHash": identity}
            entry = {"group": schema.group, "resource": schema.plural, "schema": reference, "storageVersions": versions}
            entries.append(entry)
        return entries

    def _conditions(
        self, before: Manifest, problems: list[tuple[str, str, str]], *, claims: bool = False
    ) -> list[Manifest]:
        now = clocks.stamp(self._now())
        old = {c["type"]: c for c in before.get("conditions") or ()}
        return [_kept(old.get(c["type"]), c) for c in _all(problems, now, claims=claims)]


def _all(problems: list[tuple[str, str, str]], now: str, *, claims: bool) -> Iterator[Manifest]:
    told = {kind: (reason, message) for kind, reason, message in problems}
    kinds = ["APIExportValid", "BindingUpToDate", "InitialBindingCompleted"]
    if claims:
        kinds += ["PermissionClaimsApplied", "PermissionClaimsValid"]
    if problems:
        told["Ready"] = problems[0][1:]
    for kind in [*kinds, "Ready"]:
        condition: Manifest = {"type": kind, "status": "True", "lastTransitionTime": now}
        if kind in told:
            reason, message = told[kind]
            condition |= {"status": "False", "severity": "Error", "reason": reason, "message": message}
        yield condition


def _kept(old: Manifest | None, new: Manifest) -> Manifest:
    if old is not None and old.get("status") == new["status"]:
        return {**new, "lastTransitionTime": old.get("lastTransitionTime") or new["lastTransitionTime"]}
    return new


def _claim(claim: Claimed) -> Manifest:
    fields = {"group": claim.group, "resource": claim.resource, "identityHash": claim.identity}
    return {key: value for key, value in fields.items() if value or key == "group"}
