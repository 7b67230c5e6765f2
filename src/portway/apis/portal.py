"""portal.portway.dev/v1alpha1: templates and their runs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from portway.apis import groups
from portway.apis.conditions import Status
from portway.apis.platform import Phase, StepStatus
from portway.apis.specs import OPEN, Spec

GROUP = groups.PORTAL
VERSION = groups.VERSION


class TemplateSpec(Spec):
    """Backstage's Template spec (scaffolder.backstage.io/v1beta3), verbatim."""

    type: str = "service"
    owner: str | None = None
    parameters: Any = Field(default=None, description="A JSON Schema page or a list of them.", json_schema_extra=OPEN)
    steps: list[dict[str, Any]] = Field(default_factory=list, json_schema_extra={"items": {"type": "object", **OPEN}})
    output: dict[str, Any] = Field(default_factory=dict, json_schema_extra=OPEN)


class TemplateStatus(Status):
    pass


class TemplateReference(Spec):
    name: str
    namespace: str = "default"
    workspace: str = Field(default="", description="Workspace path of the Template; empty: own or nearest ancestor.")


class TemplateRunSpec(Spec):
    """One use of a template. Its workspace is the team's; everything it makes is made there, as its requester."""

    template: TemplateReference
    parameters: dict[str, Any] = Field(default_factory=dict, json_schema_extra=OPEN)
    cancelled: bool = False


class OutputLink(Spec):
    title: str = ""
    url: str = ""
    icon: str = ""
    entity_ref: str = ""


class OutputText(Spec):
    title: str = ""
    content: str = ""


class RunOutput(Spec):
    links: list[OutputLink] = Field(default_factory=list)
    text: list[OutputText] = Field(default_factory=list)


class TemplateRunStatus(Status):
    phase: Phase = Phase.PENDING
    message: str = ""
    steps: list[StepStatus] = Field(default_factory=list)
    output: RunOutput | None = None
    started_at: str | None = None
    finished_at: str | None = None
