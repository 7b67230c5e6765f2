"""A shipped fake of the API: the client contract over objects in memory, with the server's semantics.

What it has: uids, resource versions, generation, a separate status, finalizers, cascading deletion,
selectors, watches, conflicts, workspaces. What it has not: schemas, defaulting, admission, authorization,
field owners.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from portway.client import paths
from portway.client.contract import ALL_WORKSPACES, Listing, PatchType, Resource, WatchEvent
from portway.client.memory import applying
from portway.client.memory.objects import CLUSTER, PATH, Entry, Key, Objects, cluster_name, copied
from portway.kit.clocks import Clock, SystemClock
from portway.krm import errors, patches, selectors
from portway.krm.builtins import catalogue
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

__all__ = ["MemoryClient"]

Matches = Callable[[Manifest], bool]

_BOOKMARK_EVERY = 100
"""Revisions of other objects after which a watch says how far it is."""


class MemoryClient:
    """``MemoryClient()`` makes an empty API; ``at`` and ``with_token`` give other views of the same one.

    ``users`` maps bearer tokens to user names; a token it does not know is answered with 401.
    """

    def __init__(
        self,
        workspace: str = "root",
        *,
        user: str = "system:portway",
        users: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        _objects: Objects | None = None,
        _applied: dict[tuple[Key, str, str], Manifest] | None = None,
    ) -> None:
        self._workspace = workspace
        self._user = user
        self._users = users or {}
        self._clock = clock or SystemClock()
        self._objects = _objects or Objects(self._clock)
        self._applied = _applied if _applied is not None else {}

    @property
    def workspace(self) -> str:
        return self._workspace

    @property
    def user(self) -> str:
        return self._user

    def at(self, workspace: str) -> MemoryClient:
        return self._view(workspace, self._user)

    def with_token(self, token: str) -> MemoryClient:
        return self._view(self._workspace, self._users.get(token, ""))

    def compact(self) -> None:
        """Forget the history, as a server does in time: watches from an earlier revision get 410."""
        self._objects.compact()

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest:
        key = self._key(resource, name, namespace)
        return self._shown(resource, key, self._objects.get(key))

    async def list(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Listing:
        self._authenticated()
        matches = _matcher(labels, fields)
        found = self._objects.matching(resource, self._scope(), namespace)
        items = [self._shown(resource, key, manifest) for key, manifest in found if matches(manifest)]
        return Listing(items, str(self._objects.revision))

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        since: str = "",
        labels: str = "",
        fields: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        self._authenticated()
        matches = _matcher(labels, fields)
        sent = after = _revision(since) or self._objects.revision
        if not _revision(since):
            for key, manifest in self._objects.matching(resource, self._scope(), namespace):
                if matches(manifest):
                    yield WatchEvent("ADDED", self._shown(resource, key, manifest))
        while True:
            for entry in self._objects.entries(after):
                after = entry.revision
                if not self._objects.within(entry.key, resource, self._scope(), namespace):
                    continue
                if type_ := _event_type(entry, matches):
                    sent = after
                    yield WatchEvent(type_, self._shown(resource, entry.key, entry.after))
            if after - sent >= _BOOKMARK_EVERY:
                sent = after
                bookmark = {"apiVersion": resource.api_version, "kind": resource.kind}
                yield WatchEvent("BOOKMARK", bookmark | {"metadata": {"resourceVersion": str(after)}})
            await self._objects.changed(after)

    async def create(
        self, resource: Resource, manifest: Manifest, namespace: str | None = None, *, dry_run: bool = False
    ) -> Manifest:
        manifest = self._readable(resource, manifest)
        metadata = manifest["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + secrets.token_hex(3)[:5]
        key = self._key(resource, metadata.get("name", ""), self._namespace(resource, metadata, namespace))
        if resource.namespaced:
            metadata["namespace"] = key.namespace
        created = self._objects.create(key, manifest, user=self._user, dry_run=dry_run)
        return self._shown(resource, key, created)

    async def update(
        self, resource: Resource, manifest: Manifest, *, subresource: str = "", dry_run: bool = False
    ) -> Manifest:
        manifest = self._readable(resource, manifest)
        key = self._key_of(resource, manifest)
        updated = self._objects.replace(key, manifest, subresource=subresource, dry_run=dry_run)
        return self._shown(resource, key, updated)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Manifest | Sequence[dict[str, Any]],
        namespace: str | None = None,
        *,
        type: PatchType = PatchType.MERGE,  # noqa: A002  the API's own word
        subresource: str = "",
    ) -> Manifest:
        key = self._key(resource, name, namespace)
        patch = copied(patch)
        if isinstance(patch, dict) == (type is PatchType.JSON):
            raise errors.bad_request("a JSON patch is a list of operations, other patches are objects")

        def change(live: Manifest) -> Manifest:
            if type is PatchType.JSON:
                return patches.json_patch(live, patch)
            if type is PatchType.MERGE:
                return patches.merge_patch(live, patch)
            return patches.strategic_merge_patch(live, patch, _schema(resource))

        return self._shown(resource, key, self._objects.mutate(key, change, subresource=subresource))

    async def apply(
        self,
        resource: Resource,
        manifest: Manifest,
        *,
        manager: str,
        force: bool = True,  # noqa: ARG002  without field owners there is nothing to force
        subresource: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        manifest = self._readable(resource, manifest)
        if "managedFields" in manifest["metadata"]:
            raise errors.bad_request("metadata.managedFields must be nil")
        key = self._key_of(resource, manifest)
        slot = (key, manager, subresource)
        try:
            live = self._objects.get(key)
        except StatusError:
            if subresource:
                raise
            self._applied[slot] = copied(manifest)
            return await self.create(resource, manifest, key.namespace or None, dry_run=dry_run)
        merged = applying.apply(copied(live), self._applied.get(slot), manifest)
        applied = self._objects.replace(key, copied(merged), subresource=subresource, dry_run=dry_run)
        if not dry_run:
            self._applied[slot] = manifest
        return self._shown(resource, key, applied)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        uid: str = "",
    ) -> None:
        self._objects.delete(self._key(resource, name, namespace), propagation=propagation, uid=uid)

    async def post(self, path: str, body: Manifest) -> Manifest:
        """Everyone may do everything here, so access reviews are answered with yes."""
        self._authenticated()
        kind = path.rsplit("/", 1)[-1]
        if kind in ("selfsubjectaccessreviews", "subjectaccessreviews", "localsubjectaccessreviews"):
            return {**copied(body), "status": {"allowed": True}}
        if kind == "selfsubjectreviews":
            user = {"username": self._user, "groups": ["system:authenticated"]}
            return {**copied(body), "status": {"userInfo": user}}
        raise StatusError(404, "NotFound", f"the server could not find the requested resource {path}")

    def _view(self, workspace: str, user: str) -> MemoryClient:
        return MemoryClient(
            workspace,
            user=user,
            users=self._users,
            clock=self._clock,
            _objects=self._objects,
            _applied=self._applied,
        )

    def _scope(self) -> str | None:
        return None if self._workspace == ALL_WORKSPACES else self._workspace

    def _authenticated(self) -> None:
        if not self._user:
            raise errors.unauthorized()

    def _key(self, resource: Resource, name: str, namespace: str | None) -> Key:
        self._authenticated()
        if self._workspace == ALL_WORKSPACES:
            raise errors.bad_request("a single object is read and written in its workspace: use at(workspace)")
        paths.segment(name, f"name of {resource.kind}")
        if resource.namespaced and not namespace:
            raise errors.bad_request(f"{resource.plural} are namespaced: {name} needs a namespace")
        return Key(
            resource.group,
            resource.plural,
            self._workspace,
            (namespace or "") if resource.namespaced else "",
            name,
        )

    def _key_of(self, resource: Resource, manifest: Manifest) -> Key:
        return self._key(resource, manifest["metadata"].get("name", ""), manifest["metadata"].get("namespace"))

    @staticmethod
    def _namespace(resource: Resource, metadata: Manifest, namespace: str | None) -> str | None:
        given = metadata.get("namespace")
        if resource.namespaced and given and namespace and given != namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        return namespace or given

    @staticmethod
    def _readable(resource: Resource, manifest: Manifest) -> Manifest:
        read: Manifest = {"apiVersion": resource.api_version, "kind": resource.kind} | copied(manifest)
        if (read["apiVersion"], read["kind"]) != (resource.api_version, resource.kind):
            found = f"{read['kind']} {read['apiVersion']}"
            raise errors.bad_request(f"expected {resource.kind} {resource.api_version} in the body, found {found}")
        read.setdefault("metadata", {})
        return read

    def _shown(self, resource: Resource, key: Key, manifest: Manifest) -> Manifest:
        shown: Manifest = copied(manifest)
        annotations = shown["metadata"].setdefault("annotations", {})
        annotations[CLUSTER] = cluster_name(key.workspace)
        if self._workspace == ALL_WORKSPACES:
            annotations[PATH] = key.workspace
        return shown | {"apiVersion": resource.api_version}


def _revision(since: str) -> int:
    try:
        return int(since or 0)
    except ValueError:
        raise errors.bad_request(f"invalid resource version {since!r}: a number was expected") from None


def _matcher(labels: str, fields: str) -> Matches:
    """Any field may be selected by, where the server knows a few per kind."""
    by_labels, by_fields = selectors.parse_labels(labels), selectors.parse_fields(fields)

    def matches(manifest: Manifest) -> bool:
        return by_labels.matches(manifest["metadata"].get("labels")) and by_fields.matches(manifest)

    return matches


def _schema(resource: Resource) -> Mapping[str, Any]:
    for served in catalogue.KINDS:
        if (served.gvk.group, served.plural) == (resource.group, resource.plural):
            return served.schema
    raise errors.unsupported_media_type(f"a strategic merge patch needs a built-in kind, {resource.plural} are not")


def _event_type(entry: Entry, matches: Matches) -> str:
    """What the change is to a watch with a selector; empty when it is nothing."""
    before = entry.before is not None and matches(entry.before)
    after = entry.type != "DELETED" and matches(entry.after)
    if before and after:
        return "MODIFIED"
    if after:
        return "ADDED"
    return "DELETED" if before else ""
