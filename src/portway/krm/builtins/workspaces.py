"""kcp's kinds of workspaces, with kcp's field shapes, so that kcp can take over: tenancy and core.kcp.io, v1alpha1.

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
