"""WorkspaceTypes in memory, for the pure rules of ``portway.tenancy.rules``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portway.apiserver.following import Follower
from portway.apiserver.tenants import Tenants
from portway.krm.identity import Manifest
from portway.store.contract import Key, Reads
from portway.tenancy import rules
from portway.tenancy.rules import TypeReference, lineage

TYPES = "workspacetypes.tenancy.kcp.io"
UNIVERSAL = TypeReference("root", "universal")
"""Every type extends it, said or not: it binds Portway's own kinds."""


class WorkspaceTypes:
    def __init__(self, cache: Reads, tenants: Tenants) -> None:
        self._tenants = tenants
        self.follower: Follower[Manifest] = Follower(cache, TYPES, _spec)

    def spec(self, reference: TypeReference) -> Mapping[str, Any] | None:
        tenant = self._tenants.resolve(reference.path)
        return self.follower.get(tenant.cluster, reference.name) if tenant is not None else None

    def lineage(self, reference: TypeReference) -> tuple[TypeReference, ...]:
        """Itself first, then all it extends."""
        found = lineage(reference, self.spec)
        return found if UNIVERSAL in found else (*found, UNIVERSAL)

    def maintains(self, reference: TypeReference) -> bool:
        """Whether workspaces made earlier follow changes of the type's bindings."""
        return _maintains(self.spec(reference) or {})

    def any_maintains(self) -> bool:
        follower = self.follower
        return any(_maintains(spec) for cluster in follower.clusters() for spec in follower.of(cluster).values())

    def waiting_for(self, field: str, types: Iterable[TypeReference]) -> list[str]:
        """Names of initializers or terminators: ``<logical cluster>:<type>``, as kcp's clients compute them."""
        found = [(self._tenants.resolve(one.path), one.name) for one in rules.waiting_for(field, types, self.spec)]
        return [f"{tenant.cluster}:{name}" for tenant, name in found if tenant is not None]


def _maintains(spec: Mapping[str, Any]) -> bool:
    return spec.get("defaultAPIBindingLifecycle") == "Maintain"


def _spec(_key: Key, _revision: int, manifest: Manifest) -> Manifest:
    return dict(manifest.get("spec") or {})
