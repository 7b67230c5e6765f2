"""The phase of a workspace, from who still has to prepare it or to clean it up; mirrored into its Workspace.

The logical cluster's status is the truth: a controller takes itself off its initializers or terminators there.
"""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver import clocks
from portway.apiserver.admission.workspacecreation import PHASE_LABEL, WORKSPACES, conditions
from portway.apiserver.housekeeping.conditions import setting
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.tenants import LOGICAL_CLUSTERS
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record

_LISTS = ("initializers", "terminators")


class WorkspacePhases:
    name = "workspace phases"

    def __init__(self, editor: Editor, now: clocks.Now) -> None:
        self._editor = editor
        self._now = now

    def load(self, record: Record) -> Iterable[Key]:
        if record.key.resource != LOGICAL_CLUSTERS:
            return ()
        value = record.value
        settled = b'"phase":"Ready"' in value and b'"deletionTimestamp"' not in value
        return () if settled else (record.key,)

    def observe(self, event: Event) -> Iterable[Key]:
        return () if event.type is EventType.DELETED else self.load(event.record)

    async def work(self, key: Key, /) -> float | None:
        cluster = self._editor.read(key)
        if cluster is None:
            return None
        status = cluster.get("status") or {}
        phase = phase_of(cluster)
        await self._editor.edit(key, lambda manifest: _set_phase(manifest, phase))
        owner = (cluster.get("spec") or {}).get("owner") or {}
        if owner.get("resource") == "workspaces":
            workspace = Key(WORKSPACES, owner["cluster"], "", owner["name"])
            await self._editor.edit(workspace, lambda manifest: self._mirror(manifest, owner["uid"], phase, status))
        return None

    def _mirror(self, workspace: Manifest, uid: str, phase: str, status: Manifest) -> bool:
        if workspace["metadata"].get("uid") != uid:
            return False
        changed = _set_phase(workspace, phase)
        mirrored = workspace["status"]
        for name in _LISTS:
            if (mirrored.get(name) or []) != (status.get(name) or []):
                changed = True
                mirrored[name] = list(status.get(name) or [])
        now = clocks.stamp(self._now())
        told = [c for c in conditions(status.get("initializers") or (), now) if c["type"] == "WorkspaceInitialized"]
        return setting(told, now)(workspace) or changed


def phase_of(cluster: Manifest) -> str:
    """Of a LogicalCluster."""
    status = cluster.get("status") or {}
    if cluster["metadata"].get("deletionTimestamp"):
        return "Terminating" if status.get("terminators") else "Deleting"
    return "Initializing" if status.get("initializers") else "Ready"


def _set_phase(manifest: Manifest, phase: str) -> bool:
    status = manifest.setdefault("status", {})
    labels = manifest["metadata"].get("labels") or {}
    if status.get("phase") == phase and labels.get(PHASE_LABEL) == phase:
        return False
    status["phase"] = phase
    manifest["metadata"]["labels"] = {**labels, PHASE_LABEL: phase}
    return True
