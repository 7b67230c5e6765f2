"""kcp's kinds, with kcp's field shapes, so that kcp can take over: tenancy, core and apis.kcp.io, v1alpha1.

They never travel as protobuf, hence no numbers. Shapes: github.com/kcp-dev/kcp, config/crds.
"""

TENANCY = r"""
Workspace kind: A control plane of its own, at a path below this workspace: for an organisation, a team, a
    person.
  metadata 0 meta.ObjectMeta
  spec 0 WorkspaceSpec default={}: What is wanted.
  status 0 WorkspaceStatus default={}: What is. Read only.
WorkspaceSpec: What a workspace is to be.
  type 0 *WorkspaceTypeReference: What kind of workspace; decides what is in it from the start. Cannot be
    changed.
  location 0 *WorkspaceLocation: Where it is to be.
  cluster 0 string: Name of its logical cluster. Set by the server.
  URL 0 string: Where it is served. Set by the server.
  mount 0 *Mount: Serve what another object points at.
WorkspaceTypeReference: A workspace type.
  name 0 string required pattern=^[a-z]([a-z0-9-]{0,61}[a-z0-9])?: Its name.
  path 0 string pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?(:[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$: Workspace that has
    it.
WorkspaceLocation: Where a workspace is to be.
  selector 0 *meta.LabelSelector: Labels of the place.
Mount: Another object to serve.
  ref 0 MountReference required: The object.
MountReference: An object.
  apiVersion 0 string required: Its group and version.
  kind 0 string required: Its kind.
  name 0 string required: Its name.
  namespace 0 string: Its namespace.
WorkspaceStatus: State of a workspace.
  phase 0 string enum=Scheduling|Initializing|Ready|Unavailable|Inactive|Terminating|Deleting
    default="Scheduling":
    Where it is in its life; Ready is usable.
  conditions 0 []conditions.Condition: Aspects of its state.
  initializers 0 []string: Who still has to prepare it.
  terminators 0 []string: Who still has to clean it up.
WorkspaceType kind: A kind of workspace: what it has from the start and where it may be.
  metadata 0 meta.ObjectMeta
  spec 0 WorkspaceTypeSpec: What it has.
  status 0 WorkspaceTypeStatus: State. Read only.
WorkspaceTypeSpec: What workspaces of a type have.
  initializer 0 bool: Whether a controller prepares them before they are ready.
  initializerPermissions 0 []rbac.PolicyRule: What that controller may do.
  terminator 0 bool: Whether a controller cleans them up.
  terminatorPermissions 0 []rbac.PolicyRule: What that controller may do.
  extend 0 WorkspaceTypeExtension: Types whose content they have too.
  additionalWorkspaceLabels 0 {}string: Labels each of them gets.
  defaultChildWorkspaceType 0 *WorkspaceTypeReference: Type of workspaces below, when none is asked for.
  limitAllowedChildren 0 *WorkspaceTypeSelector: Which types may be below.
  limitAllowedParents 0 *WorkspaceTypeSelector: Which types they may be below of.
  defaultAPIBindings 0 []APIExportReference: Exports bound in each of them.
  defaultAPIBindingLifecycle 0 *string enum=InitializeOnly|Maintain: Whether those bindings follow changes of
    the type.
  authenticationConfigurations 0 []AuthenticationConfigurationReference: Further ways to log in.
WorkspaceTypeExtension: Types to extend.
  with 0 []WorkspaceTypeReference: The types.
  without 0 []WorkspaceTypeReference: Types left out, though an extended type extends them.
WorkspaceTypeSelector: A choice of types.
  none 0 bool: None at all.
  types 0 []WorkspaceTypeReference: These.
APIExportReference: An export.
  path 0 string pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?(:[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$: Workspace that has
    it.
  export 0 string required: Its name.
AuthenticationConfigurationReference: A way to log in.
  name 0 string required: Its name.
WorkspaceTypeStatus: State of a type.
  conditions 0 []conditions.Condition: Aspects of its state.
  virtualWorkspaces 0 []VirtualWorkspace: Where its controllers find workspaces to prepare.
VirtualWorkspace: A view across workspaces.
  url 0 string required: Where it is served.
  type 0 string: initializing or terminating.
"""

