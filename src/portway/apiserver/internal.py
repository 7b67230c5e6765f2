"""The server's own requests: the same verbs as everybody's, as system:portway, without HTTP."""

from __future__ import annotations

from typing import Any

import orjson

from portway.apiserver import writing
from portway.apiserver.context import Context
from portway.apiserver.requests import Message, Request
from portway.apiserver.resources import Resource
from portway.apiserver.routing import Target
from portway.apiserver.tenants import Tenant
from portway.apiserver.users import SYSTEM
from portway.apiserver.verbs import creating, deleting
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.store.contract import Conflict, Record


class Internal:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, tenant: Tenant, resource: Resource, manifest: Manifest, namespace: str = "") -> Manifest:
        """Raises StatusError."""
        asked = request(tenant, resource, "POST", namespace=namespace, body=manifest)
        created: Manifest = orjson.loads((await creating.create(self._context, asked, resource)).body)
        return created

    async def remove(self, tenant: Tenant, resource: Resource, record: Record) -> bool:
        """Delete in the background; True when it is gone already."""
        key = record.key
        asked = request(tenant, resource, "DELETE", name=key.name, namespace=key.namespace)
        options = {"propagationPolicy": "Background"}
        try:
            return (await deleting.remove(self._context, asked, resource, record, options))[1]
        except StatusError as error:
            if error.code == 404:
                return True
            raise

    async def release(self, tenant: Tenant, resource: Resource, record: Record, finalizer: str) -> None:
        """Take a finalizer off; deletes the object when it was the last."""
        current: Record | None = record
        while current is not None:
            manifest = writing.live_of(resource, current)
            fields = manifest["metadata"]
            if finalizer not in (fields.get("finalizers") or ()):
                return
            fields["finalizers"] = [f for f in fields["finalizers"] if f != finalizer]
            asked = request(tenant, resource, "PUT", name=record.key.name, namespace=record.key.namespace)
            try:
                await writing.replace(self._context, asked, resource, current, manifest)
            except Conflict:
                current = self._context.storage.get(record.key)
            else:
                return


def request(
    tenant: Tenant, resource: Resource, method: str, *, name: str = "", namespace: str = "", body: Any = None
) -> Request:
    gvk = resource.served.gvk
    target = Target(tenant.cluster, "", gvk.group, gvk.version, namespace, resource.served.plural, name)

    async def receive() -> Message:
        return {"type": "http.request", "body": orjson.dumps(body) if body is not None else b""}

    return Request(
        method=method,
        target=target,
        query={"fieldManager": "portway"},
        raw_headers=[],
        headers={},
        receive=receive,
        body_limit=1 << 26,
        user=SYSTEM,
        tenant=tenant,
    )
