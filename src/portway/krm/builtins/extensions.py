"""Kinds that change the API itself, and small groups: apiextensions, admissionregistration, autoscaling,
leases, events.

Numbers: k8s.io/apiextensions-apiserver and k8s.io/api, the v1 of each.
"""

APIEXTENSIONS = """
CustomResourceDefinition kind: A kind of your own, served from then on like any other.
  metadata 1 meta.ObjectMeta: Its name is <plural>.<group>.
  spec 2 CustomResourceDefinitionSpec required: How it looks.
  status 3 CustomResourceDefinitionStatus: Whether it is served. Read only.
CustomResourceDefinitionSpec: How a kind looks.
  group 1 string required: Its group.
  names 3 CustomResourceDefinitionNames required: Its names.
  scope 4 string required: Cluster or Namespaced.
  versions 7 []CustomResourceDefinitionVersion required atomic: Its versions; one of them is stored.
  conversion 9 *CustomResourceConversion: How to get from one version to another.
  preserveUnknownFields 10 bool: Has to be false.
CustomResourceDefinitionNames: Names of a kind.
  plural 1 string required: As in URLs: all lower case.
  singular 2 string: For one; the kind in lower case when not given.
  shortNames 3 []string atomic: Quicker to type.
  kind 4 string required: As in manifests: CamelCase.
  listKind 5 string: Kind of its lists; <kind>List when not given.
  categories 6 []string atomic: Sets it belongs to, such as all.
CustomResourceDefinitionVersion: A version of a kind.
  name 1 string required: Its name, such as v1 or v1beta1.
  served 2 bool required: Whether it can be used.
  storage 3 bool required: Whether objects are stored as this version; true for exactly one.
  schema 4 *CustomResourceValidation: What its objects may hold.
  subresources 5 *CustomResourceSubresources: Which subresources it has.
  additionalPrinterColumns 6 []CustomResourceColumnDefinition atomic: What lists of it show beside the name.
  deprecated 7 bool: Warn whoever uses it.
  deprecationWarning 8 *string: The warning.
  selectableFields 9 []SelectableField atomic: Which fields field selectors may name; at most 8.
CustomResourceValidation: What objects of a version may hold.
  openAPIV3Schema 1 *JSONSchemaProps: The schema, in structural form.
CustomResourceSubresources: Subresources of a version.
  status 1 *CustomResourceSubresourceStatus: Status is written through /status, all else through the object.
  scale 2 *CustomResourceSubresourceScale: It can be scaled through /scale.
CustomResourceSubresourceStatus: Has no settings.
CustomResourceSubresourceScale: Where an object keeps its scale.
  specReplicasPath 1 string required: Path of the wanted number, under .spec.
  statusReplicasPath 2 string required: Path of the actual number, under .status.
  labelSelectorPath 3 *string: Path of the selector as text.
CustomResourceColumnDefinition: A column of lists.
  name 1 string required: Its title.
  type 2 string required: integer, number, string, boolean or date.
  format 3 string: OpenAPI format of the value.
  description 4 string: What it shows.
  priority 5 int32: 0 is always shown; higher only where there is room.
  jsonPath 6 string required: Path of the value in the object.
SelectableField: A field that selectors may name.
  jsonPath 1 string required: Its path.
CustomResourceConversion: How to get from one version to another.
  strategy 1 string required: None (only apiVersion changes) or Webhook.
  webhook 2 *WebhookConversion: For strategy Webhook.
WebhookConversion: Conversion by calling a service.
  clientConfig 2 *WebhookClientConfig: Where it is.
  conversionReviewVersions 3 []string required atomic: Versions of ConversionReview it understands.
WebhookClientConfig: Where a webhook is.
  service 1 *ServiceReference: A service; or give url.
  caBundle 2 bytes: Certificates to trust, PEM.
  url 3 *string: Its address, https.
ServiceReference: A service.
  namespace 1 string required: Its namespace.
  name 2 string required: Its name.
  path 3 *string: The path to call.
  port 4 *int32: The port, 443 when not given.
CustomResourceDefinitionStatus: Whether a kind is served.
  conditions 1 []CustomResourceDefinitionCondition map=type: NamesAccepted, Established and others.
  acceptedNames 2 CustomResourceDefinitionNames: The names in force.
  storedVersions 3 []string atomic: Versions that objects have ever been stored as.
  observedGeneration 4 int64: The generation this was said of.
CustomResourceDefinitionCondition: One aspect of the state of a definition.
  type 1 string required: Name of the aspect.
  status 2 string required: True, False or Unknown.
  lastTransitionTime 3 time: When status last changed.
  reason 4 string: Why, for programs.
  message 5 string: Why, for people.
  observedGeneration 6 int64: The generation this was said of.
JSONSchemaProps: A schema node.
  id 1 string: Not used.
  $schema 2 string: Not used.
  $ref 3 *string: Not allowed.
  description 4 string: What the field means.
  type 5 string: object, array, string, integer, number or boolean.
  format 6 string: Finer type of a string or number, such as date-time.
  title 7 string: A short name.
  default 8 *json: Filled in where the field is missing.
  maximum 9 *double: Greatest value.
  exclusiveMaximum 10 bool: Maximum itself is not allowed.
  minimum 11 *double: Least value.
  exclusiveMinimum 12 bool: Minimum itself is not allowed.
  maxLength 13 *int64: Most characters.
  minLength 14 *int64: Fewest characters.
  pattern 15 string: Regular expression the text must match somewhere.
  maxItems 16 *int64: Most items.
  minItems 17 *int64: Fewest items.
  uniqueItems 18 bool: Has to be false; use the list type set.
  multipleOf 19 *double: Values are multiples of this.
  enum 20 []json atomic: The only values allowed.
  maxProperties 21 *int64: Most properties.
  minProperties 22 *int64: Fewest properties.
  required 23 []string atomic: Properties that must be there.
  items 24 *schemaorarray: Schema of each item.
  allOf 25 []JSONSchemaProps atomic: All have to hold.
  oneOf 26 []JSONSchemaProps atomic: Exactly one has to hold.
  anyOf 27 []JSONSchemaProps atomic: At least one has to hold.
  not 28 *JSONSchemaProps: Must not hold.
  properties 29 {}JSONSchemaProps: Schema of each property.
  additionalProperties 30 *schemaorbool: Schema of all values of a map.
  patternProperties 31 {}JSONSchemaProps: Not allowed.
  dependencies 32 {}schemaorstrings: Not allowed.
  additionalItems 33 *schemaorbool: Not allowed.
  definitions 34 {}JSONSchemaProps: Not allowed.
  externalDocs 35 *ExternalDocumentation: Where to read more.
  example 36 *json: An example value.
  nullable 37 bool: Whether null is a value.
  x-kubernetes-preserve-unknown-fields 38 *bool: Keep fields the schema does not name.
  x-kubernetes-embedded-resource 39 bool: The value is an object with apiVersion, kind and metadata.
  x-kubernetes-int-or-string 40 bool: The value is an integer or a string.
  x-kubernetes-list-map-keys 41 []string atomic: Fields that identify an item of a list of type map.
  x-kubernetes-list-type 42 *string: atomic, set or map.
  x-kubernetes-map-type 43 *string: granular or atomic.
  x-kubernetes-validations 44 []ValidationRule map=rule merge=rule: Rules in CEL.
ExternalDocumentation: Where to read more.
  description 1 string: What is there.
  url 2 string: Where it is.
ValidationRule: A rule in CEL.
  rule 1 string required: Must be true; self is the value.
  message 2 string: Said when it is not.
  messageExpression 3 string: CEL that makes the message.
  reason 4 *string: For programs.
  fieldPath 5 string: The field to blame.
  optionalOldSelf 6 *bool: Also evaluate on creation, with oldSelf optional.
"""

