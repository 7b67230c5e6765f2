"""The kinds served everywhere, in the order discovery shows them.

``Service`` is read-only: the one object, ``default/kubernetes``, is the server's own to write.
"""

from __future__ import annotations

from portway.krm.builtins import definitions
from portway.krm.identity import GroupVersionKind
from portway.krm.served import ALL_VERBS, Column, Served, Subresource

AGE = Column("Age", ".metadata.creationTimestamp", "date", description="Time since creation.")
_CREATED = Column("Created At", ".metadata.creationTimestamp", description="When it was created.")
_CREATE_ONLY = ("create",)
_STATUS = Subresource("status")
SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
TOKEN_REQUEST = GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest")

_PACKAGE_OF_GROUP = {
    "": "core",
    "rbac.authorization.k8s.io": "rbac",
    "authentication.k8s.io": "authentication",
    "authorization.k8s.io": "authorization",
    "coordination.k8s.io": "coordination",
    "events.k8s.io": "events",
    "apiextensions.k8s.io": "extensions",
    "admissionregistration.k8s.io": "admission",
    "autoscaling": "autoscaling",
    "tenancy.kcp.io": "tenancy",
    "core.kcp.io": "kcpcore",
    "apis.kcp.io": "apis",
    "meta.k8s.io": "meta",
}
_PACKAGE_OF_VERSION = {
    ("admissionregistration.k8s.io", "v1beta1"): "admissionbeta",
    ("admissionregistration.k8s.io", "v1alpha1"): "admissionalpha",
    ("apis.kcp.io", "v1alpha2"): "apisnext",
}


def definition_name(gvk: GroupVersionKind) -> str:
    """Full definition name of a built-in kind; raises KeyError for a group that has none."""
    package = _PACKAGE_OF_VERSION.get((gvk.group, gvk.version)) or _PACKAGE_OF_GROUP[gvk.group]
    return f"{definitions.PACKAGES[package]}.{gvk.kind}"


def _kind(
    api_version: str,
    kind: str,
    plural: str,
    *,
    cluster: bool = False,
    short: str = "",
    verbs: tuple[str, ...] = ALL_VERBS,
    subresources: tuple[Subresource, ...] = (),
    columns: tuple[Column, ...] = (),
    fields: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    stored: str = "",
) -> Served:
    group, _, version = api_version.rpartition("/")
    gvk = GroupVersionKind(group, version, kind)
    return Served(
        gvk=gvk,
        plural=plural,
        singular=kind.lower(),
        namespaced=not cluster,
        schema=definitions.inlined(definition_name(gvk)),
        list_kind=f"{kind}List" if "list" in verbs else "",
        short_names=tuple(short.split()),
        categories=categories,
        verbs=verbs,
        subresources=subresources,
        columns=columns,
        selectable_fields=fields,
        storage_version=stored or version,
    )


_REFERENCE_FIELDS = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def _event_columns(about: str, source: str, message: str) -> tuple[Column, ...]:
    return (
        Column("Last Seen", "fn:last_seen", "date", description="Time since it was last seen."),
        Column("Type", ".type", description="Normal or Warning."),
        Column("Reason", ".reason", description="Why, as one word."),
        Column("Object", "fn:event_object", description="The object it is about."),
        Column("Subobject", f".{about}.fieldPath", description="The part it is about.", priority=1),
        Column("Source", source, description="Who reports it.", priority=1),
        Column("Message", message, description="What happened."),
        Column("First Seen", "fn:first_seen", "date", description="Time since it was first seen.", priority=1),
        Column("Count", "fn:event_count", description="How often it was seen.", priority=1),
        Column("Name", ".metadata.name", format="name", description="Name of the event.", priority=1),
    )


