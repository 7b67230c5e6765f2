"""Who may do what: rbac.authorization.k8s.io, authentication.k8s.io and authorization.k8s.io, all v1.

Numbers: k8s.io/api, rbac/v1, authentication/v1, authorization/v1.
"""

RBAC = """
PolicyRule: Verbs allowed on resources or paths.
  verbs 1 []string required atomic: What is allowed; * is everything.
  apiGroups 2 []string atomic: Groups of the resources; the empty one is core, * is all.
  resources 3 []string atomic: Resources, or resource/subresource; * is all.
  resourceNames 4 []string atomic: Only objects of these names; empty is all.
  nonResourceURLs 5 []string atomic: Paths that are not resources; * may end one.
Subject atomic: A user, a group or a service account.
  kind 1 string required: User, Group or ServiceAccount.
  apiGroup 2 string: Empty for ServiceAccount, rbac.authorization.k8s.io for the others.
  name 3 string required: Its name.
  namespace 4 string: Its namespace, for a ServiceAccount.
RoleRef atomic: The role a binding gives.
  apiGroup 1 string default="rbac.authorization.k8s.io": Group of the role.
  kind 2 string required: Role or ClusterRole.
  name 3 string required: Its name.
Role kind: Rules for one namespace.
  metadata 1 meta.ObjectMeta
  rules 2 []PolicyRule atomic: What it allows.
RoleBinding kind: Gives a role to subjects in one namespace.
  metadata 1 meta.ObjectMeta
  subjects 2 []Subject atomic: Who gets the role.
  roleRef 3 RoleRef required: The role; cannot be changed.
ClusterRole kind: Rules for the whole workspace, or to be bound in any of its namespaces.
  metadata 1 meta.ObjectMeta
  rules 2 []PolicyRule atomic: What it allows.
  aggregationRule 3 *AggregationRule: Fill the rules from other cluster roles.
AggregationRule: Where the rules of an aggregated cluster role come from.
  clusterRoleSelectors 1 []meta.LabelSelector atomic: Cluster roles whose rules are added; any may match.
ClusterRoleBinding kind: Gives a cluster role to subjects in the whole workspace.
  metadata 1 meta.ObjectMeta
  subjects 2 []Subject atomic: Who gets the role.
  roleRef 3 RoleRef required: The cluster role; cannot be changed.
"""

AUTHENTICATION = """
TokenRequest kind: Asks for a token of a service account.
  metadata 1 meta.ObjectMeta
  spec 2 TokenRequestSpec required: The token wanted.
  status 3 TokenRequestStatus: The token given.
TokenRequestSpec: The token wanted.
  audiences 1 []string atomic: Whom it is for; the API server when empty.
  expirationSeconds 4 *int64: How long it is to last.
  boundObjectRef 3 *BoundObjectReference: It ends when this object is deleted.
BoundObjectReference: An object a token's life hangs on.
  kind 1 string: Pod or Secret.
  apiVersion 2 string: Its version.
  name 3 string: Its name.
  uid 4 string: Its UID.
TokenRequestStatus: The token given.
  token 1 string: The token.
  expirationTimestamp 2 time: When it ends.
TokenReview kind: Asks whose token this is.
  metadata 1 meta.ObjectMeta
  spec 2 TokenReviewSpec required: The token.
  status 3 TokenReviewStatus: The answer.
TokenReviewSpec: A token in question.
  token 1 string: The token.
  audiences 2 []string atomic: Whom it must be for.
TokenReviewStatus: Whose token it is.
  authenticated 1 bool: Whether it is anyone's.
  user 2 UserInfo: Whose.
  audiences 4 []string atomic: Which of the asked audiences it is for.
  error 3 string: Why it could not be checked.
UserInfo: A user as the server sees one.
  username 1 string: The name.
  uid 2 string: Tells users who have the same name one after another apart.
  groups 3 []string atomic: The groups.
  extra 4 {}strings: What else the authenticator said.
SelfSubjectReview kind: Asks who the caller is.
  metadata 1 meta.ObjectMeta
  status 2 SelfSubjectReviewStatus: The answer.
SelfSubjectReviewStatus: Who the caller is.
  userInfo 1 UserInfo: The user.
"""

