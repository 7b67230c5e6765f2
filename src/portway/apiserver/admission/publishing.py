"""What the server adds to offers: the identity of an APIExport, and where providers and controllers of types look."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Callable

from portway.apiserver import clocks, objects
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.exporting import EXPORTS
from portway.apiserver.rbac import Attributes, Grants
from portway.apiserver.settings import Settings
from portway.apiserver.storing import Storage
from portway.apiserver.tenants import Tenants
from portway.apiserver.workspacetypes import TYPES
from portway.krm.errors import forbidden, not_found
from portway.krm.identity import Manifest
from portway.store.contract import Key, Put

SLICES = "apiexportendpointslices.apis.kcp.io"
SKIP_ANNOTATION = "apiexports.apis.kcp.io/skip-endpointslice"
_SLICE_VERSION = "apis.kcp.io/v1alpha1"
NAMESPACE = "kcp-system"
"""Of the secrets that hold identities, in the workspace of the export."""


class Publishing:
    def __init__(
        self, storage: Storage, tenants: Tenants, grants: Grants, *, settings: Settings, now: clocks.Now
    ) -> None:
        self._storage = storage
        self._grants = grants
        self._tenants = tenants
        self._settings = settings
        self._now = now
        self._steps: dict[str, Callable[[AdmissionRequest, Manifest], None]] = {
            EXPORTS: self._export,
            SLICES: self._slice,
            TYPES: self._type,
        }

    async def admit(self, request: AdmissionRequest) -> None:
        step = self._steps.get(request.resource.key)
        if step is not None and request.object is not None and not request.subresource:
            step(request, request.object)

    def _export(self, request: AdmissionRequest, manifest: Manifest) -> None:
        if request.operation is not Operation.CREATE:
            return
        now = clocks.stamp(self._now())
        spec = manifest.setdefault("spec", {}) or {}
        manifest["spec"] = spec
        identity = self._identity(request, spec, now)
        manifest["status"] = {
            "identityHash": identity,
            "conditions": _true(now, "IdentityValid", "VirtualWorkspaceURLsReady"),
            "virtualWorkspaces": [{"url": self._url(request.tenant.cluster, request.name)}],
        }
        self._own_slice(request, manifest["metadata"], now)

    def _own_slice(self, request: AdmissionRequest, export: Manifest, now: str) -> None:
        """Goes with the export."""
        cluster, name = request.tenant.cluster, request.name
        skipped = SKIP_ANNOTATION in (export.get("annotations") or {})
        if skipped or self._storage.get(Key(SLICES, cluster, "", name)) is not None:
            return
        own = _object(_SLICE_VERSION, "APIExportEndpointSlice", name, "", now)
        owner = {"apiVersion": _SLICE_VERSION, "kind": "APIExport", "name": name, "uid": export["uid"]}
        own["metadata"] |= {"generation": 1, "ownerReferences": [owner]}
        own["spec"] = {"export": {"path": request.tenant.path, "name": name}}
        own["status"] = served_at(self._url(cluster, name), now)
        self._also(request, SLICES, own)

    def _identity(self, request: AdmissionRequest, spec: Manifest, now: str) -> str:
        """Hash of the key in the Secret named; without one, of a new key in a new Secret."""
        cluster = request.tenant.cluster
        named = (spec.get("identity") or {}).get("secretRef") or {"namespace": NAMESPACE, "name": request.name}
        where = Key("secrets", cluster, named.get("namespace") or NAMESPACE, named.get("name") or request.name)
        record = self._storage.get(where)
        if record is not None:
            key = base64.b64decode((objects.decode(record.value).get("data") or {}).get("key") or "")
        elif spec.get("identity"):
            raise not_found("secrets", where.name)
        else:
            key = secrets.token_hex(32).encode()
            self._keep(request, where, key, now)
        spec["identity"] = {"secretRef": {"namespace": where.namespace, "name": where.name}}
        return hashlib.sha256(key).hexdigest()

    def _keep(self, request: AdmissionRequest, where: Key, key: bytes, now: str) -> None:
        if self._storage.get(Key("namespaces", where.cluster, "", where.namespace)) is None:
            namespace = _object("v1", "Namespace", where.namespace, "", now)
            namespace["metadata"]["labels"] = {"kubernetes.io/metadata.name": where.namespace}
            self._also(
                request,
                "namespaces",
                {**namespace, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}},
            )
        secret = _object("v1", "Secret", where.name, where.namespace, now)
        self._also(request, "secrets", {**secret, "type": "Opaque", "data": {"key": base64.b64encode(key).decode()}})

    def _slice(self, request: AdmissionRequest, manifest: Manifest) -> None:
        if request.operation is not Operation.CREATE:
            return
        export = (manifest.get("spec") or {}).get("export") or {}
        name, path = export.get("name") or "", export.get("path") or ""
        tenant = self._tenants.resolve(path) if path else request.tenant
        asked = Attributes("bind", "apis.kcp.io", "apiexports", "", name)
        if tenant is None or not self._grants.allows(request.user, tenant.cluster, asked):
            # The same whether the export, its workspace or the permission is missing.
            named = f"{path}:{name}".lstrip(":")
            why = f"unable to create APIExportEndpointSlice: no permission to bind to export {named}"
            raise forbidden("apiexportendpointslices", request.name, why, "apis.kcp.io")
        now = clocks.stamp(self._now())
        is_there = self._storage.get(Key(EXPORTS, tenant.cluster, "", name)) is not None
        url = self._url(tenant.cluster, name)
        manifest["status"] = served_at(url, now) if is_there else missing(f"{path or tenant.cluster}|{name}", now)

    def _type(self, request: AdmissionRequest, manifest: Manifest) -> None:
        spec, found = manifest.get("spec") or {}, []
        for field, service, kind in (
            ("initializer", "initializingworkspaces", "initializing"),
            ("terminator", "terminatingworkspaces", "terminating"),
        ):
            if spec.get(field):
                url = f"{self._settings.external_url}/services/{service}/{request.tenant.cluster}:{request.name}"
                found.append({"url": url, "type": kind})
        manifest["status"] = {**(manifest.get("status") or {}), "virtualWorkspaces": found}
        if not found:
            del manifest["status"]["virtualWorkspaces"]
        before = (((request.old or {}).get("status")) or {}).get("conditions")
        manifest["status"]["conditions"] = before or _true(
            clocks.stamp(self._now()), "Ready", "VirtualWorkspaceURLsReady"
        )

    def _url(self, cluster: str, export: str) -> str:
        return url_of(self._settings, cluster, export)

    def _also(self, request: AdmissionRequest, resource: str, manifest: Manifest) -> None:
        fields, cluster = manifest["metadata"], request.tenant.cluster
        key = Key(resource, cluster, fields.get("namespace", ""), fields["name"])
        request.also.append(Put(key, objects.encoder(manifest, cluster), 0))


def url_of(settings: Settings, cluster: str, export: str) -> str:
    """Where a provider sees its consumers."""
    return f"{settings.external_url}/services/apiexport/{cluster}/{export}"


def missing(export: str, now: str) -> Manifest:
    """Status of an APIExportEndpointSlice whose export is not there."""
    fault = {"severity": "Error", "reason": "APIExportNotFound", "message": f"Error getting APIExport {export}"}
    return {"conditions": [{"type": "APIExportValid", "status": "False", "lastTransitionTime": now, **fault}]}


def served_at(url: str, now: str) -> Manifest:
    """Status of an APIExportEndpointSlice."""
    conditions = _true(now, "APIExportValid", "EndpointURLsReady", "PartitionValid")
    return {"conditions": conditions, "endpoints": [{"url": url}]}


def _true(now: str, *kinds: str) -> list[Manifest]:
    return [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in kinds]


def _object(api_version: str, kind: str, name: str, namespace: str, now: str) -> Manifest:
    fields = {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": now}
    if namespace:
        fields["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": fields}