_BINDING_COLUMNS = (
    Column("Role", "fn:role_ref", description="The role given."),
    AGE,
    Column("Users", "fn:subject_users", description="Users that get it.", priority=1),
    Column("Groups", "fn:subject_groups", description="Groups that get it.", priority=1),
    Column("ServiceAccounts", "fn:subject_accounts", description="Service accounts that get it.", priority=1),
)
_CORE = (
    _kind("v1", "ConfigMap", "configmaps", short="cm", columns=(Column("Data", "fn:data_count"), AGE)),
    _kind(
        "v1",
        "Event",
        "events",
        short="ev",
        columns=_event_columns("involvedObject", "fn:event_source", "fn:event_message"),
        fields=(
            *(f"involvedObject.{f}" for f in _REFERENCE_FIELDS),
            "reason",
            "reportingComponent",
            "source",
            "type",
        ),
    ),
    _kind(
        "v1",
        "Namespace",
        "namespaces",
        cluster=True,
        short="ns",
        verbs=tuple(v for v in ALL_VERBS if v != "deletecollection"),
        subresources=(Subresource("finalize", ("update",)), _STATUS),
        columns=(Column("Status", ".status.phase", description="Active or Terminating."), AGE),
        fields=("status.phase",),
    ),
    _kind(
        "v1",
        "PodTemplate",
        "podtemplates",
        columns=(
            Column("Containers", "fn:template_containers", description="Names of its containers."),
            Column("Images", "fn:template_images", description="Their images."),
            Column("Pod Labels", "fn:template_labels", description="Labels of what would be made from it."),
        ),
    ),
    _kind(
        "v1",
        "ResourceQuota",
        "resourcequotas",
        short="quota",
        subresources=(_STATUS,),
        columns=(Column("Request", "fn:quota_requests"), Column("Limit", "fn:quota_limits"), AGE),
    ),
    _kind(
        "v1",
        "Secret",
        "secrets",
        columns=(Column("Type", ".type"), Column("Data", "fn:data_count"), AGE),
        fields=("type",),
    ),
    _kind(
        "v1",
        "ServiceAccount",
        "serviceaccounts",
        short="sa",
        subresources=(Subresource("token", _CREATE_ONLY, TOKEN_REQUEST),),
        columns=(Column("Secrets", "fn:secrets_count"), AGE),
    ),
    _kind(
        "v1",
        "Service",
        "services",
        short="svc",
        verbs=("get", "list", "watch"),
        columns=(
            Column("Type", ".spec.type"),
            Column("Cluster-IP", "fn:cluster_ip"),
            Column("External-IP", "fn:external_ip"),
            Column("Port(s)", "fn:service_ports"),
            AGE,
            Column("Selector", "fn:service_selector", priority=1),
        ),
        fields=("spec.clusterIP", "spec.type"),
        categories=("all",),
    ),
)
_RBAC = "rbac.authorization.k8s.io/v1"
_REVIEWS = (
    _kind(
        "authentication.k8s.io/v1",
        "SelfSubjectReview",
        "selfsubjectreviews",
        cluster=True,
        verbs=_CREATE_ONLY,
    ),
    _kind("authentication.k8s.io/v1", "TokenReview", "tokenreviews", cluster=True, verbs=_CREATE_ONLY),
    _kind("authorization.k8s.io/v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", verbs=_CREATE_ONLY),
    *(
        _kind("authorization.k8s.io/v1", kind, f"{kind.lower()}s", cluster=True, verbs=_CREATE_ONLY)
        for kind in ("SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview")
    ),
)
_GROUPS = (
    _kind(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        cluster=True,
        short="crd crds",
        subresources=(_STATUS,),
        columns=(_CREATED,),
        categories=("api-extensions",),
    ),
    *_REVIEWS,
    _kind(
        "coordination.k8s.io/v1",
        "Lease",
        "leases",
        columns=(Column("Holder", ".spec.holderIdentity", description="Who holds it."), AGE),
    ),
    _kind(
        "events.k8s.io/v1",
        "Event",
        "events",
        short="ev",
        columns=_event_columns("regarding", ".reportingController", "fn:event_message"),
        fields=(*(f"regarding.{f}" for f in _REFERENCE_FIELDS), "reason", "reportingController", "type"),
    ),
    _kind(_RBAC, "ClusterRoleBinding", "clusterrolebindings", cluster=True, columns=_BINDING_COLUMNS),
    _kind(_RBAC, "ClusterRole", "clusterroles", cluster=True, columns=(_CREATED,)),
    _kind(_RBAC, "RoleBinding", "rolebindings", columns=_BINDING_COLUMNS),
    _kind(_RBAC, "Role", "roles", columns=(_CREATED,)),
)
_READY = '.status.conditions[?(@.type=="{}")].status'
_KCP = (
    *(
        _kind(
            f"apis.kcp.io/{version}",
            kind,
            plural,
            cluster=True,
            subresources=(_STATUS,),
            columns=columns,
            categories=("kcp",),
            stored="v1alpha2",
        )
        for version, kind, plural, columns in (
            ("v1alpha2", "APIBinding", "apibindings", (AGE, Column("Ready", _READY.format("Ready")))),
            ("v1alpha2", "APIExport", "apiexports", (AGE,)),
            ("v1alpha1", "APIBinding", "apibindings", (AGE, Column("Ready", _READY.format("Ready")))),
            (
                "v1alpha1",
                "APIExport",
                "apiexports",
                (AGE, Column("Ready", _READY.format("VirtualWorkspaceURLsReady"))),
            ),
        )
    ),
    _kind(
        "apis.kcp.io/v1alpha1",
        "APIExportEndpointSlice",
        "apiexportendpointslices",
        cluster=True,
        subresources=(_STATUS,),
        columns=(Column("Export", ".spec.export.name"), Column("Partition", ".spec.partition"), AGE),
        categories=("kcp",),
    ),
    _kind("apis.kcp.io/v1alpha1", "APIResourceSchema", "apiresourceschemas", cluster=True, categories=("kcp",)),
    _kind(
        "core.kcp.io/v1alpha1",
        "LogicalCluster",
        "logicalclusters",
        cluster=True,
        subresources=(_STATUS,),
        columns=(Column("Phase", ".status.phase"), Column("URL", ".status.URL"), AGE),
        categories=("kcp",),
    ),
    _kind(
        "tenancy.kcp.io/v1alpha1",
        "Workspace",
        "workspaces",
        cluster=True,
        short="ws",
        subresources=(_STATUS,),
        columns=(
            Column("Type", ".spec.type.name", description="Type of the workspace."),
            Column("Phase", ".status.phase", description="Where it is in its life."),
            Column("URL", ".spec.URL", description="Where it is served."),
            AGE,
        ),
        categories=("kcp",),
    ),
    _kind(
        "tenancy.kcp.io/v1alpha1",
        "WorkspaceType",
        "workspacetypes",
        cluster=True,
        subresources=(_STATUS,),
        categories=("kcp",),
    ),
)

