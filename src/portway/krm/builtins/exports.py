"""kcp's kinds of offered APIs, with kcp's field shapes: apis.kcp.io, v1alpha1 and v1alpha2.

In v1alpha1 claims have two fields more than in kcp: ``verbs`` and, of a binding, ``selector``.
Shapes: github.com/kcp-dev/kcp, config/crds.
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
  group 0 string default="": Its group.
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

APIS_V1ALPHA2 = r"""
APIExport kind: Kinds offered to other workspaces, which bind them.
  metadata 0 meta.ObjectMeta
  spec 0 APIExportSpec: What is offered.
  status 0 apis.APIExportStatus: State. Read only.
APIExportSpec: What is offered.
  resources 0 []ResourceSchema map=name,group: The kinds offered, each as an APIResourceSchema describes it.
  identity 0 *apis.Identity: What proves that objects belong to this export.
  maximalPermissionPolicy 0 *apis.MaximalPermissionPolicy: The most that users of a binding may do.
  permissionClaims 0 []PermissionClaim map=group,resource: What the exporter asks to see in binding
    workspaces.
ResourceSchema: A kind offered.
  name 0 string required: Its resource, such as databases.
  group 0 string required: Its group; empty for the one without a name.
  schema 0 string required: Name of the APIResourceSchema, <prefix>.<name>.<group>.
  storage 0 ResourceSchemaStorage default={"crd":{}}: Where its objects are kept.
ResourceSchemaStorage: Where objects of a kind are kept.
  crd 0 *CRDStorage: In the workspace that binds the export, as those of a CustomResourceDefinition.
  virtual 0 *VirtualStorage: Elsewhere. Not served here.
CRDStorage: Has no settings.
VirtualStorage: Objects kept elsewhere.
  reference 0 TypedLocalObjectReference required: The object that says where.
  identityHash 0 string required: Identity of what is served there.
TypedLocalObjectReference atomic: An object of the same workspace.
  apiGroup 0 *string: Its group.
  kind 0 string required: Its kind.
  name 0 string required: Its name.
PermissionClaim: What an exporter asks to see.
  group 0 string default="" pattern=^(|[a-z0-9]([-a-z0-9]*[a-z0-9](\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?)$: Its
    group.
  resource 0 string required pattern=^[a-z][-a-z0-9]*[a-z0-9]$: The resource.
  verbs 0 []string required set: What the exporter wants to do; * for everything.
  identityHash 0 string default="": The export it comes from, if it comes from one.
  defaultSelector 0 *PermissionClaimSelector: Objects meant when a type of workspace binds the export; all when it
    is missing.
PermissionClaimSelector atomic: Objects, by their labels.
  matchAll 0 bool: All of them.
  matchLabels 0 {}string: Labels they have.
  matchExpressions 0 []meta.LabelSelectorRequirement atomic: What else holds of their labels.
APIBinding kind: Makes the kinds of an export usable here.
  metadata 0 meta.ObjectMeta
  spec 0 APIBindingSpec required: Which export.
  status 0 APIBindingStatus: State. Read only.
APIBindingSpec: Which export.
  reference 0 apis.BindingReference required: The export. Cannot be changed.
  permissionClaims 0 []AcceptablePermissionClaim map=group,resource,identityHash: What the exporter asks to see,
    accepted or rejected.
AcceptablePermissionClaim: What an exporter asks to see, and the answer.
  group 0 string default="" pattern=^(|[a-z0-9]([-a-z0-9]*[a-z0-9](\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?)$: Its
    group.
  resource 0 string required pattern=^[a-z][-a-z0-9]*[a-z0-9]$: The resource.
  verbs 0 []string required set: What the exporter may do; * for everything.
  identityHash 0 string default="": The export it comes from, if it comes from one.
  defaultSelector 0 *PermissionClaimSelector: As the export has it.
  selector 0 PermissionClaimSelector required: Which objects. Cannot be changed.
  state 0 string required enum=Accepted|Rejected: The answer.
APIBindingStatus: State of a binding.
  apiExportClusterName 0 string: Logical cluster of the export.
  phase 0 string enum=|Binding|Bound: Binding, then Bound.
  boundResources 0 []apis.BoundAPIResource map=group,resource: What is usable through it.
  conditions 0 []conditions.Condition: Aspects of its state.
  appliedPermissionClaims 0 []ScopedPermissionClaim map=group,resource,identityHash: Claims in force.
  exportPermissionClaims 0 []PermissionClaim: Claims of the export.
ScopedPermissionClaim: A claim in force.
  group 0 string default="": Its group.
  resource 0 string required: The resource.
  verbs 0 []string required set: What the exporter may do; * for everything.
  identityHash 0 string default="": The export it comes from, if it comes from one.
  defaultSelector 0 *PermissionClaimSelector: As the export has it.
  selector 0 PermissionClaimSelector required: Which objects.
"""
