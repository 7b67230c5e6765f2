"""Conditions and health, shared by every status."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from portway.apis.specs import Spec


class Condition(Spec):
    """metav1.Condition."""

    type: str
    status: str = Field(description="True, False or Unknown.")
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None
    observed_generation: int | None = None


class HealthState(StrEnum):
    HEALTHY = "healthy"
    PROGRESSING = "progressing"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"


class Status(Spec):
    """What every status has."""

    observed_generation: int | None = None
    conditions: list[Condition] = Field(
        default_factory=list,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


READY = "Ready"
"""The condition that every kind reports and that ``kubectl wait`` waits for."""
