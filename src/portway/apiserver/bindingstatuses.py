"""Status of an APIBinding as things stand: what is bound, what stands in the way, which claims are in force.

Manifests are v1alpha2. Conditions, reasons and texts are kcp's: pkg/reconciler/apis/{apibinding,permissionclaimlabel}.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from portway.apiserver import clocks, exportforms, exporting
from portway.apiserver.exporting import BINDINGS, Binding, Claimed, Export, Reference, Schema
from portway.apiserver.registry import Registry
from portway.apiserver.resources import Source
from portway.krm.identity import Manifest
from portway.store.contract import Key

_EXPORT, _UP_TO_DATE, _COMPLETED = "APIExportValid", "BindingUpToDate", "InitialBindingCompleted"
_APPLIED, _VALID = "PermissionClaimsApplied", "PermissionClaimsValid"
_READY = "Ready"
_SHOWN = 5
"""Claims that a message names."""


class Problem(NamedTuple):
    """Why a condition is False."""

    reason: str
    message: str
    severity: str = "Error"


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
        return self.of(cluster, {"apiVersion": exportforms.CURRENT, "metadata": fields, "spec": spec})

    def of(self, cluster: str, manifest: Manifest) -> Manifest:
        name = manifest["metadata"].get("name", "")
        before = manifest.get("status") or {}
        binding = exporting.parse_binding(Key(BINDINGS, cluster, "", name), 0, manifest)
        found = self._registry.export_for(cluster, binding) if binding is not None else None
        if binding is None or found is None:
            return self._lost(cluster, binding, before)
        source, export = found
        arrangement = self._registry.arrangement(cluster, (name, binding))
        conflict = arrangement.conflicts.get(name, "")
        bound = binding.bound or not conflict
        status: Manifest = {"phase": "Bound" if bound else "Binding", "apiExportClusterName": source.cluster}
        served = arrangement.schemas.get(name, []) if bound else []
        status["boundResources"] = self._bound(source, export.identity, served, before)
        problems: dict[str, Problem | None] = dict.fromkeys((_EXPORT, _UP_TO_DATE, _COMPLETED))
        if conflict:
            problems[_UP_TO_DATE] = Problem("NamingConflicts", conflict)
        if conflict and not bound:
            problems[_COMPLETED] = Problem("NamingConflicts", conflict)
        accepted = _accepted(manifest)
        if export.claims or accepted:
            status["exportPermissionClaims"] = [*export.claims.values()]
            status["appliedPermissionClaims"] = [c for about, c in accepted.items() if about in export.claims]
            problems |= {_APPLIED: None, _VALID: _fault(accepted, export)}
        status["conditions"] = self._conditions(before, problems)
        return status

    def is_stale(self, cluster: str, name: str, binding: Binding) -> bool:
        """Whether its status does not say what it serves and what its export asks for."""
        found = self._registry.export_for(cluster, binding)
        if found is None or binding.lost:
            return (found is None) != binding.lost
        if binding.told != found[1].told:
            return True
        arrangement = self._registry.arrangement(cluster)
        if not binding.bound:
            return name not in arrangement.conflicts
        named = {id(schema): text for text, schema in self._registry.schemas_of(found[0])}
        served = arrangement.schemas.get(name, [])
        return {(s.group, s.plural): named.get(id(s), "") for s in served} != binding.resources

    def _lost(self, cluster: str, binding: Binding | None, before: Manifest) -> Manifest:
        """Of a binding whose export is not there."""
        named = f"{binding.reference.path or cluster}|{binding.reference.name}" if binding is not None else "|"
        problems: dict[str, Problem | None] = {
            _EXPORT: Problem("APIExportNotFound", f"APIExport {named} not found"),
            _COMPLETED: None,
        }
        if binding is not None and binding.bound:
            return {**before, "conditions": self._conditions(before, problems)}
        problems[_COMPLETED] = Problem("WaitingForEstablished", "Waiting for API(s) to be established", "Info")
        source = self._registry.source_for(cluster, binding) if binding is not None else None
        home = before.get("apiExportClusterName") or (source.cluster if source is not None else "")
        status = {"phase": "Binding", "conditions": self._conditions(before, problems)}
        return {**status, "apiExportClusterName": home} if home else status

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

    def _conditions(self, before: Manifest, problems: dict[str, Problem | None]) -> list[Manifest]:
        """Ready says what InitialBindingCompleted does: what once was bound stays ready."""
        now = clocks.stamp(self._now())
        old = {c["type"]: c for c in before.get("conditions") or ()}
        told = {_READY: problems[_COMPLETED], **dict(sorted(problems.items()))}
        return [_kept(old.get(kind), _condition(kind, problem, now)) for kind, problem in told.items()]


def _accepted(manifest: Manifest) -> dict[Claimed, Manifest]:
    """Claims in force when the export asks for them, as status has them."""
    claims = (manifest.get("spec") or {}).get("permissionClaims") or ()
    return {
        Claimed.of(claim): {name: value for name, value in claim.items() if name != "state"}
        for claim in claims
        if claim.get("state") == "Accepted"
    }


def _fault(accepted: dict[Claimed, Manifest], export: Export) -> Problem | None:
    unasked = [about for about in accepted if about not in export.claims]
    if unasked:
        told = ", ".join(
            f'unexpected/invalid claim for {c.resource}.{c.group} (identity "{c.identity}")' for c in unasked
        )
        message = f"{len(unasked)} unexpected and/or invalid permission claims (showing first {len(unasked)}): {told}"
        return Problem("InvalidPermissionClaims", message)
    differing = [*_differences(accepted, export)]
    if differing:
        shown = differing[:_SHOWN]
        message = (
            f"{len(differing)} permission claim(s) have mismatched verbs or selectors (showing first {len(shown)}): "
            + ", ".join(shown)
        )
        return Problem("PermissionClaimsMismatch", message, "Warning")
    return None


def _differences(accepted: dict[Claimed, Manifest], export: Export) -> Iterator[str]:
    """Where an answer gives other verbs or objects than were asked for."""
    for about, claim in accepted.items():
        asked, parts = export.claims[about], []
        if set(claim["verbs"]) != set(asked["verbs"]):
            parts.append(f"verbs: accepted {_listed(claim)}, exported {_listed(asked)}")
        if asked.get("defaultSelector") and asked["defaultSelector"] != claim.get("selector"):
            parts.append("selector differs from defaultSelector")
        if parts:
            yield f"{about.resource}.{about.group} ({'; '.join(parts)})"


def _listed(claim: Manifest) -> str:
    return f"[{' '.join(claim['verbs'])}]"


def _condition(kind: str, problem: Problem | None, now: str) -> Manifest:
    condition: Manifest = {"type": kind, "status": "True", "lastTransitionTime": now}
    if problem is not None:
        condition |= {"status": "False", **{name: getattr(problem, name) for name in ("severity", "reason", "message")}}
    return condition


def _kept(old: Manifest | None, new: Manifest) -> Manifest:
    if old is not None and old.get("status") == new["status"]:
        return {**new, "lastTransitionTime": old.get("lastTransitionTime") or new["lastTransitionTime"]}
    return new
