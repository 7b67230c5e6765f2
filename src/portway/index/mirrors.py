"""Copies of other objects that lists on pages need: templates, runs, workloads, environments, resource types."""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

from portway.index import entities
from portway.index.catalogs import Readable
from portway.krm.identity import Manifest

Place = tuple[str, str, str]
"""Workspace, namespace (empty for cluster-scoped), name."""


class Mirror:
    """All objects of one resource, over all workspaces."""

    def __init__(self) -> None:
        self._objects: dict[Place, Manifest] = {}

    def put(self, manifest: Manifest) -> None:
        self._objects[_place(manifest)] = manifest

    def remove(self, manifest: Manifest) -> None:
        self._objects.pop(_place(manifest), None)

    def get(self, workspace: str, name: str, namespace: str = "") -> Manifest | None:
        return self._objects.get((workspace, namespace, name))

    def all(self, readable: Readable) -> list[Manifest]:
        """Newest first."""
        found = [m for (workspace, _, _), m in self._objects.items() if readable(workspace)]
        return sorted(found, key=lambda m: str(m["metadata"].get("creationTimestamp", "")), reverse=True)

    def workspaces(self) -> set[str]:
        return {workspace for workspace, _, _ in self._objects}

    def within(self, workspace: str) -> list[Manifest]:
        """Of one workspace, by name."""
        found = [m for (place, _, _), m in self._objects.items() if place == workspace]
        return sorted(found, key=lambda m: str(m["metadata"]["name"]))


class Names:
    """Where all objects of one resource are, and no more of them: for workspaces, of which there are many."""

    def __init__(self) -> None:
        self._places: set[tuple[str, str]] = set()

    def put(self, manifest: Manifest) -> None:
        workspace, _, name = _place(manifest)
        self._places.add((intern(workspace), name))

    def remove(self, manifest: Manifest) -> None:
        workspace, _, name = _place(manifest)
        self._places.discard((workspace, name))

    def all(self) -> Iterator[tuple[str, str]]:
        """(workspace, name)."""
        return iter(self._places)


def _place(manifest: Manifest) -> Place:
    metadata = manifest["metadata"]
    return entities.workspace_of(manifest), metadata.get("namespace") or "", metadata["name"]