ADMISSION = """
ValidatingAdmissionPolicy kind: Rules in CEL that requests have to meet.
  metadata 1 meta.ObjectMeta
  spec 2 ValidatingAdmissionPolicySpec: The rules.
  status 3 ValidatingAdmissionPolicyStatus: What the check of the rules said. Read only.
ValidatingAdmissionPolicySpec: Rules and where they hold.
  paramKind 1 *ParamKind: Kind of the objects that parametrise it.
  matchConstraints 2 *MatchResources: Requests it is about.
  validations 3 []Validation atomic: The rules.
  failurePolicy 4 *string: Fail or Ignore, when a rule cannot be evaluated.
  auditAnnotations 5 []AuditAnnotation atomic: What to write to the audit log.
  matchConditions 6 []MatchCondition map=name merge=name: Further conditions in CEL.
  variables 7 []Variable map=name merge=name: Named expressions for use in rules.
ParamKind atomic: A kind of parameters.
  apiVersion 1 string: Its group and version.
  kind 2 string: Its kind.
MatchResources atomic: Requests meant; all given conditions have to hold.
  namespaceSelector 1 *meta.LabelSelector: Labels of the namespace.
  objectSelector 2 *meta.LabelSelector: Labels of the object.
  resourceRules 3 []NamedRuleWithOperations atomic: Operations and resources meant.
  excludeResourceRules 4 []NamedRuleWithOperations atomic: Those not meant.
  matchPolicy 7 *string: Exact or Equivalent.
NamedRuleWithOperations atomic: Operations on resources.
  resourceNames 1 []string atomic: Only objects of these names.
  ruleWithOperations 2 RuleWithOperations inline
RuleWithOperations: Operations on resources.
  operations 1 []string atomic: CREATE, UPDATE, DELETE, CONNECT or *.
  rule 2 Rule inline
Rule: Resources.
  apiGroups 1 []string atomic: Their groups; * is all.
  apiVersions 2 []string atomic: Their versions; * is all.
  resources 3 []string atomic: Their names; * is all.
  scope 4 *string: Cluster, Namespaced or *.
Validation: A rule.
  expression 1 string required: Must be true.
  message 2 string: Said when it is not.
  reason 3 *string: For programs.
  messageExpression 4 string: CEL that makes the message.
AuditAnnotation: An entry of the audit log.
  key 1 string required: Its key.
  valueExpression 2 string required: CEL that makes its value.
MatchCondition: A condition in CEL.
  name 1 string required: Its name.
  expression 2 string required: Must be true.
Variable atomic: A named expression.
  name 1 string required: Its name.
  expression 2 string required: Its value.
ValidatingAdmissionPolicyStatus: What the check of the rules said.
  observedGeneration 1 int64: The generation this was said of.
  typeChecking 2 *TypeChecking: Warnings.
  conditions 3 []meta.Condition map=type: Aspects of its state.
TypeChecking: What was found by checking types.
  expressionWarnings 1 []ExpressionWarning atomic: The warnings.
ExpressionWarning: A warning.
  fieldRef 2 string required: Path of the expression.
  warning 3 string required: What is wrong.
ValidatingAdmissionPolicyBinding kind: Puts a policy in force.
  metadata 1 meta.ObjectMeta
  spec 2 ValidatingAdmissionPolicyBindingSpec: Where and how.
ValidatingAdmissionPolicyBindingSpec: Where and how a policy is in force.
  policyName 1 string: The policy.
  paramRef 2 *ParamRef: Its parameters.
  matchResources 3 *MatchResources: Only for these requests.
  validationActions 4 []string set: Deny, Warn, Audit.
ParamRef atomic: Which parameters.
  name 1 string: The object; or give selector.
  namespace 2 string: Its namespace.
  selector 3 *meta.LabelSelector: Labels of the objects.
  parameterNotFoundAction 4 *string: Allow or Deny.
ValidatingWebhookConfiguration kind: Services asked whether requests are good.
  metadata 1 meta.ObjectMeta
  webhooks 2 []ValidatingWebhook map=name merge=name: The services.
ValidatingWebhook: A service asked.
  name 1 string required: Its name.
  clientConfig 2 WebhookClientConfig required: Where it is.
  rules 3 []RuleWithOperations atomic: What it is asked about.
  failurePolicy 4 *string: Fail or Ignore.
  namespaceSelector 5 *meta.LabelSelector: Labels of the namespace.
  sideEffects 6 *string required: None or NoneOnDryRun.
  timeoutSeconds 7 *int32: How long to wait.
  admissionReviewVersions 8 []string required atomic: Versions of AdmissionReview it understands.
  matchPolicy 9 *string: Exact or Equivalent.
  objectSelector 10 *meta.LabelSelector: Labels of the object.
  matchConditions 11 []MatchCondition map=name merge=name: Further conditions in CEL.
MutatingWebhookConfiguration kind: Services that may change requests.
  metadata 1 meta.ObjectMeta
  webhooks 2 []MutatingWebhook map=name merge=name: The services.
MutatingWebhook: A service asked.
  name 1 string required: Its name.
  clientConfig 2 WebhookClientConfig required: Where it is.
  rules 3 []RuleWithOperations atomic: What it is asked about.
  failurePolicy 4 *string: Fail or Ignore.
  namespaceSelector 5 *meta.LabelSelector: Labels of the namespace.
  sideEffects 6 *string required: None or NoneOnDryRun.
  timeoutSeconds 7 *int32: How long to wait.
  admissionReviewVersions 8 []string required atomic: Versions of AdmissionReview it understands.
  matchPolicy 9 *string: Exact or Equivalent.
  reinvocationPolicy 10 *string: Never or IfNeeded.
  objectSelector 11 *meta.LabelSelector: Labels of the object.
  matchConditions 12 []MatchCondition map=name merge=name: Further conditions in CEL.
MutatingAdmissionPolicy kind: Changes in CEL made to requests.
  metadata 1 meta.ObjectMeta
  spec 2 MutatingAdmissionPolicySpec: The changes.
MutatingAdmissionPolicySpec: Changes and where they are made.
  paramKind 1 *ParamKind: Kind of the objects that parametrise it.
  matchConstraints 2 *MatchResources: Requests it is about.
  variables 3 []Variable atomic: Named expressions for use in changes.
  mutations 4 []Mutation atomic: The changes, in order.
  failurePolicy 5 *string: Fail or Ignore, when a change cannot be made.
  matchConditions 6 []MatchCondition map=name merge=name: Further conditions in CEL.
  reinvocationPolicy 7 string: Never or IfNeeded, when later policies changed the object too.
Mutation: A change.
  patchType 2 string required: ApplyConfiguration or JSONPatch.
  applyConfiguration 3 *ApplyConfiguration: Fields to set.
  jsonPatch 4 *JSONPatch: Operations to make.
ApplyConfiguration: Fields to set, merged as server-side apply does.
  expression 1 string: CEL that makes an Object.
JSONPatch: Operations of a JSON patch.
  expression 1 string: CEL that makes a list of JSONPatch.
MutatingAdmissionPolicyBinding kind: Puts a mutating policy in force.
  metadata 1 meta.ObjectMeta
  spec 2 MutatingAdmissionPolicyBindingSpec: Where.
MutatingAdmissionPolicyBindingSpec: Where a policy is in force.
  policyName 1 string: The policy.
  paramRef 2 *ParamRef: Its parameters.
  matchResources 3 *MatchResources: Only for these requests.
WebhookClientConfig: Where a webhook is.
  service 1 *ServiceReference: A service; or give url.
  caBundle 2 bytes: Certificates to trust, PEM.
  url 3 *string: Its address, https.
ServiceReference: A service.
  namespace 1 string required: Its namespace.
  name 2 string required: Its name.
  path 3 *string: The path to call.
  port 4 *int32: The port, 443 when not given.
"""

