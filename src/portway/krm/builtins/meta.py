"""meta.k8s.io/v1 and the other types that all groups share. Numbers: k8s.io/apimachinery, meta/v1."""

TEXT = """
ObjectMeta: What every stored object says of itself: its name, its place, its history.
  name 1 string: Unique among objects of the kind in the namespace; cannot be changed.
  generateName 2 string: Beginning of a name that the server completes when none is given.
  namespace 3 string: The namespace the object lives in; empty for cluster-scoped kinds. Cannot be changed.
  selfLink 4 string: No longer filled in.
  uid 5 string: Set by the server; tells this object from others that had or will have the same name.
  resourceVersion 6 string: Opaque version for optimistic locking and for watching from a point in time.
  generation 7 int64: Counts changes of the desired state. Set by the server.
  creationTimestamp 8 time: CreationTimestamp is a timestamp: when the server made the object. Read only.
  deletionTimestamp 9 *time: When deletion was asked for; the object goes once its finalizers are gone.
  deletionGracePeriodSeconds 10 *int64: Seconds allowed for a graceful end; only set with deletionTimestamp.
  labels 11 {}string: Keys and values to select objects by.
  annotations 12 {}string: Keys and values of any length for tools to keep; not for selecting.
  ownerReferences 13 []OwnerReference map=uid merge=uid: Objects this one depends on. When all are gone it is
    collected. At most one is the controller.
  finalizers 14 []string set merge: Names of parties that must clean up before the object may go. Each
    removes its own.
  managedFields 17 []ManagedFieldsEntry atomic: Which manager set which fields; kept by the server for
    server-side
    apply.
OwnerReference atomic: Names an owner in the same namespace, or a cluster-scoped one.
  apiVersion 5 string required: Group and version of the owner.
  kind 1 string required: Kind of the owner.
  name 3 string required: Name of the owner.
  uid 4 string required: UID of the owner.
  controller 6 *bool: True for the one owner that manages this object.
  blockOwnerDeletion 7 *bool: With foreground deletion, the owner waits until this object is gone.
ManagedFieldsEntry: The fields one manager set by one kind of operation.
  manager 1 string: Name of the program or person.
  operation 2 string: Apply or Update.
  apiVersion 3 string: Version the field names below belong to.
  time 4 *time: When this set last changed.
  fieldsType 6 string: Format of the set; FieldsV1 is the only one.
  fieldsV1 7 *fieldsv1: The set of fields, as a tree.
  subresource 8 string: The subresource written through, if any.
ListMeta: What a list says of itself.
  selfLink 1 string: No longer filled in.
  resourceVersion 2 string: The version of the state the list shows; a watch can start from here.
  continue 3 string: Send it back to get the next page; empty on the last one.
  remainingItemCount 4 *int64: How many items follow this page, when the server knows.
LabelSelector atomic: Selects objects by labels; all given conditions have to hold. Empty selects everything.
  matchLabels 1 {}string: Labels that must have exactly these values.
  matchExpressions 2 []LabelSelectorRequirement atomic: Further conditions.
LabelSelectorRequirement: One condition on one label.
  key 1 string required: The label.
  operator 2 string required: In, NotIn, Exists or DoesNotExist.
  values 3 []string atomic: For In and NotIn, the values; otherwise empty.
FieldSelectorRequirement: One condition on one field.
  key 1 string required: The field.
  operator 2 string required: In, NotIn, Exists or DoesNotExist.
  values 3 []string atomic: For In and NotIn, the values; otherwise empty.
Condition: One aspect of the state of an object.
  type 1 string required: Name of the aspect, in CamelCase.
  status 2 string required enum=True|False|Unknown: Whether it holds.
  observedGeneration 3 int64: The generation of the object this was said of.
  lastTransitionTime 4 time required: When status last changed.
  reason 5 string required: Why, as one CamelCase word for programs.
  message 6 string required: Why, in words for people.
Status kind: The outcome of a request that returns no object.
  metadata 1 ListMeta
  status 2 string: Success or Failure.
  message 3 string: What happened, for people.
  reason 4 string: What happened, for programs; goes with the HTTP code.
  details 5 *StatusDetails: More about the reason.
  code 6 int32: The HTTP code.
StatusDetails: What a failure is about.
  name 1 string: Name of the object.
  group 2 string: Group of its kind.
  kind 3 string: Its kind or resource.
  uid 6 string: Its UID.
  causes 4 []StatusCause atomic: Single reasons, such as fields that are wrong.
  retryAfterSeconds 5 int32: How long to wait before trying again.
StatusCause: One reason of a failure.
  reason 1 string: For programs.
  message 2 string: For people.
  field 3 string: Path of the field, such as spec.ports[0].
Preconditions: What must hold for a deletion to be done.
  uid 1 *string: The object must have this UID.
  resourceVersion 2 *string: The object must be at this version.
DeleteOptions kind: How to delete.
  gracePeriodSeconds 1 *int64: Seconds to wait before the object goes; 0 is at once.
  preconditions 2 *Preconditions: Refuse unless these hold.
  orphanDependents 3 *bool: Replaced by propagationPolicy.
  propagationPolicy 4 *string: Orphan, Background or Foreground: what happens to dependents.
  dryRun 5 []string atomic: All to validate only.
  ignoreStoreReadErrorWithClusterBreakingPotential 6 *bool: Delete even what cannot be read from storage.
CreateOptions kind: How to create.
  dryRun 1 []string atomic: All to validate only.
  fieldManager 3 string: Who makes the change.
  fieldValidation 4 string: Ignore, Warn or Strict: what to do about unknown and duplicate fields.
UpdateOptions kind: How to update.
  dryRun 1 []string atomic: All to validate only.
  fieldManager 2 string: Who makes the change.
  fieldValidation 3 string: Ignore, Warn or Strict: what to do about unknown and duplicate fields.
PatchOptions kind: How to patch.
  dryRun 1 []string atomic: All to validate only.
  force 2 *bool: Take over fields of other managers; server-side apply only.
  fieldManager 3 string: Who makes the change; needed for server-side apply.
  fieldValidation 4 string: Ignore, Warn or Strict: what to do about unknown and duplicate fields.
Patch: A patch of any of the supported formats.
WatchEvent kind: One change seen by a watch.
  type 1 string required: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.
  object 2 raw required: The object after the change (before it, when deleted), or a Status.
PartialObjectMetadata kind: Any object, reduced to its metadata.
  metadata 1 ObjectMeta
PartialObjectMetadataList kind: A list of objects reduced to their metadata.
  metadata 1 ListMeta
  items 2 []PartialObjectMetadata required: The objects.
Table kind: Objects as rows of cells, for printing.
  metadata 0 ListMeta
  columnDefinitions 0 []TableColumnDefinition required atomic: The columns, in order.
  rows 0 []TableRow required atomic: The rows, in order.
TableColumnDefinition: A column.
  name 0 string required: Its title.
  type 0 string required: OpenAPI type of the cells.
  format 0 string required: OpenAPI format of the cells.
  description 0 string required: What it shows.
  priority 0 int32 required: 0 is always shown; higher only where there is room.
TableRow: A row.
  cells 0 []json required atomic: One value a column.
  conditions 0 []json atomic: What is special about the row.
  object 0 raw: The object, as much of it as was asked for.
APIGroup kind: A group and its versions.
  name 1 string required: The group.
  versions 2 []GroupVersionForDiscovery required atomic: The versions served.
  preferredVersion 3 GroupVersionForDiscovery: The version to use when there is no reason for another.
  serverAddressByClientCIDRs 4 []ServerAddressByClientCIDR atomic: Where clients of a network reach the
    server.
APIGroupList kind: All groups.
  groups 1 []APIGroup required atomic: The groups.
APIVersions kind: The versions of the group without a name.
  versions 1 []string required atomic: The versions.
  serverAddressByClientCIDRs 2 []ServerAddressByClientCIDR required atomic: Where clients reach the server.
GroupVersionForDiscovery: A version of a group.
  groupVersion 1 string required: group/version.
  version 2 string required: version.
ServerAddressByClientCIDR: Where clients of a network reach the server.
  clientCIDR 1 string required: The network.
  serverAddress 2 string required: Host and port.
APIResourceList kind: The resources of one group version.
  groupVersion 1 string required: group/version.
  resources 2 []APIResource required atomic: The resources and subresources.
APIResource: A resource or subresource.
  name 1 string required: Plural name; subresources as plural/name.
  singularName 6 string required: Singular name.
  namespaced 2 bool required: Whether objects live in namespaces.
  group 8 string: When it differs from the list's.
  version 9 string: When it differs from the list's.
  kind 3 string required: The kind of its objects.
  verbs 4 strings required: What can be done with it.
  shortNames 5 []string atomic: Names that are quicker to type.
  categories 7 []string atomic: Sets it belongs to, such as all.
  storageVersionHash 10 string: Changes when objects are stored in another version.
"""
