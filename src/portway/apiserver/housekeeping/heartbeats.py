"""The Lease by which an API server tells that it lives, as kube-apiserver does: kube-system, apiserver-<hash>.

It is also what makes time visible in a store in which nothing else happens: revisions go on, and old ones expire.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import uuid
from collections.abc import Awaitable, Callable

from portway.apiserver import clocks
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.routing import ROOT
from portway.krm.identity import Manifest
from portway.store.contract import Key

INTERVAL_SECONDS = 60.0
LEASE_SECONDS = 3600
LEASES = "leases.coordination.k8s.io"
_NAMESPACE = "kube-system"


def identity(host: str) -> str:
    return f"apiserver-{hashlib.sha256(host.encode()).hexdigest()[:26]}"


async def beat(editor: Editor, now: clocks.Now, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Renew until cancelled; the first time after an interval, so that short runs write nothing."""
    host = socket.gethostname()
    key = Key(LEASES, ROOT, _NAMESPACE, identity(host))
    while True:
        await sleep(INTERVAL_SECONDS)
        stamp = clocks.micro_stamp(now())
        if await editor.edit(key, _renewing(stamp)) is None:
            await editor.create(key, _lease(key, host, stamp, clocks.stamp(now())))


def _renewing(stamp: str) -> Callable[[Manifest], bool]:
    def renew(manifest: Manifest) -> bool:
        manifest["spec"] = {**(manifest.get("spec") or {}), "renewTime": stamp}
        return True

    return renew


def _lease(key: Key, host: str, stamp: str, created: str) -> Manifest:
    labels = {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": host}
    metadata = {"name": key.name, "namespace": key.namespace, "creationTimestamp": created, "labels": labels}
    metadata["uid"] = str(uuid.uuid4())
    spec = {"holderIdentity": key.name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": stamp}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
