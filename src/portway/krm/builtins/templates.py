"""PodTemplate of core v1: a description of containers that is kept and compared, never run.

Clients and tests keep them as plain data (they are what upstream's lists are tested with). Of a pod's many fields
those are declared that describe its containers; strict validation names any other. Numbers: k8s.io/api, core/v1.
"""

TEXT = """
PodTemplate kind: A description of containers, kept for whoever reads it. Nothing here runs it.
  metadata 1 meta.ObjectMeta
  template 2 PodTemplateSpec: The description.
PodTemplateSpec: Metadata and content of what would be made from a template.
  metadata 1 meta.ObjectMeta
  spec 2 PodSpec: The containers.
PodSpec: Containers and how they would be run.
  volumes 1 []Volume map=name merge=name: Files that containers share.
  containers 2 []Container required map=name merge=name: The containers.
  restartPolicy 3 string: Always, OnFailure or Never.
  terminationGracePeriodSeconds 4 *int64: Time to stop in.
  activeDeadlineSeconds 5 *int64: Time to run in at most.
  dnsPolicy 6 string: How names are resolved.
  nodeSelector 7 {}string atomic: Labels of machines to run on.
  serviceAccountName 8 string: The account they run as.
  serviceAccount 9 string: The same under its old name.
  nodeName 10 string: The machine to run on.
  hostNetwork 11 bool: Whether they use the network of the machine.
  imagePullSecrets 15 []LocalObjectReference map=name merge=name: Secrets for fetching images.
  hostname 16 string: The name they see for their machine.
  subdomain 17 string: The domain of that name.
  schedulerName 19 string: Who chooses the machine.
  initContainers 20 []Container map=name merge=name: Containers that run first, one after the other.
  automountServiceAccountToken 21 *bool: Whether they get a token of their account.
  tolerations 22 []Toleration atomic: Taints of machines that are accepted.
  priorityClassName 24 string: How important they are.
Toleration: A taint that is accepted.
  key 1 string: Key of the taint; empty accepts all.
  operator 2 string: Exists or Equal.
  value 3 string: Value of the taint, for Equal.
  effect 4 string: NoSchedule, PreferNoSchedule or NoExecute.
  tolerationSeconds 5 *int64: For how long.
Container: One container.
  name 1 string required: Its name.
  image 2 string: The image it is made from.
  command 3 []string atomic: What is run in place of the image's entry point.
  args 4 []string atomic: Arguments of the command.
  workingDir 5 string: The folder it starts in.
  ports 6 []ContainerPort map=containerPort,protocol merge=containerPort: Ports it answers on.
  env 7 []EnvVar map=name merge=name: Variables of its environment.
  resources 8 ResourceRequirements: What it needs and may use.
  volumeMounts 9 []VolumeMount map=mountPath merge=mountPath: Volumes and where it sees them.
  terminationMessagePath 13 string: File of its last words.
  imagePullPolicy 14 string: Always, IfNotPresent or Never.
  stdin 16 bool: Whether it has an open input.
  stdinOnce 17 bool: Whether that closes after the first client.
  tty 18 bool: Whether it has a terminal.
  envFrom 19 []EnvFromSource atomic: Whole objects as variables.
  terminationMessagePolicy 20 string: File or FallbackToLogsOnError.
ContainerPort: A port of a container.
  name 1 string: Its name.
  hostPort 2 int32: Its number on the machine.
  containerPort 3 int32 required: Its number.
  protocol 4 string default="TCP": TCP, UDP or SCTP.
  hostIP 5 string: The address of the machine to answer on.
EnvVar: A variable.
  name 1 string required: Its name.
  value 2 string: Its value.
  valueFrom 3 *EnvVarSource: Where its value comes from.
EnvVarSource: One of the places values come from.
  fieldRef 1 *ObjectFieldSelector: A field of the pod.
  configMapKeyRef 3 *KeySelector: A key of a ConfigMap.
  secretKeyRef 4 *KeySelector: A key of a Secret.
ObjectFieldSelector atomic: A field of an object.
  apiVersion 1 string: The version the path is meant for.
  fieldPath 2 string required: The path.
KeySelector atomic: A key of an object in the same namespace.
  localObjectReference 1 LocalObjectReference inline
  key 2 string required: The key.
  optional 3 *bool: Whether it may be missing.
EnvFromSource: An object whose keys become variables.
  prefix 1 string: What the names begin with.
  configMapRef 2 *ObjectSource: A ConfigMap.
  secretRef 3 *ObjectSource: A Secret.
ObjectSource: An object in the same namespace.
  localObjectReference 1 LocalObjectReference inline
  optional 2 *bool: Whether it may be missing.
ResourceRequirements: What a container needs and may use.
  limits 1 {}quantity: The most it may use.
  requests 2 {}quantity: What it needs at least.
VolumeMount: A volume in a container.
  name 1 string required: The volume.
  readOnly 2 bool: Whether it may only be read.
  mountPath 3 string required: Where it is seen.
  subPath 4 string: The part that is seen.
Volume: Files that containers share.
  name 1 string required: Its name.
  volumeSource 2 VolumeSource inline
VolumeSource: One of the places files come from.
  emptyDir 2 *EmptyDirVolumeSource: A folder that begins empty.
  secret 6 *SecretVolumeSource: The keys of a Secret.
  configMap 19 *ConfigMapVolumeSource: The keys of a ConfigMap.
EmptyDirVolumeSource: A folder that begins empty.
  medium 1 string: Empty, or Memory.
  sizeLimit 2 *quantity: How large it may get.
SecretVolumeSource: The keys of a Secret as files.
  secretName 1 string: The Secret.
  items 2 []KeyToPath atomic: The keys wanted, all when none is named.
  defaultMode 3 *int32: Mode of the files.
  optional 4 *bool: Whether it may be missing.
ConfigMapVolumeSource: The keys of a ConfigMap as files.
  localObjectReference 1 LocalObjectReference inline
  items 2 []KeyToPath atomic: The keys wanted, all when none is named.
  defaultMode 3 *int32: Mode of the files.
  optional 4 *bool: Whether it may be missing.
KeyToPath: A key as a file.
  key 1 string required: The key.
  path 2 string required: The file.
  mode 3 *int32: Mode of the file.
"""
