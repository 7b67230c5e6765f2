"""The objects of an in-memory API: one revision log over all workspaces, and the rules of each write.

Synchronous and single-threaded: a call is atomic. Values are copied as JSON on the way in and out, so that a
test meets what a wire would do to its objects.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import orjson

from portway.client.contract import Resource
from portway.kit.clocks import Clock, rfc3339
from portway.krm import errors
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

CLUSTER = "kcp.io/cluster"
PATH = "kcp.io/path"
REQUESTED_BY = "portway.dev/requested-by"
_FOREGROUND = "foregroundDeletion"
_SERVER_OWNED = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_KEEP_PATH = ("workspaces", "logicalclusters")


T = TypeVar("T")


class Key(NamedTuple):
    group: str
    plural: str
    workspace: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. For DELETED ``after`` is the last state with the revision of the deletion."""

    type: str
    key: Key
    revision: int
    before: Manifest | None
    after: Manifest


def copied(value: T) -> T:
    copy: T = orjson.loads(orjson.dumps(value))
    return copy


def cluster_name(workspace: str) -> str:
    """A stand-in for the random name of a logical cluster: never equal to the path, except for root."""
    return workspace if workspace == "root" else hashlib.sha256(workspace.encode()).hexdigest()[:16]


class Objects:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._current: dict[Key, Manifest] = {}
        self._log: list[Entry] = []
        self._oldest = 0
        self._changed = asyncio.Event()
        self.revision = 1

    # reading

    def get(self, key: Key) -> Manifest:
        if (found := self._current.get(key)) is None:
            raise errors.not_found(key.plural, key.name, key.group)
        return found

    def matching(self, resource: Resource, workspace: str | None, namespace: str | None) -> list[tuple[Key, Manifest]]:
        """In key order; None means all."""
        return sorted(
            (
                (key, manifest)
                for key, manifest in self._current.items()
                if _within(key, resource, workspace, namespace)
            ),
            key=lambda pair: pair[0],
        )

    def entries(self, after: int) -> list[Entry]:
        """Raises StatusError 410 when changes after that revision have been forgotten."""
        if after < self._oldest:
            raise errors.expired(f"too old resource version: {after} ({self._oldest})")
        return [entry for entry in self._log if entry.revision > after]

    def within(self, key: Key, resource: Resource, workspace: str | None, namespace: str | None) -> bool:
        return _within(key, resource, workspace, namespace)

    async def changed(self, after: int) -> None:
        """Return when there is something newer than ``after``."""
        while self.revision <= after:
            await self._changed.wait()

    def compact(self) -> None:
        """Forget the log: watches from any earlier revision now get 410."""
        self._log.clear()
        self._oldest = self.revision

    # writing

    def create(self, key: Key, manifest: Manifest, *, user: str, dry_run: bool = False) -> Manifest:
        if key in self._current:
            raise errors.already_exists(key.plural, key.name, key.group)
        metadata = manifest["metadata"]
        if metadata.get("resourceVersion"):
            raise errors.bad_request("resourceVersion should not be set on objects to be created")
        for owned in _SERVER_OWNED:
            metadata.pop(owned, None)
        metadata |= {
            "uid": str(uuid.uuid4()),
            "creationTimestamp": rfc3339(self._clock.now()),
            "generation": 1,
        }
        _annotate(key, manifest, None, user)
        _encode_secret(key, manifest)
        manifest.pop("status", None)
        return manifest if dry_run else self._commit("ADDED", key, None, manifest)

    def replace(self, key: Key, manifest: Manifest, *, subresource: str = "", dry_run: bool = False) -> Manifest:
        """Write a new state made from the live object; checks resourceVersion and uid when they are given."""
        live = self.get(key)
        _check_preconditions(key, live, manifest["metadata"])
        new = _with_status(live, manifest) if subresource else _with_content(key, live, manifest)
        if _same(live, new):
            return live
        if dry_run:
            return new
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            return self._remove(key, new)
        return self._commit("MODIFIED", key, live, new)

    def delete(self, key: Key, *, propagation: str, uid: str = "") -> None:
        live = self.get(key)
        if uid and uid != live["metadata"]["uid"]:
            raise _uid_conflict(key, live, uid)
        if propagation == "Orphan":
            self._release_dependents(key.workspace, live["metadata"]["uid"])
        dependents = list(self._dependents(key.workspace, live["metadata"]["uid"]))
        new = copied(live)
        finalizers = new["metadata"].setdefault("finalizers", [])
        if propagation == "Foreground" and dependents and _FOREGROUND not in finalizers:
            finalizers.append(_FOREGROUND)
        if not finalizers:
            self._remove(key, live)
            return
        if not live["metadata"].get("deletionTimestamp"):
            new["metadata"] |= {
                "deletionTimestamp": rfc3339(self._clock.now()),
                "deletionGracePeriodSeconds": 0,
            }
            new["metadata"]["generation"] += 1
        if not _same(live, new):
            self._commit("MODIFIED", key, live, new)
        if _FOREGROUND in finalizers:
            self._delete_all([found for found, _ in dependents], "Foreground")

    def _commit(self, type_: str, key: Key, before: Manifest | None, after: Manifest) -> Manifest:
        self.revision += 1
        after = copied(after)
        after["metadata"]["resourceVersion"] = str(self.revision)
        if type_ == "DELETED":
            self._current.pop(key, None)
        else:
            self._current[key] = after
        self._log.append(Entry(type_, key, self.revision, before, after))
        self._changed.set()
        self._changed = asyncio.Event()
        return after

    def _remove(self, key: Key, last: Manifest) -> Manifest:
        gone = self._commit("DELETED", key, self._current.get(key), last)
        uid = gone["metadata"]["uid"]
        dependents = [found for found, _ in self._dependents(key.workspace, uid)]
        self._release_dependents(key.workspace, uid, only_shared=True)
        self._delete_all([found for found in dependents if self._refers(found, uid)], "Background")
        if key.plural == "namespaces" and not key.group:
            inside = [k for k in self._current if (k.workspace, k.namespace) == (key.workspace, key.name)]
            self._delete_all(inside, "Background")
        self._finish_foreground(key.workspace)
        return gone

    # garbage collection

    def _dependents(self, workspace: str, uid: str) -> Iterator[tuple[Key, Manifest]]:
        for key, manifest in self._current.items():
            if key.workspace == workspace and any(o["uid"] == uid for o in _owners(manifest)):
                yield key, manifest

    def _refers(self, key: Key, uid: str) -> bool:
        return key in self._current and any(o["uid"] == uid for o in _owners(self._current[key]))

    def _release_dependents(self, workspace: str, uid: str, *, only_shared: bool = False) -> None:
        """Take the owner out of its dependents; ``only_shared``: of those that have another living owner."""
        living = {m["metadata"]["uid"] for k, m in self._current.items() if k.workspace == workspace}
        for key, manifest in list(self._dependents(workspace, uid)):
            others = [o for o in _owners(manifest) if o["uid"] != uid]
            if only_shared and not any(o["uid"] in living for o in others):
                continue
            new = copied(manifest)
            new["metadata"]["ownerReferences"] = others
            self._commit("MODIFIED", key, manifest, new)

    def _delete_all(self, keys: list[Key], propagation: str) -> None:
        for key in keys:
            if key in self._current:
                self.delete(key, propagation=propagation)

    def _finish_foreground(self, workspace: str) -> None:
        for key, manifest in list(self._current.items()):
            metadata = manifest["metadata"]
            waiting = key.workspace == workspace and _FOREGROUND in (metadata.get("finalizers") or ())
            if waiting and key in self._current and not any(self._dependents(workspace, metadata["uid"])):
                new = copied(manifest)
                new["metadata"]["finalizers"].remove(_FOREGROUND)
                self.replace(key, new)

    def mutate(self, key: Key, change: Callable[[Manifest], Manifest], *, subresource: str = "") -> Manifest:
        """Replace by a function of the live object (patches); a resourceVersion it sets is a precondition."""
        live = self.get(key)
        changed = change(copied(live))
        if not isinstance(changed, dict) or not isinstance(changed.get("metadata"), dict):
            raise errors.bad_request("a patch must leave an object with metadata")
        if changed["metadata"].get("name") != key.name:
            raise errors.bad_request(f'the name of the object may not be changed by a patch of "{key.name}"')
        return self.replace(key, copied(changed), subresource=subresource)


