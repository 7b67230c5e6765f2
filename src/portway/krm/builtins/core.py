"""The group without a name, v1. Numbers: k8s.io/api, core/v1."""

TEXT = """
ConfigMap kind: Configuration for programs, as text or bytes under keys.
  metadata 1 meta.ObjectMeta
  data 2 {}string: Text values. Keys are letters, digits, -, _ and dots.
  binaryData 3 {}bytes: Values that are not text, in base64. A key may not be in data too.
  immutable 4 *bool: When true, data can no longer be changed.
Secret kind: Confidential values under keys; encrypted at rest.
  metadata 1 meta.ObjectMeta
  data 2 {}bytes: The values, in base64.
  type 3 string: Tells programs how to read the values; cannot be changed. Opaque when not given.
  stringData 4 {}string: Write only: plain text values that are moved to data.
  immutable 5 *bool: When true, data can no longer be changed.
Namespace kind: A scope for names inside a workspace; an environment has one.
  metadata 1 meta.ObjectMeta
  spec 2 NamespaceSpec: What is wanted.
  status 3 NamespaceStatus: What is. Read only.
NamespaceSpec: Attributes of a namespace.
  finalizers 1 []string atomic: What must be emptied before the namespace can go.
NamespaceStatus: State of a namespace.
  phase 1 string enum=Active|Terminating: Active, or Terminating once deletion was asked for.
  conditions 2 []NamespaceCondition map=type merge=type: What keeps the namespace from going.
NamespaceCondition: One aspect of the state of a namespace.
  type 1 string required: Name of the aspect.
  status 2 string required: True, False or Unknown.
  lastTransitionTime 4 time: When status last changed.
  reason 5 string: Why, for programs.
  message 6 string: Why, for people.
ServiceAccount kind: An identity for programs, in a namespace.
  metadata 1 meta.ObjectMeta
  secrets 2 []ObjectReference map=name merge=name: Secrets that programs with this account may use.
  imagePullSecrets 3 []LocalObjectReference atomic: Secrets for fetching images.
  automountServiceAccountToken 4 *bool: Whether programs get a token of this account by default.
ObjectReference atomic: Points at an object, or a part of one.
  kind 1 string: Its kind.
  namespace 2 string: Its namespace.
  name 3 string: Its name.
  uid 4 string: Its UID.
  apiVersion 5 string: Its group and version.
  resourceVersion 6 string: The version meant, if one is.
  fieldPath 7 string: The part meant, such as spec.containers{name}.
LocalObjectReference atomic: Points at an object in the same namespace.
  name 1 string: Its name.
TypedLocalObjectReference atomic: Points at an object of any kind in the same namespace.
  apiGroup 1 *string: Its group.
  kind 2 string required: Its kind.
  name 3 string required: Its name.
Event kind: A report that something happened to an object.
  metadata 1 meta.ObjectMeta required
  involvedObject 2 ObjectReference required: The object it is about.
  reason 3 string: Why, as one word for programs.
  message 4 string: What happened, for people.
  source 5 EventSource: Who reports it.
  firstTimestamp 6 time: When it was first seen.
  lastTimestamp 7 time: When it was last seen.
  count 8 int32: How often it was seen.
  type 9 string: Normal or Warning.
  eventTime 10 microtime: When it was first seen, exactly.
  series 11 *EventSeries: The repetitions, if there are any.
  action 12 string: What was done or failed.
  related 13 *ObjectReference: A second object it is about.
  reportingComponent 14 string default="": The controller that reports, such as portway.dev/claims.
  reportingInstance 15 string default="": Which running copy of the controller.
EventSource: Who reports an event.
  component 1 string: The program.
  host 2 string: The machine.
EventSeries: Repetitions of an event.
  count 1 int32: How often up to the last time seen.
  lastObservedTime 2 microtime: When it was last seen.
ResourceQuota kind: Limits on what a namespace may hold.
  metadata 1 meta.ObjectMeta
  spec 2 ResourceQuotaSpec: The limits.
  status 3 ResourceQuotaStatus: The limits in force and what is used. Read only.
ResourceQuotaSpec: Limits wanted.
  hard 1 {}quantity: Limit for each resource, such as count/configmaps.
  scopes 2 []string atomic: Count only objects all these scopes match.
  scopeSelector 3 *ScopeSelector: As scopes, with conditions on values.
ResourceQuotaStatus: Limits in force and use.
  hard 1 {}quantity: Limit for each resource.
  used 2 {}quantity: Amount in use of each resource.
ScopeSelector atomic: Conditions on scopes; all have to hold.
  matchExpressions 1 []ScopedResourceSelectorRequirement atomic: The conditions.
ScopedResourceSelectorRequirement: One condition on one scope.
  scopeName 1 string required: The scope.
  operator 2 string required: In, NotIn, Exists or DoesNotExist.
  values 3 []string atomic: For In and NotIn, the values.
Service kind: A stable address. Only default/kubernetes exists: where the API answers.
  metadata 1 meta.ObjectMeta
  spec 2 ServiceSpec: The address.
  status 3 ServiceStatus: State of the address. Read only.
ServiceSpec: Address and ports of a service.
  ports 1 []ServicePort map=port,protocol merge=port: Its ports.
  selector 2 {}string atomic: Labels of what answers.
  clusterIP 3 string: The address.
  clusterIPs 18 []string atomic: All addresses.
  type 4 string: ClusterIP or ExternalName.
  externalIPs 5 []string atomic: Further addresses.
  sessionAffinity 7 string: None or ClientIP.
  loadBalancerIP 8 string: Address asked of a load balancer.
  loadBalancerSourceRanges 9 []string atomic: Networks a load balancer admits.
  externalName 10 string: A DNS name instead of an address.
  externalTrafficPolicy 11 string: Cluster or Local.
  healthCheckNodePort 12 int32: Port for health checks.
  publishNotReadyAddresses 13 bool: Also show what is not ready.
  sessionAffinityConfig 14 *SessionAffinityConfig: Details of session affinity.
  ipFamilyPolicy 17 *string: SingleStack, PreferDualStack or RequireDualStack.
  ipFamilies 19 []string atomic: IPv4 or IPv6.
  allocateLoadBalancerNodePorts 20 *bool: Whether node ports are given.
  loadBalancerClass 21 *string: Who makes the load balancer.
  internalTrafficPolicy 22 *string: Cluster or Local.
  trafficDistribution 23 *string: Which endpoints are preferred.
ServicePort: One port of a service.
  name 1 string: Its name.
  protocol 2 string default="TCP": TCP, UDP or SCTP.
  appProtocol 6 *string: The protocol above that.
  port 3 int32 required: Its number.
  targetPort 4 intorstring: Number or name of the port behind it.
  nodePort 5 int32: Its number on nodes.
SessionAffinityConfig: Details of session affinity.
  clientIP 1 *ClientIPConfig: For affinity by client address.
ClientIPConfig: Affinity by client address.
  timeoutSeconds 1 *int32: How long it sticks.
ServiceStatus: State of a service.
  loadBalancer 1 LoadBalancerStatus: State of its load balancer.
  conditions 2 []meta.Condition map=type merge=type: Aspects of its state.
LoadBalancerStatus: State of a load balancer.
  ingress 1 []LoadBalancerIngress atomic: Where traffic enters.
LoadBalancerIngress: A point where traffic enters.
  ip 1 string: Its address.
  hostname 2 string: Its name.
  ipMode 3 *string: VIP or Proxy.
  ports 4 []PortStatus atomic: Its ports.
PortStatus: State of a port.
  port 1 int32 required: Its number.
  protocol 2 string required: Its protocol.
  error 3 *string: What is wrong with it.
"""
