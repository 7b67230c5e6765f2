"""Creation of a Workspace makes its logical cluster with all contents in the same commit.

It is Ready at once, or Initializing when a type of it has a controller that prepares it.
"""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver import clocks
from portway.apiserver.admission import contents
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.exporting import Reference
from portway.apiserver.rbac import Attributes, Grants
from portway.apiserver.registry import Registry
from portway.apiserver.settings import Settings
from portway.apiserver.tenants import GROUPS_ANNOTATION, Tenant, Tenants
from portway.apiserver.workspacetypes import UNIVERSAL, WorkspaceTypes
from portway.krm.errors import StatusError, forbidden, not_found
from portway.krm.identity import Manifest
from portway.tenancy import clusters, rules
from portway.tenancy.paths import SEPARATOR
from portway.tenancy.rules import TypeReference

WORKSPACES = "workspaces.tenancy.kcp.io"
FINALIZER = "core.kcp.io/logicalcluster"
CLAIMS_EXPORT = "resources.portway.dev"
PHASE_LABEL = "tenancy.kcp.io/phase"
CLUSTER_ANNOTATION = "internal.tenancy.kcp.io/cluster"
_GROUP = "tenancy.kcp.io"


class WorkspaceCreation:
    def __init__(
        self,
        tenants: Tenants,
        registry: Registry,
        types: WorkspaceTypes,
        grants: Grants,
        *,
        settings: Settings,
        now: clocks.Now,
    ) -> None:
        self._tenants = tenants
        self._registry = registry
        self._statuses = BindingStatuses(registry, now)
        self._types = types
        self._grants = grants
        self._settings = settings
        self._now = now

    async def admit(self, request: AdmissionRequest) -> None:
        manifest = request.object
        if request.resource.key != WORKSPACES or manifest is None:
            return
        if request.operation is Operation.CREATE:
            self._create(request, manifest)
        elif not request.user.is_master:
            _keep_finalizer(manifest, request.old or {})

    def _create(self, request: AdmissionRequest, manifest: Manifest) -> None:
        type_ = self._type(request, manifest)
        lineage = self._types.lineage(type_)
        self._check_lineage(request, type_, lineage)
        self._check_place(request, type_)
        tenant = Tenant(clusters.generate(), f"{request.tenant.path}{SEPARATOR}{request.name}")
        annotations = manifest["metadata"].get("annotations") or {}
        groups = (annotations.get(GROUPS_ANNOTATION) if request.user.is_master else None) or request.tenant.groups
        birth = contents.Birth(
            tenant=tenant,
            url=f"{self._settings.external_url}/clusters/{tenant.path}",
            type=str(type_),
            bindings=self._bindings(request, tenant, lineage),
            creator=request.user,
            owner=_owner(request, manifest),
            ca_certificate=self._settings.ca_certificate,
            now=clocks.stamp(self._now()),
            groups=groups,
            initializers=self._types.waiting_for("initializer", lineage),
            terminators=self._types.waiting_for("terminator", lineage),
        )
        _complete(manifest, birth, type_, rules.labels(lineage, self._types.spec))
        request.also.extend(contents.changes(birth))

    def _type(self, request: AdmissionRequest, manifest: Manifest) -> TypeReference:
        """The type asked for, found in the named workspace or the nearest one upwards, that the user may use."""
        asked = (manifest.get("spec") or {}).get("type") or {}
        name, path = asked.get("name") or "", asked.get("path") or ""
        if not name:
            parents = self._types.lineage(TypeReference.parse(request.tenant.type))
            default = rules.default_child(parents, self._types.spec) or UNIVERSAL
            path, name = default
        if path:
            named = self._tenants.resolve(path)
            if named is None or not self._may_use(request, named, name):
                raise self._unusable(request, f"{path}:{name}")
            where: Iterable[Tenant] = (named,)
        else:
            where = (request.tenant, *self._tenants.ancestors(request.tenant.path))
        for tenant in where:
            found = TypeReference(tenant.path, name)
            if self._types.spec(found) is not None and self._may_use(request, tenant, name):
                return found
        raise not_found("workspacetypes", name, _GROUP)

    def _check_lineage(self, request: AdmissionRequest, type_: TypeReference, lineage: Iterable[TypeReference]) -> None:
        """Whoever makes a workspace must be allowed to use all that its type extends."""
        for one in lineage:
            tenant = self._tenants.resolve(one.path)
            if tenant is None or not self._may_use(request, tenant, one.name):
                raise self._unusable(request, str(type_))

    def _may_use(self, request: AdmissionRequest, tenant: Tenant, name: str) -> bool:
        """Types of root are for everybody."""
        if tenant.path == UNIVERSAL.path:
            return True
        return self._grants.allows(request.user, tenant.cluster, Attributes("use", _GROUP, "workspacetypes", "", name))

    def _unusable(self, request: AdmissionRequest, named: str) -> StatusError:
        """The same whether the type, its workspace or the permission is missing."""
        if request.user.is_master:
            return not_found("workspacetypes", named.rpartition(":")[2], _GROUP)
        why = f"unable to use workspace type {named}: missing verb='use' permission on workspacetype"
        return forbidden("workspaces", request.name, why, _GROUP)

    def _check_place(self, request: AdmissionRequest, type_: TypeReference) -> None:
        depth = request.tenant.path.count(SEPARATOR) + 2
        if depth > rules.DEPTH_LIMIT:
            why = f"a workspace path may have at most {rules.DEPTH_LIMIT} names, this would have {depth}"
            raise forbidden("workspaces", request.name, why, _GROUP)
        refusal = rules.refusal(TypeReference.parse(request.tenant.type), type_, self._types.spec)
        if refusal is not None:
            raise forbidden("workspaces", request.name, refusal, _GROUP)

    def _bindings(
        self, request: AdmissionRequest, tenant: Tenant, lineage: Iterable[TypeReference]
    ) -> list[tuple[Reference, Manifest]]:
        """Exports of the types, nearest first, and claims of the nearest ancestors; one of a name."""
        found = [Reference(path, export) for path, export in rules.bindings(lineage, self._types.spec)]
        for near in (request.tenant, *self._tenants.ancestors(request.tenant.path)):
            if self._registry.exports.get(near.cluster, CLAIMS_EXPORT) is not None:
                found.append(Reference(near.path, CLAIMS_EXPORT))
                break
        by_name = {reference.name: reference for reference in reversed(found)}
        references = [reference for reference in dict.fromkeys(found) if by_name[reference.name] is reference]
        return [(ref, self._statuses.first(tenant.cluster, ref)) for ref in references]