ADMISSION_BETA = """
MutatingAdmissionPolicy kind: Changes in CEL made to requests.
  metadata 1 meta.ObjectMeta
  spec 2 MutatingAdmissionPolicySpec: The changes.
MutatingAdmissionPolicySpec: Changes and where they are made.
  paramKind 1 *admission.ParamKind: Kind of the objects that parametrise it.
  matchConstraints 2 *admission.MatchResources: Requests it is about.
  variables 3 []admission.Variable atomic: Named expressions for use in changes.
  mutations 4 []Mutation atomic: The changes, in order.
  failurePolicy 5 *string: Fail or Ignore, when a change cannot be made.
  matchConditions 6 []admission.MatchCondition map=name merge=name: Further conditions in CEL.
  reinvocationPolicy 7 string: Never or IfNeeded, when later policies changed the object too.
Mutation: A change.
  patchType 2 string required: ApplyConfiguration or JSONPatch.
  applyConfiguration 3 *ApplyConfiguration: Fields to set.
  jsonPatch 4 *JSONPatch: Operations to make.
ApplyConfiguration: Fields to set, merged as server-side apply does.
  expression 1 string: CEL that makes an Object.
JSONPatch: Operations of a JSON patch.
  expression 1 string: CEL that makes a list of JSONPatch.
MutatingAdmissionPolicyBinding kind: Puts a mutating policy in force.
  metadata 1 meta.ObjectMeta
  spec 2 MutatingAdmissionPolicyBindingSpec: Where.
MutatingAdmissionPolicyBindingSpec: Where a policy is in force.
  policyName 1 string: The policy.
  paramRef 2 *admission.ParamRef: Its parameters.
  matchResources 3 *admission.MatchResources: Only for these requests.
"""
"""Served as v1beta1 and v1alpha1 too."""