def _within(key: Key, resource: Resource, workspace: str | None, namespace: str | None) -> bool:
    return (
        key.plural == resource.plural
        and key.group == resource.group
        and (workspace is None or key.workspace == workspace)
        and (namespace is None or key.namespace == namespace)
    )


def _owners(manifest: Manifest) -> list[dict[str, Any]]:
    return manifest["metadata"].get("ownerReferences") or []


def _check_preconditions(key: Key, live: Manifest, given: dict[str, Any]) -> None:
    if given.get("uid") and given["uid"] != live["metadata"]["uid"]:
        raise _uid_conflict(key, live, given["uid"])
    version = given.get("resourceVersion")
    if version and version != live["metadata"]["resourceVersion"]:
        why = "the object has been modified; please apply your changes to the latest version and try again"
        raise errors.conflict(key.plural, key.name, why, key.group)
    if not version and key.group.endswith(("portway.dev", "kcp.io")):
        cause = errors.Cause(
            "FieldValueInvalid",
            "Invalid value: 0: must be specified for an update",
            "metadata.resourceVersion",
        )
        raise errors.invalid(key.plural, key.name, (cause,), key.group)


def _uid_conflict(key: Key, live: Manifest, uid: str) -> StatusError:
    why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {live['metadata']['uid']}"
    return errors.conflict(key.plural, key.name, why, key.group)


