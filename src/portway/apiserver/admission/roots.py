"""What root holds: itself, the built-in workspace types, and the first key that signs service-account tokens."""

from __future__ import annotations

import contextlib
import uuid

from portway.apiserver import clocks, objects, signingkeys, tokens
from portway.apiserver.admission import contents
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.exporting import Reference
from portway.apiserver.registry import Registry
from portway.apiserver.settings import Settings
from portway.apiserver.storing import Storage
from portway.apiserver.tenants import LOGICAL_CLUSTERS, Tenant
from portway.apiserver.users import SYSTEM
from portway.apiserver.workspacetypes import TYPES
from portway.krm.identity import Manifest
from portway.store.contract import Conflict, Key, Put

ROOT = Tenant("root", "root", "root:root")
OWN_EXPORT = Reference("root", "portway.dev")
NAMESPACES = (*contents.ROOT_NAMESPACES, tokens.NAMESPACE)
"""Of root, besides those that every workspace has."""

_TYPES: dict[str, Manifest] = {
    "universal": {"defaultAPIBindings": [{"path": OWN_EXPORT.path, "export": OWN_EXPORT.name}]},
    "root": {"extend": {"with": [{"name": "universal", "path": "root"}]}},
    "organization": {"extend": {"with": [{"name": "universal", "path": "root"}]}},
    "home": {
        "extend": {"with": [{"name": "universal", "path": "root"}]},
        "defaultChildWorkspaceType": {"name": "universal", "path": "root"},
        "limitAllowedParents": {"none": True},
    },
    "team": {"extend": {"with": [{"name": "universal", "path": "root"}]}},
}
_LATER = "home"
"""The type that was not there from the first release on."""


async def ensure(storage: Storage, registry: Registry, settings: Settings, now: clocks.Now) -> None:
    """Make root when the store is empty, in one commit; else what of it is missing or earlier releases had not."""
    moment = clocks.stamp(now())
    birth = contents.Birth(
        tenant=ROOT,
        url=f"{settings.external_url}/clusters/root",
        type=ROOT.type,
        bindings=[(OWN_EXPORT, BindingStatuses(registry, now).first(ROOT.cluster, OWN_EXPORT))],
        creator=None,
        owner=None,
        ca_certificate=settings.ca_certificate,
        now=moment,
    )
    if storage.get(Key(LOGICAL_CLUSTERS, ROOT.cluster, "", "cluster")) is not None:
        gone = [name for name in NAMESPACES if storage.get(Key("namespaces", ROOT.cluster, "", name)) is None]
        later = [] if storage.get(Key(TYPES, ROOT.cluster, "", _LATER)) else [_type(_LATER, _TYPES[_LATER], moment)]
        if gone or later:
            with contextlib.suppress(Conflict):  # another process starts, too
                await storage.commit([*contents.of_namespaces(birth, gone), *later], SYSTEM.name)
        return
    changes = contents.changes(birth, extra_namespaces=NAMESPACES)
    changes += [_type(name, spec, moment) for name, spec in _TYPES.items()]
    changes.append(signingkeys.new_key(moment))
    await storage.commit(changes, SYSTEM.name)


def _type(name: str, spec: Manifest, now: str) -> Put:
    manifest = {
        "apiVersion": "tenancy.kcp.io/v1alpha1",
        "kind": "WorkspaceType",
        "metadata": {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": now, "generation": 1},
        "spec": spec,
    }
    return Put(Key(TYPES, ROOT.cluster, "", name), objects.encoder(manifest, ROOT.cluster), 0)
