"""ClusterRoles that hold in every workspace without being stored there, as kcp's bootstrap policy does.

admin, edit and view cover all groups of Portway (``*.portway.dev``, a pattern only understood here) and custom
resources, which upstream leaves to aggregation.
"""

from __future__ import annotations

from portway.krm.identity import Manifest

PORTWAY_GROUPS = "*.portway.dev"
READ = ["get", "list", "watch"]
WRITE = ["create", "update", "patch", "delete", "deletecollection"]
CORE = ["configmaps", "events", "persistentvolumeclaims", "serviceaccounts", "services"]
ACCESS: Manifest = {"verbs": ["access"], "nonResourceURLs": ["/"]}

_VIEW: list[Manifest] = [
    ACCESS,
    {"apiGroups": [""], "resources": [*CORE, "namespaces", "resourcequotas", "limitranges"], "verbs": READ},
    {"apiGroups": [""], "resources": [f"{resource}/history" for resource in CORE], "verbs": ["get"]},
    {"apiGroups": ["coordination.k8s.io", "events.k8s.io"], "resources": ["*"], "verbs": READ},
    {"apiGroups": [PORTWAY_GROUPS], "resources": ["*"], "verbs": READ},
    {"apiGroups": ["tenancy.kcp.io"], "resources": ["workspaces", "workspacetypes"], "verbs": READ},
]
_EDIT: list[Manifest] = [
    *_VIEW,
    {"apiGroups": [""], "resources": [*CORE, "secrets"], "verbs": [*READ, *WRITE]},
    {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets/history"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": [f"{resource}/undelete" for resource in (*CORE, "secrets")], "verbs": ["create"]},
    {"apiGroups": ["coordination.k8s.io", "events.k8s.io"], "resources": ["*"], "verbs": [*READ, *WRITE]},
    {"apiGroups": [PORTWAY_GROUPS], "resources": ["*"], "verbs": [*READ, *WRITE]},
]
_ADMIN: list[Manifest] = [
    *_EDIT,
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": [*READ, *WRITE],
    },
    {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]},
]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"]
_PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]

CLUSTER_ROLES: dict[str, list[Manifest]] = {
    "cluster-admin": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "admin": _ADMIN,
    "edit": _EDIT,
    "view": _VIEW,
    "system:kcp:workspace:access": [ACCESS],
    "system:discovery": [{"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}],
    "system:public-info-viewer": [{"nonResourceURLs": _PUBLIC, "verbs": ["get"]}],
    "system:basic-user": [
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        },
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ],
}
AGGREGATED = frozenset(("admin", "edit", "view"))
BOUND_TO_GROUPS: dict[str, tuple[str, ...]] = {
    "system:masters": ("cluster-admin",),
    "system:authenticated": ("system:discovery", "system:basic-user", "system:public-info-viewer"),
    "system:unauthenticated": ("system:public-info-viewer",),
}