def _owner(request: AdmissionRequest, manifest: Manifest) -> Manifest:
    return {
        "apiVersion": "tenancy.kcp.io/v1alpha1",
        "resource": "workspaces",
        "name": request.name,
        "cluster": request.tenant.cluster,
        "uid": manifest["metadata"]["uid"],
    }


def _complete(manifest: Manifest, birth: contents.Birth, type_: TypeReference, labels: dict[str, str]) -> None:
    named = {"name": type_.name, "path": type_.path}
    spec = {"type": named, "cluster": birth.tenant.cluster, "URL": birth.url}
    manifest["spec"] = {**(manifest.get("spec") or {}), **spec}
    told = conditions(birth.initializers, birth.now)
    manifest["status"] = {"phase": birth.phase, **birth.lifecycle, "conditions": told}
    fields = manifest["metadata"]
    fields["finalizers"] = [*dict.fromkeys([*(fields.get("finalizers") or ()), FINALIZER])]
    fields["labels"] = {**(fields.get("labels") or {}), **labels, PHASE_LABEL: birth.phase}
    annotations = {**(fields.get("annotations") or {}), CLUSTER_ANNOTATION: birth.tenant.cluster}
    annotations.pop(GROUPS_ANNOTATION, None)
    if birth.groups:
        annotations[GROUPS_ANNOTATION] = birth.groups
    fields["annotations"] = annotations


def conditions(initializers: Iterable[str], now: str) -> list[Manifest]:
    """Of a workspace that is scheduled and waits for the named controllers."""
    waiting = [*initializers]
    initialized: Manifest = {"type": "WorkspaceInitialized", "status": "True", "lastTransitionTime": now}
    if waiting:
        message = f"Initializers still exist: {waiting}"
        initialized |= {"status": "False", "severity": "Info", "reason": "InitializerExists", "message": message}
    return [initialized, {"type": "WorkspaceScheduled", "status": "True", "lastTransitionTime": now}]


def _keep_finalizer(manifest: Manifest, old: Manifest) -> None:
    """Only the server takes it off: the logical cluster would be left behind."""
    if FINALIZER not in ((old.get("metadata") or {}).get("finalizers") or ()):
        return
    finalizers = manifest["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        manifest["metadata"]["finalizers"] = [*finalizers, FINALIZER]