_ADMISSION = "admissionregistration.k8s.io/v1"
_WEBHOOK_COLUMNS = (Column("Webhooks", "fn:webhook_count"), AGE)
_ADMISSION_KINDS: tuple[Served, ...] = (
    _kind(
        _ADMISSION,
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        cluster=True,
        columns=_WEBHOOK_COLUMNS,
        categories=("api-extensions",),
    ),
    _kind(
        _ADMISSION,
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        cluster=True,
        subresources=(_STATUS,),
        columns=(Column("Validations", "fn:validation_count"), Column("ParamKind", "fn:param_kind"), AGE),
        categories=("api-extensions",),
    ),
    _kind(
        _ADMISSION,
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        cluster=True,
        columns=(Column("PolicyName", ".spec.policyName"), Column("ParamRef", "fn:param_ref"), AGE),
        categories=("api-extensions",),
    ),
    _kind(
        _ADMISSION,
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        cluster=True,
        columns=_WEBHOOK_COLUMNS,
        categories=("api-extensions",),
    ),
    *(
        _kind(
            f"admissionregistration.k8s.io/{version}",
            kind,
            plural,
            cluster=True,
            columns=columns,
            categories=("api-extensions",),
            stored="v1",
        )
        for version in ("v1", "v1beta1", "v1alpha1")
        for kind, plural, columns in (
            (
                "MutatingAdmissionPolicy",
                "mutatingadmissionpolicies",
                (Column("Mutations", "fn:mutation_count"), Column("ParamKind", "fn:param_kind"), AGE),
            ),
            (
                "MutatingAdmissionPolicyBinding",
                "mutatingadmissionpolicybindings",
                (Column("PolicyName", ".spec.policyName"), Column("ParamRef", "fn:param_ref"), AGE),
            ),
        )
    ),
)
KINDS: tuple[Served, ...] = _CORE + _GROUPS + _ADMISSION_KINDS + _KCP
