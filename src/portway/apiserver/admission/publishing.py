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
from portway.apiserver.settings import Settings
from portway.apiserver.storing import Storage
from portway.apiserver.tenants import Tenants
from portway.apiserver.workspacetypes import TYPES
from portway.krm.errors import not_found
from portway.krm.identity import Manifest
from portway.store.contract import Key, Put

SLICES = "apiexportendpointslices.apis.kcp.io"
NAMESPACE = "kcp-system"
"""Of the secrets that hold identities, in the workspace of the export."""


class Publishing:
    def __init__(self, storage: Storage, tenants: Tenants, settings: Settings, now: clocks.Now) -> None:
        self._storage = storage
        self._tenants = tenants
        self._settings = settings
        self._now = now
        self._steps: dict[str, Callable[[AdmissionRequest, Manifest], None]] = {
            EXPORTS: self._export,
            SLICES: self._slice,
            TYPES: self._type,
        }

    async def admit(self, request: AdmissionRequest) -> None:
        if request.resource.key == EXPORTS and request.operation is Operation.UPDATE and request.object is not None:
            _keep_identity(request.object, request.old or {})
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
        true = {"status": "True", "lastTransitionTime": now}
        kinds = ("IdentityValid", "VirtualWorkspaceURLsReady")
        manifest["status"] = {
            "identityHash": identity,
            "conditions": [{"type": kind, **true} for kind in kinds],
            "virtualWorkspaces": [{"url": self._url(request.tenant.cluster, request.name)}],
        }
        if self._storage.get(Key(SLICES, request.tenant.cluster, "", request.name)) is None:
            own = _object("apis.kcp.io/v1alpha1", "APIExportEndpointSlice", request.name, "", now)
            own["spec"] = {"export": {"path": request.tenant.path, "name": request.name}}
            own["status"] = {"endpoints": [{"url": self._url(request.tenant.cluster, request.name)}]}
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
        export = (manifest.get("spec") or {}).get("export") or {}
        tenant = self._tenants.resolve(export["path"]) if export.get("path") else request.tenant
        found = tenant and self._storage.get(Key(EXPORTS, tenant.cluster, "", export.get("name") or ""))
        now = clocks.stamp(self._now())
        condition = {"type": "APIExportValid", "status": "True", "lastTransitionTime": now}
        status: Manifest = {"conditions": [condition]}
        # Elsewhere than here nothing is said about what exists: the caller may not be allowed to know.
        if tenant is not None and found is not None and tenant.cluster == request.tenant.cluster:
            status["endpoints"] = [{"url": self._url(tenant.cluster, export["name"])}]
        else:
            condition |= {
                "status": "False",
                "reason": "APIExportNotFound",
                "message": "no such export in this workspace",
            }
        manifest["status"] = status

    def _type(self, request: AdmissionRequest, manifest: Manifest) -> None:
        spec, found = manifest.get("spec") or {}, []
        for field, service, kind in (
            ("initializer", "initializingworkspaces", "initializing"),
            ("terminator", "terminatingworkspaces", "terminating"),
        ):
            if spec.get(field):
                url = f"{self._settings.external_url}/services/{service}/{request.tenant.path}:{request.name}"
                found.append({"url": url, "type": kind})
        manifest["status"] = {**(manifest.get("status") or {}), "virtualWorkspaces": found}
        if not found:
            del manifest["status"]["virtualWorkspaces"]

    def _url(self, cluster: str, export: str) -> str:
        return f"{self._settings.external_url}/services/apiexport/{cluster}/{export}"

    def _also(self, request: AdmissionRequest, resource: str, manifest: Manifest) -> None:
        fields, cluster = manifest["metadata"], request.tenant.cluster
        key = Key(resource, cluster, fields.get("namespace", ""), fields["name"])
        request.also.append(Put(key, objects.encoder(manifest, cluster), 0))


def _keep_identity(manifest: Manifest, old: Manifest) -> None:
    """Who an export is, and where its provider looks, nobody writes into its status."""
    before, status = old.get("status") or {}, manifest.get("status") or {}
    kept = {field: before[field] for field in ("identityHash", "virtualWorkspaces") if field in before}
    if kept:
        manifest["status"] = {**status, **kept}


def _object(api_version: str, kind: str, name: str, namespace: str, now: str) -> Manifest:
    fields = {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": now}
    if namespace:
        fields["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": fields}