AUTOSCALING = """
Scale kind: How many copies of something there are to be.
  metadata 1 meta.ObjectMeta
  spec 2 ScaleSpec: How many are wanted.
  status 3 ScaleStatus: How many there are. Read only.
ScaleSpec: How many are wanted.
  replicas 1 int32: The number.
ScaleStatus: How many there are.
  replicas 1 int32 required: The number.
  selector 2 string: Label selector of the copies, as text.
"""

COORDINATION = """
Lease kind: Says which of several programs is in charge, and until when.
  metadata 1 meta.ObjectMeta
  spec 2 LeaseSpec: Who and until when.
LeaseSpec: Who is in charge and until when.
  holderIdentity 1 *string: Who.
  leaseDurationSeconds 2 *int32: Seconds after renewTime until others may take over.
  acquireTime 3 *microtime: Since when.
  renewTime 4 *microtime: When the holder last renewed it.
  leaseTransitions 5 *int32: How often the holder changed.
  strategy 6 *string: How the holder is chosen.
  preferredHolder 7 *string: Who is to take over.
"""

EVENTS = """
Event kind: A report that something happened to an object.
  metadata 1 meta.ObjectMeta
  eventTime 2 microtime: When it was first seen.
  series 3 *EventSeries: The repetitions, if there are any.
  reportingController 4 string: The controller that reports.
  reportingInstance 5 string: Which running copy of it.
  action 6 string: What was done or failed.
  reason 7 string: Why, as one word for programs.
  regarding 8 core.ObjectReference: The object it is about.
  related 9 *core.ObjectReference: A second object it is about.
  note 10 string: What happened, for people.
  type 11 string: Normal or Warning.
  deprecatedSource 12 core.EventSource: As core/v1 has it.
  deprecatedFirstTimestamp 13 time: As core/v1 has it.
  deprecatedLastTimestamp 14 time: As core/v1 has it.
  deprecatedCount 15 int32: As core/v1 has it.
EventSeries: Repetitions of an event.
  count 1 int32 required: How often up to the last time seen.
  lastObservedTime 2 microtime required: When it was last seen.
"""
