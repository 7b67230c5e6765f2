"""The resources that Portway's own code reads and writes, as client constants."""

from __future__ import annotations

from portway.apis import groups
from portway.krm.identity import Resource

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
EVENTS = Resource("", "v1", "events", "Event")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)

WORKSPACES = Resource("tenancy.kcp.io", "v1alpha1", "workspaces", "Workspace", namespaced=False)
WORKSPACE_TYPES = Resource("tenancy.kcp.io", "v1alpha1", "workspacetypes", "WorkspaceType", namespaced=False)
LOGICAL_CLUSTERS = Resource("core.kcp.io", "v1alpha1", "logicalclusters", "LogicalCluster", namespaced=False)
API_RESOURCE_SCHEMAS = Resource("apis.kcp.io", "v1alpha1", "apiresourceschemas", "APIResourceSchema", namespaced=False)
API_EXPORTS = Resource("apis.kcp.io", "v1alpha1", "apiexports", "APIExport", namespaced=False)
API_BINDINGS = Resource("apis.kcp.io", "v1alpha1", "apibindings", "APIBinding", namespaced=False)


def _platform(plural: str, kind: str, *, namespaced: bool = True) -> Resource:
    return Resource(groups.PLATFORM, groups.VERSION, plural, kind, namespaced)


RESOURCE_TYPES = _platform("resourcetypes", "ResourceType", namespaced=False)
RESOURCE_DEFINITIONS = _platform("resourcedefinitions", "ResourceDefinition", namespaced=False)
ENVIRONMENTS = _platform("environments", "Environment", namespaced=False)
WORKLOADS = _platform("workloads", "Workload")
RELEASES = _platform("releases", "Release")
PIPELINE_RUNS = _platform("pipelineruns", "PipelineRun")


def _catalog(plural: str, kind: str) -> Resource:
    return Resource(groups.CATALOG, groups.VERSION, plural, kind)


COMPONENTS = _catalog("components", "Component")
APIS = _catalog("apis", "API")
CATALOG_RESOURCES = _catalog("resources", "Resource")
SYSTEMS = _catalog("systems", "System")
DOMAINS = _catalog("domains", "Domain")
GROUPS = _catalog("groups", "Group")
USERS = _catalog("users", "User")
LOCATIONS = _catalog("locations", "Location")
ENTITIES = (COMPONENTS, APIS, CATALOG_RESOURCES, SYSTEMS, DOMAINS, GROUPS, USERS, LOCATIONS)

TEMPLATES = Resource(groups.PORTAL, groups.VERSION, "templates", "Template")
TEMPLATE_RUNS = Resource(groups.PORTAL, groups.VERSION, "templateruns", "TemplateRun")


def claim(plural: str, kind: str, version: str = "v1") -> Resource:
    """The resource of a claim kind made by a ResourceType."""
    return Resource(groups.CLAIMS, version, plural, kind)
