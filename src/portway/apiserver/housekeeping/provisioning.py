"""What every namespace holds: ServiceAccount ``default`` and ConfigMap ``kube-root-ca.crt``, made and kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import orjson

from portway.apiserver import clocks
from portway.apiserver.admission import contents
from portway.apiserver.housekeeping.editing import NAMESPACES, Editor
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record

ACCOUNTS = "serviceaccounts"
CONFIG_MAPS = "configmaps"
DEFAULT_ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"


class NamespaceProvisioning:
    name = "namespace provisioning"

    def __init__(self, editor: Editor, ca_certificate: str, now: clocks.Now) -> None:
        self._editor = editor
        self._certificate = ca_certificate
        self._quoted = orjson.dumps(ca_certificate)
        self._now = now

    def load(self, record: Record) -> Iterable[Key]:
        key = record.key
        if key.resource == NAMESPACES:
            return self._lacking(key)
        if key.resource == CONFIG_MAPS and key.name == ROOT_CA and self._quoted not in record.value:
            return (_holder(key),)
        return ()

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if key.resource == NAMESPACES:
            return () if event.type is EventType.DELETED else self._lacking(key)
        if (key.resource, key.name) == (CONFIG_MAPS, ROOT_CA):
            changed = event.type is EventType.DELETED or self._quoted not in event.record.value
            return (_holder(key),) if changed else ()
        if (key.resource, key.name, event.type) == (ACCOUNTS, DEFAULT_ACCOUNT, EventType.DELETED):
            return (_holder(key),)
        return ()

    async def work(self, key: Key) -> float | None:
        namespace = self._editor.read(key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return None
        account = _account(key.name)
        await self._ensure(Key(ACCOUNTS, key.cluster, key.name, DEFAULT_ACCOUNT), account)
        config_map = contents.root_ca(key.name, self._certificate)
        where = Key(CONFIG_MAPS, key.cluster, key.name, ROOT_CA)
        await self._ensure(where, config_map)
        await self._editor.edit(where, self._renewed)
        return None

    def _lacking(self, key: Key) -> Iterable[Key]:
        account = Key(ACCOUNTS, key.cluster, key.name, DEFAULT_ACCOUNT)
        config_map = Key(CONFIG_MAPS, key.cluster, key.name, ROOT_CA)
        return () if self._editor.exists(account) and self._editor.exists(config_map) else (key,)

    async def _ensure(self, key: Key, manifest: Manifest) -> None:
        if self._editor.exists(key):
            return
        manifest["metadata"]["uid"] = str(uuid.uuid4())
        manifest["metadata"]["creationTimestamp"] = clocks.stamp(self._now())
        await self._editor.create(key, manifest)

    def _renewed(self, manifest: Manifest) -> bool:
        wanted = {"ca.crt": self._certificate}
        changed = manifest.get("data") != wanted
        manifest["data"] = wanted
        return changed


def _account(namespace: str) -> Manifest:
    metadata = {"name": DEFAULT_ACCOUNT, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _holder(key: Key) -> Key:
    return Key(NAMESPACES, key.cluster, "", key.namespace)