CORE = """
LogicalCluster kind: The workspace as seen from inside; there is one, named cluster.
  metadata 0 meta.ObjectMeta
  spec 0 LogicalClusterSpec default={}: What is wanted.
  status 0 LogicalClusterStatus default={}: What is. Read only.
LogicalClusterSpec: What a logical cluster is to be.
  directlyDeletable 0 bool default=false: Whether it may be deleted other than by its owner.
  owner 0 *LogicalClusterOwner: The object it belongs to, usually a Workspace.
  createdBy 0 *CreatedBy: Who made it.
  initializers 0 []string: Who has to prepare it.
  terminators 0 []string: Who has to clean it up.
CreatedBy: A user.
  username 0 string: The name.
  uid 0 string: The UID.
  groups 0 []string: The groups.
  extra 0 {}strings: What else was known.
LogicalClusterOwner: The object a logical cluster belongs to.
  apiVersion 0 string required: Its group and version.
  resource 0 string required: Its resource.
  name 0 string required: Its name.
  namespace 0 string: Its namespace.
  cluster 0 string required: The logical cluster it is in.
  uid 0 string required: Its UID.
LogicalClusterStatus: State of a logical cluster.
  URL 0 string: Where it is served.
  phase 0 string enum=Scheduling|Initializing|Ready|Unavailable|Inactive|Terminating|Deleting
    default="Scheduling":
    Where it is in its life.
  conditions 0 []conditions.Condition: Aspects of its state.
  initializers 0 []string: Who still has to prepare it.
  terminators 0 []string: Who still has to clean it up.
"""

CONDITIONS = """
Condition: One aspect of the state of an object.
  type 0 string required: Name of the aspect.
  status 0 string required: True, False or Unknown.
  severity 0 string: Error, Warning or Info, when the status is False.
  lastTransitionTime 0 time required: When status last changed.
  reason 0 string: Why, for programs.
  message 0 string: Why, for people.
"""