def _with_status(live: Manifest, manifest: Manifest) -> Manifest:
    new = copied(live)
    new.pop("status", None)
    if "status" in manifest:
        new["status"] = manifest["status"]
    return new


def _with_content(key: Key, live: Manifest, manifest: Manifest) -> Manifest:
    new = copied(manifest)
    metadata, old = new["metadata"], live["metadata"]
    for owned in _SERVER_OWNED:
        metadata.pop(owned, None)
        if owned in old:
            metadata[owned] = old[owned]
    if old.get("deletionTimestamp") and set(metadata.get("finalizers") or ()) - set(old.get("finalizers") or ()):
        text = "Forbidden: no new finalizers can be added if the object is being deleted"
        cause = errors.Cause("FieldValueForbidden", text, "metadata.finalizers")
        raise errors.invalid(key.plural, key.name, (cause,), key.group)
    _annotate(key, new, live, "")
    _encode_secret(key, new)
    new.pop("status", None)
    if "status" in live:
        new["status"] = live["status"]
    if _content(new) != _content(live):
        metadata["generation"] = old["generation"] + 1
    return new


def _annotate(key: Key, manifest: Manifest, live: Manifest | None, user: str) -> None:
    """The annotations the server owns: taken out (added again on reads) or kept as they were."""
    metadata = manifest["metadata"]
    annotations = dict(metadata.pop("annotations", None) or {})
    annotations.pop(CLUSTER, None)
    if key.plural not in _KEEP_PATH:
        annotations.pop(PATH, None)
    if key.group.endswith("portway.dev"):
        before = (live or {}).get("metadata", {}).get("annotations") or {}
        annotations[REQUESTED_BY] = before.get(REQUESTED_BY) or user or annotations.get(REQUESTED_BY, "")
    if annotations:
        metadata["annotations"] = annotations
    for empty in ("labels", "finalizers", "ownerReferences"):
        if not metadata.get(empty, True):
            del metadata[empty]


def _encode_secret(key: Key, manifest: Manifest) -> None:
    if (key.group, key.plural) != ("", "secrets"):
        return
    text = manifest.pop("stringData", None) or {}
    data = (manifest.get("data") or {}) | {k: b64encode(str(v).encode()).decode() for k, v in text.items()}
    if data:
        manifest["data"] = data
    manifest.setdefault("type", "Opaque")


def _content(manifest: Manifest) -> Manifest:
    return {k: v for k, v in manifest.items() if k not in ("metadata", "status", "apiVersion", "kind")}


def _same(one: Manifest, other: Manifest) -> bool:
    def essence(manifest: Manifest) -> Manifest:
        metadata = {k: v for k, v in manifest["metadata"].items() if k != "resourceVersion" and v not in ([], {})}
        return manifest | {"metadata": metadata}

    return essence(one) == essence(other)