AUTHORIZATION = """
SubjectAccessReview kind: Asks whether a user may do something.
  metadata 1 meta.ObjectMeta
  spec 2 SubjectAccessReviewSpec required: The question.
  status 3 SubjectAccessReviewStatus: The answer.
LocalSubjectAccessReview kind: Asks whether a user may do something in one namespace.
  metadata 1 meta.ObjectMeta
  spec 2 SubjectAccessReviewSpec required: The question.
  status 3 SubjectAccessReviewStatus: The answer.
SelfSubjectAccessReview kind: Asks whether the caller may do something.
  metadata 1 meta.ObjectMeta
  spec 2 SelfSubjectAccessReviewSpec required: The question.
  status 3 SubjectAccessReviewStatus: The answer.
SelfSubjectRulesReview kind: Asks for all that the caller may do in a namespace.
  metadata 1 meta.ObjectMeta
  spec 2 SelfSubjectRulesReviewSpec required: The question.
  status 3 SubjectRulesReviewStatus: The answer.
SubjectAccessReviewSpec: Who wants to do what; one of the two kinds of attributes.
  resourceAttributes 1 *ResourceAttributes: An access to a resource.
  nonResourceAttributes 2 *NonResourceAttributes: An access to another path.
  user 3 string: The user.
  groups 4 []string atomic: The user's groups.
  extra 5 {}strings: What else is known of the user.
  uid 6 string: The user's UID.
SelfSubjectAccessReviewSpec: What the caller wants to do; one of the two.
  resourceAttributes 1 *ResourceAttributes: An access to a resource.
  nonResourceAttributes 2 *NonResourceAttributes: An access to another path.
SelfSubjectRulesReviewSpec: Where.
  namespace 1 string: The namespace.
ResourceAttributes: An access to a resource.
  namespace 1 string: The namespace; empty is all or none.
  verb 2 string: get, list, watch, create, update, patch, delete or another; * is all.
  group 3 string: Its group; * is all.
  version 4 string: Its version; * is all.
  resource 5 string: The resource; * is all.
  subresource 6 string: Its subresource.
  name 7 string: The object; empty is all.
  fieldSelector 8 *FieldSelectorAttributes: Only objects with these fields.
  labelSelector 9 *LabelSelectorAttributes: Only objects with these labels.
FieldSelectorAttributes: A restriction by fields.
  rawSelector 1 string: As text.
  requirements 2 []meta.FieldSelectorRequirement atomic: As conditions.
LabelSelectorAttributes: A restriction by labels.
  rawSelector 1 string: As text.
  requirements 2 []meta.LabelSelectorRequirement atomic: As conditions.
NonResourceAttributes: An access to a path.
  path 1 string: The path.
  verb 2 string: The HTTP verb.
SubjectAccessReviewStatus: Whether it is allowed.
  allowed 1 bool required: True when it is.
  denied 4 bool: True when it is forbidden for good; both false is no opinion.
  reason 2 string: Why.
  evaluationError 3 string: What went wrong while deciding.
SubjectRulesReviewStatus: What is allowed.
  resourceRules 1 []ResourceRule atomic: On resources.
  nonResourceRules 2 []NonResourceRule atomic: On other paths.
  incomplete 3 bool required: True when there may be more.
  evaluationError 4 string: What went wrong while finding out.
ResourceRule: Verbs allowed on resources.
  verbs 1 []string required atomic: The verbs.
  apiGroups 2 []string atomic: The groups.
  resources 3 []string atomic: The resources.
  resourceNames 4 []string atomic: Only objects of these names.
NonResourceRule: Verbs allowed on paths.
  verbs 1 []string required atomic: The verbs.
  nonResourceURLs 2 []string atomic: The paths.
"""
