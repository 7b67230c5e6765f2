"""The workspaces that exist: path to logical cluster and back, from the LogicalCluster object each one holds."""

from __future__ import annotations

import sys
from typing import NamedTuple

from portway.apiserver.following import Follower
from portway.krm.identity import Manifest
from portway.store.contract import Key, Reads

LOGICAL_CLUSTERS = "logicalclusters.core.kcp.io"
PATH_ANNOTATION = "kcp.io/path"
CLUSTER_ANNOTATION = "kcp.io/cluster"
TYPE_ANNOTATION = "internal.tenancy.kcp.io/type"
GROUPS_ANNOTATION = "authorization.kcp.io/required-groups"


class Tenant(NamedTuple):
    """A workspace: its logical cluster and its path (``root:acme:payments``)."""

    cluster: str
    path: str
    type: str = "root:universal"
    """Path and name of its WorkspaceType."""
    groups: str = ""
    """Who may come in at all, roles or not: ``a,b;c`` are members of both a and b, or of c. Empty: everybody."""
    waits: tuple[str, ...] = ()
    """Names of the initializers, or at its end the terminators, that still have to do something."""


class Tenants:
    def __init__(self, cache: Reads) -> None:
        self._by_path: dict[str, Tenant] = {}
        self._path_of: dict[str, str] = {}
        self._waiting: dict[str, set[str]] = {}
        """Logical clusters that once waited, by what for."""
        self.follower: Follower[Tenant] = Follower(cache, LOGICAL_CLUSTERS, _parse, self._changed)

    def resolve(self, text: str) -> Tenant | None:
        """By path, by logical cluster name, or by a path below one: ``<logical cluster>:<name>``."""
        found = self._by_path.get(text) or self.follower.get(text, "cluster")
        if found is None and ":" in text:
            top, _, below = text.partition(":")
            above = self.follower.get(top, "cluster")
            found = self._by_path.get(f"{above.path}:{below}") if above is not None else None
        return found

    def path_of(self, cluster: str) -> str:
        return self._path_of.get(cluster, "")

    def waiting(self, *names: str) -> list[str]:
        """Logical clusters that wait for one of these, in order; found without looking at any others."""
        found: set[str] = set()
        for name in names:
            clusters = self._waiting.get(name)
            if clusters:
                clusters -= {each for each in clusters if name not in self._waits_of(each)}
                found |= clusters
        return sorted(found)

    def _waits_of(self, cluster: str) -> tuple[str, ...]:
        tenant = self.follower.get(cluster, "cluster")
        return tenant.waits if tenant is not None else ()

    def ancestors(self, path: str) -> list[Tenant]:
        """Nearest first, up to root; without the workspace itself."""
        found = []
        while ":" in path:
            path = path.rpartition(":")[0]
            tenant = self._by_path.get(path)
            if tenant is not None:
                found.append(tenant)
        return found

    def all(self) -> list[Tenant]:
        return list(self._by_path.values())

    def _changed(self, key: Key) -> None:
        tenant = self.follower.get(key.cluster, key.name)
        if tenant is not None:
            self._by_path[tenant.path] = tenant
            self._path_of[key.cluster] = tenant.path
            for name in tenant.waits:
                self._waiting.setdefault(name, set()).add(key.cluster)
            return
        path = self._path_of.pop(key.cluster, None)
        if path is not None:
            self._by_path.pop(path, None)


def _parse(key: Key, _revision: int, manifest: Manifest) -> Tenant | None:
    annotations = manifest["metadata"].get("annotations") or {}
    path, type_ = annotations.get(PATH_ANNOTATION, ""), annotations.get(TYPE_ANNOTATION) or "root:universal"
    groups = sys.intern(annotations.get(GROUPS_ANNOTATION) or "")
    return Tenant(key.cluster, path, sys.intern(type_), groups, _waits(manifest)) if path else None


def _waits(manifest: Manifest) -> tuple[str, ...]:
    status = manifest.get("status") or {}
    ending = bool(manifest["metadata"].get("deletionTimestamp"))
    return tuple(status.get("terminators" if ending else "initializers") or ())
