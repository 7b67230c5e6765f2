"""platform.portway.dev/v1alpha1: what can be asked for, how it is made, and what runs where."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from portway.apis import groups
from portway.apis.conditions import HealthState, Status
from portway.apis.specs import OPEN, Spec

GROUP = groups.PLATFORM
VERSION = groups.VERSION


# --- ResourceType -------------------------------------------------------------------------------------------


class Output(Spec):
    """One output of a resource type, referred to as ``${resources.<alias>.<output>}``."""

    description: str = ""
    secret: bool = Field(default=False, description="Kept in the binding Secret only.")


class ResourceTypeVersion(Spec):
    name: str = Field(
        description="API version of the claim, such as v1.",
        pattern=r"^v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$",
    )
    schema_: dict[str, Any] = Field(
        alias="schema",
        description="Structural JSON Schema of the claim's parameters (its spec).",
        json_schema_extra=OPEN,
    )


class ResourceTypeSpec(Spec):
    """Something a developer can ask for. It makes a claim kind in resources.portway.dev."""

    kind: str = Field(description="Kind of the claim, such as Postgres.", pattern=r"^[A-Z][A-Za-z0-9]*$")
    plural: str = Field(default="", description="Plural in URLs; by default the lower-cased kind with s or es.")
    short_names: list[str] = Field(default_factory=list)
    title: str = Field(default="", description="Name on the request page, such as PostgreSQL database.")
    description: str = ""
    icon: str = Field(default="", description="Name of a Tabler icon.")
    versions: list[ResourceTypeVersion] = Field(
        min_length=1, description="The first is stored and served; one for now."
    )
    outputs: dict[str, Output] = Field(default_factory=dict)
    binding_type: str = Field(
        default="",
        description="servicebinding.io type of the credentials Secret; empty means no credentials.",
    )
    requestable: bool = Field(default=True, description="Shown on the portal's request page.")


class ResourceTypeStatus(Status):
    claim_api: str = Field(default="", description="<plural>.<group>/<version> once it is served.")


# --- ResourceDefinition -------------------------------------------------------------------------------------


class Criteria(Spec):
    """Every field that is set must be equal. The more specific set of fields wins.

    Specificity, least first: class, envType, workspace, environment, resourceId.
    """

    class_: str | None = Field(default=None, alias="class", description="Class asked for; default is `default`.")
    env_type: str | None = Field(default=None, description="Type of the environment, such as production.")
    workspace: str | None = Field(default=None, description="Workspace path of the claim.")
    environment: str | None = Field(default=None, description="Name of the environment.")
    resource_id: str | None = Field(default=None, description="Identity of the resource, such as shared.main-db.")


class Cost(Spec):
    monthly: float = Field(description="Estimated cost of one instance per month.")
    currency: str = "EUR"


class ResourceDefinitionSpec(Spec):
    """How a type of resource is made, and for which claims."""

    type: str = Field(description="Name of the ResourceType, or `workload` for a runtime.")
    driver: str = Field(description="Name of an installed driver, such as postgres.")
    criteria: list[Criteria] = Field(default_factory=list, description="Any of these must match; none means always.")
    inputs: dict[str, Any] = Field(
        default_factory=dict,
        description=(
            "Inputs of the driver; ${claim.spec.x}, ${claim.metadata.name} and "
            "${context.workspace|environment|envType|class|id} are filled in."
        ),
        json_schema_extra=OPEN,
    )
    cost: Cost | None = None
    version: str = Field(default="1.0.0", description="Semantic version of this way of making it.")
    description: str = ""


class ResourceDefinitionStatus(Status):
    active: int = Field(default=0, description="Claims made by it now.")


# --- Environment --------------------------------------------------------------------------------------------


class EnvironmentSpec(Spec):
    """A place to run things in; gives its Namespace of the same name."""

    type: str = Field(default="development", description="Kind of environment that criteria match, such as staging.")
    title: str = ""
    description: str = ""


class EnvironmentStatus(Status):
    namespace: str = ""


# --- Workload and Release -----------------------------------------------------------------------------------


class Source(Spec):
    """Where the code of a workload lies."""

    repository: str = Field(description="Name of a Repository claim in namespace default, or a git URL.")
    revision: str = Field(description="Commit (40 hexadecimal digits).")


class WorkloadSpec(Spec):
    """A Score workload in an environment."""

    score: dict[str, Any] = Field(description="A Score file (score.dev/v1b1), verbatim.", json_schema_extra=OPEN)
    source: Source | None = Field(default=None, description="Source of containers whose image is `.`.")
    class_: str = Field(default="default", alias="class", description="Class of the runtime asked for.")
    paused: bool = False


class Endpoint(Spec):
    name: str
    url: str


class WorkloadResource(Spec):
    """A Score resource of the workload and the claim made for it."""

    alias: str
    type: str
    class_: str = Field(default="default", alias="class")
    id: str = ""
    claim: str = Field(default="", description="<kind>/<name> of the claim in the same namespace.")
    ready: bool = False
    message: str = ""


class ContainerState(Spec):
    name: str
    state: str = Field(default="", description="starting, running, crashed, completed.")
    restarts: int = 0
    exit_code: int | None = None
    message: str = Field(default="", description="Last log lines of a crashed container.")


class WorkloadStatus(Status):
    health: HealthState = HealthState.UNKNOWN
    message: str = ""
    definition: str = Field(default="", description="Runtime definition that matched.")
    match: list[MatchLine] = Field(default_factory=list)
    resources: list[WorkloadResource] = Field(default_factory=list)
    endpoints: list[Endpoint] = Field(default_factory=list)
    containers: list[ContainerState] = Field(default_factory=list)
    release: str = Field(default="", description="Name of the Release that runs.")
    handle: dict[str, Any] = Field(default_factory=dict, json_schema_extra=OPEN)


class ReleaseSpec(Spec):
    """What ran where: immutable."""

    workload: str
    score: dict[str, Any] = Field(json_schema_extra=OPEN)
    source: Source | None = None
    resources: list[WorkloadResource] = Field(default_factory=list)
    requested_by: str = ""
    digest: str = Field(description="SHA-256 of Score, source and resource identities.")


class ReleaseStatus(Status):
    pass


# --- matching, plans (shared by claims and workloads) --------------------------------------------------------


class MatchLine(Spec):
    """One definition that was looked at."""

    definition: str = Field(description="<workspace>/<name>.")
    matched: bool = False
    chosen: bool = False
    reason: str = ""


class PlanStep(Spec):
    verb: str
    what: str
    before: dict[str, Any] = Field(default_factory=dict, json_schema_extra=OPEN)
    after: dict[str, Any] = Field(default_factory=dict, json_schema_extra=OPEN)


class PlanSummary(Spec):
    """What will be, or was, changed."""

    definition: str = ""
    driver: str = ""
    steps: list[PlanStep] = Field(default_factory=list)
    cost: Cost | None = None
    planned_at: str = ""


# --- Pipelines ----------------------------------------------------------------------------------------------


class Phase(StrEnum):
    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


FINISHED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED, Phase.SKIPPED})


class PipelineStep(Spec):
    name: str
    run: str = Field(description="Shell script, run with sh -e in the checkout.")
    env: dict[str, str] = Field(default_factory=dict)
    timeout_seconds: int = Field(default=600, ge=1, le=86400)


class Deploy(Spec):
    """What to do with the commit when all steps have passed."""

    environment: str
    score: str = Field(default="score.yaml", description="Path of the Score file in the repository.")


class PipelineSpec(Spec):
    """The content of `.portway/pipeline.yaml` in a repository (kind Pipeline)."""

    steps: list[PipelineStep] = Field(default_factory=list)
    deploy: Deploy | None = None
    branches: list[str] = Field(default_factory=lambda: ["main"], description="Branches whose pushes run it.")


class PipelineRunSpec(Spec):
    """One run for one commit. Without steps they are read from the repository at that commit."""

    repository: str = Field(description="Name of a Repository claim in the same namespace.")
    revision: str
    branch: str = "main"
    cancelled: bool = False


class StepStatus(Spec):
    id: str
    name: str = ""
    phase: Phase = Phase.PENDING
    started_at: str | None = None
    finished_at: str | None = None
    message: str = ""
    exit_code: int | None = None
    log: list[str] = Field(default_factory=list, description="Last lines (at most 200).")
    output: dict[str, Any] = Field(default_factory=dict, json_schema_extra=OPEN)


class PipelineRunStatus(Status):
    phase: Phase = Phase.PENDING
    message: str = ""
    steps: list[StepStatus] = Field(default_factory=list)
    workload: str = Field(default="", description="<namespace>/<name> of the Workload that was deployed.")
    started_at: str | None = None
    finished_at: str | None = None


WorkloadStatus.model_rebuild()


# --- Policy -------------------------------------------------------------------------------------------------


class PolicyAction(StrEnum):
    DENY = "Deny"
    WARN = "Warn"
    AUDIT = "Audit"


class PolicySpec(Spec):
    """Rules in Rego that requests of this workspace have to meet."""

    match: dict[str, Any] = Field(
        description="Requests it is about: fields of matchConstraints of a ValidatingAdmissionPolicy.",
        json_schema_extra=OPEN,
    )
    rego: str = Field(
        description="Module in Rego v1 with a set `deny` of messages; `input.request` is the admission request.",
        min_length=1,
    )
    actions: list[PolicyAction] = Field(
        default_factory=lambda: [PolicyAction.DENY], description="Deny, Warn, Audit: what a message does."
    )
    failure_policy: str = Field(
        default="Fail", description="Fail or Ignore, when it cannot be evaluated in time.", pattern="^(Fail|Ignore)$"
    )


class PolicyStatus(Status):
    pass