APIS = r"""
APIResourceSchema kind: How a kind looks, to be exported. Cannot be changed; make a new one instead.
  metadata 0 meta.ObjectMeta: Its name is <prefix>.<plural>.<group>.
  spec 0 APIResourceSchemaSpec: How the kind looks.
APIResourceSchemaSpec: How a kind looks.
  group 0 string required: Its group; core for the one without a name.
  names 0 extensions.CustomResourceDefinitionNames required: Its names.
  scope 0 string required enum=Cluster|Namespaced: Whether its objects live in namespaces.
  versions 0 []APIResourceVersion required map=name: Its versions; one of them is stored.
  nameValidation 0 string default="DNS1123Subdomain" enum=DNS1123Subdomain|PathSegmentName: Rule for names of
    objects.
  conversion 0 *extensions.CustomResourceConversion: How to get from one version to another.
APIResourceVersion: A version of a kind.
  name 0 string required: Its name, such as v1.
  served 0 bool required default=true: Whether it can be used.
  storage 0 bool required: Whether objects are stored as this version; true for exactly one.
  deprecated 0 bool: Warn whoever uses it.
  deprecationWarning 0 *string: The warning.
  schema 0 object required atomic: The schema, in structural form.
  subresources 0 extensions.CustomResourceSubresources: Which subresources it has.
  additionalPrinterColumns 0 []extensions.CustomResourceColumnDefinition map=name: What lists show beside the
    name.
  selectableFields 0 []extensions.SelectableField atomic: Which fields field selectors may name.
APIExport kind: Kinds offered to other workspaces, which bind them.
  metadata 0 meta.ObjectMeta
  spec 0 APIExportSpec: What is offered.
  status 0 APIExportStatus: State. Read only.
APIExportSpec: What is offered.
  latestResourceSchemas 0 []string set: Names of the APIResourceSchemas offered.
  identity 0 *Identity: What proves that objects belong to this export.
  maximalPermissionPolicy 0 *MaximalPermissionPolicy: The most that users of a binding may do.
  permissionClaims 0 []PermissionClaim map=group,resource: What the exporter asks to see in binding
    workspaces.
Identity: What proves that objects belong to an export.
  secretRef 0 *SecretReference: The Secret that holds the key.
SecretReference atomic: A Secret.
  name 0 string: Its name.
  namespace 0 string: Its namespace.
MaximalPermissionPolicy: The most that users of a binding may do.
  local 0 *LocalPolicy: As RBAC of the export's workspace says for users prefixed apis.kcp.io:binding:.
LocalPolicy: Has no settings.
PermissionClaim: What an exporter asks to see.
  group 0 string default="" pattern=^(|[a-z0-9]([-a-z0-9]*[a-z0-9](\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?)$: Its
    group.
  resource 0 string required pattern=^[a-z][-a-z0-9]*[a-z0-9]$: The resource.
  identityHash 0 string: The export it comes from, if it comes from one.
  all 0 bool: All objects.
  resourceSelector 0 []ResourceSelector: These objects.
  verbs 0 []string set: What the exporter wants to do; all when empty.
ResourceSelector: Objects.
  name 0 string: Their name.
  namespace 0 string: Their namespace.
PermissionClaimSelector: Objects, by their labels.
  matchAll 0 bool: All of them.
  matchLabels 0 {}string: Labels they have.
  matchExpressions 0 []meta.LabelSelectorRequirement: What else holds of their labels.
APIExportStatus: State of an export.
  identityHash 0 string: Hash of its key.
  conditions 0 []conditions.Condition: Aspects of its state.
  virtualWorkspaces 0 []VirtualWorkspace: Where the exporter sees all bound objects.
VirtualWorkspace: A view across workspaces.
  url 0 string required: Where it is served.
APIExportEndpointSlice kind: Where the view over the consumers of an export is served.
  metadata 0 meta.ObjectMeta
  spec 0 APIExportEndpointSliceSpec: Which export.
  status 0 APIExportEndpointSliceStatus: State. Read only.
APIExportEndpointSliceSpec: Which export.
  export 0 ExportBindingReference required: The export. Cannot be changed.
  partition 0 string: Which part of the endpoints; there is only one.
APIExportEndpointSliceStatus: Where it is served.
  conditions 0 []conditions.Condition: Aspects of its state.
  endpoints 0 []VirtualWorkspaceURL map=url: The addresses.
VirtualWorkspaceURL: An address.
  url 0 string required: The address.
APIBinding kind: Makes the kinds of an export usable here.
  metadata 0 meta.ObjectMeta
  spec 0 APIBindingSpec: Which export.
  status 0 APIBindingStatus: State. Read only.
APIBindingSpec: Which export.
  reference 0 BindingReference required: The export. Cannot be changed.
  permissionClaims 0 []AcceptablePermissionClaim: What the exporter asks to see, accepted or rejected.
BindingReference: What is bound.
  export 0 *ExportBindingReference: An export.
ExportBindingReference: An export.
  path 0 string pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?(:[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$: Workspace that has
    it.
  name 0 string required: Its name.
AcceptablePermissionClaim: What an exporter asks to see, and the answer.
  group 0 string: Its group.
  resource 0 string required: The resource.
  identityHash 0 string: The export it comes from, if it comes from one.
  all 0 bool: All objects.
  resourceSelector 0 []ResourceSelector: These objects.
  selector 0 *PermissionClaimSelector: Objects with these labels.
  verbs 0 []string set: What the exporter may do; all when empty.
  state 0 string required enum=Accepted|Rejected: The answer.
APIBindingStatus: State of a binding.
  apiExportClusterName 0 string: Logical cluster of the export.
  phase 0 string enum=|Binding|Bound: Binding, then Bound.
  boundResources 0 []BoundAPIResource map=group,resource: What is usable through it.
  conditions 0 []conditions.Condition: Aspects of its state.
  appliedPermissionClaims 0 []PermissionClaim: Claims in force.
  exportPermissionClaims 0 []PermissionClaim: Claims of the export.
BoundAPIResource: A resource usable through a binding.
  group 0 string required: Its group.
  resource 0 string required: Its name.
  schema 0 BoundAPIResourceSchema required: How it looks.
  storageVersions 0 []string set: Versions its objects were stored as.
BoundAPIResourceSchema: The schema of a bound resource.
  name 0 string required: Name of the APIResourceSchema.
  UID 0 string required: Its UID.
  identityHash 0 string required: Identity of the export.
"""
