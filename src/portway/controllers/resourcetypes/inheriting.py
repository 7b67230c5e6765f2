"""Every workspace below one that exports resource types is bound to that export: existing workspaces and new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern

from portway.apis.resources import API_EXPORTS, WORKSPACES
from portway.client.contract import Client
from portway.controllers import lineages
from portway.controllers.resourcetypes import publishing
from portway.krm.identity import Manifest
from portway.runtime import objects
from portway.runtime.contract import Controller, Done, Lister, Request, Watch


@dataclass(frozen=True, slots=True)
class InheritingReconciler:
    """The object is the Workspace; bindings are made inside it."""

    workspaces: Lister
    exports: Lister
    client: Client

    async def reconcile(self, request: Request) -> Done:
        manifest = self.workspaces.get(*request)
        if manifest is None or objects.is_deleting(manifest):
            return Done()
        if (manifest.get("status") or {}).get("phase") != "Ready":
            return Done()  # its status wakes us again
        path = lineages.child(request.workspace, request.name)
        for ancestor in lineages.upward(request.workspace):
            if self.exports.get(ancestor, "", publishing.EXPORT) is not None:
                await publishing.bind(self.client.at(path), ancestor)
        return Done()


def kept(workspace: Manifest) -> Manifest:
    """What is read of one here: there may be ten thousand."""
    fields = workspace["metadata"]
    read: Manifest = {name: fields[name] for name in ("name", "resourceVersion", "deletionTimestamp") if name in fields}
    read["annotations"] = {objects.PATH_ANNOTATION: intern(objects.workspace_of(workspace))}
    return {"metadata": read, "status": {"phase": intern(str((workspace.get("status") or {}).get("phase")))}}


def controller(workspaces: Lister, exports: Lister, client: Client) -> Controller:
    def below(manifest: Manifest) -> Iterator[Request]:
        if objects.name_of(manifest) != publishing.EXPORT:
            return iter(())
        place = objects.workspace_of(manifest)
        return (objects.key_of(w) for w in workspaces.list() if lineages.is_within(objects.workspace_of(w), place))

    reconciler = InheritingReconciler(workspaces, exports, client)
    return Controller("inherited-types", WORKSPACES, reconciler, (Watch(API_EXPORTS, below),))
