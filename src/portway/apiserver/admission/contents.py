"""What a new workspace holds from the start, as changes for one atomic commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portway.apiserver import exportforms, objects
from portway.apiserver.exporting import BINDING_FINALIZER, BINDINGS, Reference
from portway.apiserver.tenants import (
    GROUPS_ANNOTATION,
    LOGICAL_CLUSTERS,
    PATH_ANNOTATION,
    TYPE_ANNOTATION,
    Tenant,
)
from portway.apiserver.users import User
from portway.kit import identifiers
from portway.krm.identity import Manifest
from portway.store.contract import Key, Put

NAMESPACES = ("default",)
"""Of every workspace, as kcp has it: there may be ten thousand. Root has all that a cluster has."""

ROOT_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease")
ADMIN_BINDING = "workspace-admin"
_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Birth:
    """A workspace about to be made."""

    tenant: Tenant
    url: str
    type: str
    """Path and name of its WorkspaceType, such as ``root:team``."""
    bindings: Sequence[tuple[Reference, Manifest]]
    """API exports to bind, each with the status of its binding."""
    creator: User | None
    """Gets cluster-admin, unless it needs nothing (system:masters); None for root."""
    owner: Manifest | None
    """LogicalCluster.spec.owner; None for root."""
    ca_certificate: str
    now: str
    groups: str = ""
    """Who may come in at all; see ``Tenant.groups``."""
    initializers: Sequence[str] = ()
    terminators: Sequence[str] = ()

    @property
    def phase(self) -> str:
        return "Initializing" if self.initializers else "Ready"

    @property
    def lifecycle(self) -> Manifest:
        """Fields of both the Workspace's and the logical cluster's status."""
        fields = {"initializers": [*self.initializers], "terminators": [*self.terminators]}
        return {name: value for name, value in fields.items() if value}


def changes(birth: Birth, extra_namespaces: Sequence[str] = ()) -> list[Put]:
    return [_put(birth, resource, manifest) for resource, manifest in _all(birth, extra_namespaces)]


def of_namespaces(birth: Birth, names: Sequence[str]) -> list[Put]:
    """The namespaces alone, each with what it holds."""
    return [_put(birth, resource, manifest) for name in names for resource, manifest in _in_namespace(birth, name)]


def _put(birth: Birth, resource: str, manifest: Manifest) -> Put:
    fields = manifest["metadata"]
    fields["uid"] = identifiers.random_uuid()
    fields["creationTimestamp"] = birth.now
    key = Key(resource, birth.tenant.cluster, fields.get("namespace", ""), fields["name"])
    return Put(key, objects.encoder(manifest, birth.tenant.cluster), 0)


def _all(birth: Birth, extra_namespaces: Sequence[str]) -> Iterator[tuple[str, Manifest]]:
    yield LOGICAL_CLUSTERS, _logical_cluster(birth)
    for name in (*NAMESPACES, *extra_namespaces):
        yield from _in_namespace(birth, name)
    yield "services", _kubernetes_service()
    for reference, status in birth.bindings:
        yield BINDINGS, binding(reference, status)
    if birth.creator is not None and not birth.creator.is_master:
        yield f"clusterrolebindings.{_RBAC}", _admin_binding(birth.creator)


def _in_namespace(birth: Birth, name: str) -> Iterator[tuple[str, Manifest]]:
    yield "namespaces", _namespace(name)
    yield "serviceaccounts", _object("v1", "ServiceAccount", "default", name)
    yield "configmaps", root_ca(name, birth.ca_certificate)


def _object(api_version: str, kind: str, name: str, namespace: str = "") -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _logical_cluster(birth: Birth) -> Manifest:
    manifest = _object("core.kcp.io/v1alpha1", "LogicalCluster", "cluster")
    manifest["metadata"]["annotations"] = {PATH_ANNOTATION: birth.tenant.path, TYPE_ANNOTATION: birth.type}
    if birth.groups:
        manifest["metadata"]["annotations"][GROUPS_ANNOTATION] = birth.groups
    manifest["metadata"]["labels"] = {"tenancy.kcp.io/phase": birth.phase}
    manifest["metadata"]["generation"] = 1
    manifest["spec"] = {
        "directlyDeletable": False,
        **({"owner": birth.owner} if birth.owner else {}),
        **birth.lifecycle,
    }
    if birth.creator is not None:
        manifest["spec"]["createdBy"] = birth.creator.to_user_info()
    manifest["status"] = {"URL": birth.url, "phase": birth.phase, **birth.lifecycle}
    return manifest


def _namespace(name: str) -> Manifest:
    manifest = _object("v1", "Namespace", name)
    manifest["metadata"]["labels"] = {"kubernetes.io/metadata.name": name}
    return {**manifest, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def root_ca(namespace: str, certificate: str) -> Manifest:
    manifest = _object("v1", "ConfigMap", "kube-root-ca.crt", namespace)
    return {**manifest, "data": {"ca.crt": certificate}}


def _kubernetes_service() -> Manifest:
    manifest = _object("v1", "Service", "kubernetes", "default")
    manifest["metadata"]["labels"] = {"component": "apiserver", "provider": "kubernetes"}
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}]
    spec = {"type": "ClusterIP", "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ports": ports}
    return {**manifest, "spec": spec, "status": {"loadBalancer": {}}}


def binding(reference: Reference, status: Manifest, name: str = "") -> Manifest:
    manifest = _object(exportforms.CURRENT, "APIBinding", name or reference.name)
    manifest["metadata"]["generation"] = 1
    manifest["metadata"]["finalizers"] = [BINDING_FINALIZER]
    spec: Manifest = {"reference": {"export": {"path": reference.path, "name": reference.name}}}
    asked = status.get("exportPermissionClaims")
    if asked:
        spec["permissionClaims"] = accepted(asked)
        applied = [{name: value for name, value in claim.items() if name != "state"} for claim in accepted(asked)]
        status = {**status, "appliedPermissionClaims": applied}
    return {**manifest, "spec": spec, "status": status}


def accepted(asked: Sequence[Manifest]) -> list[Manifest]:
    """Claims of an export, answered: what a type binds was agreed to by whoever made the type."""
    names = ("group", "resource", "identityHash", "verbs")
    return [
        {
            **{name: claim[name] for name in names if name in claim},
            "selector": claim.get("defaultSelector") or {"matchAll": True},
            "state": "Accepted",
        }
        for claim in asked
    ]


def _admin_binding(user: User) -> Manifest:
    manifest = _object(f"{_RBAC}/v1", "ClusterRoleBinding", ADMIN_BINDING)
    subject: Manifest = {"apiGroup": _RBAC, "kind": "User", "name": user.name}
    if user.home:
        _, _, namespace, name = user.name.split(":", 3)
        subject = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    return {**manifest, "subjects": [subject], "roleRef": role}
