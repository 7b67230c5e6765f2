"""resources.portway.dev: the claims that ResourceTypes define. One status and a few reserved spec fields for all."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from portway.apis import groups
from portway.apis.conditions import HealthState, Status
from portway.apis.platform import MatchLine, PlanSummary
from portway.apis.specs import OPEN, Spec

GROUP = groups.CLAIMS


class DeletionPolicy(StrEnum):
    DELETE = "Delete"
    RETAIN = "Retain"


class ClaimSpec(Spec):
    """The reserved fields; the type's own parameters stand beside them."""

    class_: str = Field(default="default", alias="class", description="Class of the resource; criteria match it.")
    id: str = Field(default="", description="Identity for sharing between workloads and for criteria.")
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.DELETE, description="Retain leaves the external thing when the claim goes."
    )


class Binding(Spec):
    """servicebinding.io Provisioned Service: name of the Secret with the credentials."""

    name: str = ""


class ClaimStatus(Status):
    definition: str = Field(default="", description="<workspace>/<name> of the chosen ResourceDefinition.")
    driver: str = ""
    match: list[MatchLine] = Field(default_factory=list, description="Every definition looked at, and why (not).")
    plan: PlanSummary | None = None
    health: HealthState = HealthState.UNKNOWN
    message: str = ""
    outputs: dict[str, Any] = Field(default_factory=dict, description="Public outputs.", json_schema_extra=OPEN)
    handle: dict[str, Any] = Field(
        default_factory=dict, description="External identifiers the driver remembers.", json_schema_extra=OPEN
    )
    binding: Binding | None = None
    requested_by: str = ""
