"""What a driver is: four verbs over one external thing, all idempotent and crash-safe.

The orchestrator calls ``observe`` → ``plan`` → (policy, approval) → ``apply`` → ``observe`` …, and ``destroy`` until
``observe`` proves absence. A driver derives the external name from ``Target.uid`` so that doing it again finds it.
All drivers pass tests/conformance/test_drivers.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """The thing wanted: identity from the object, inputs from definition and claim, already resolved."""

    uid: str
    kind: str
    """Resource type: ``postgres``, ``repository``, ``workload``."""
    workspace: str
    namespace: str
    name: str
    inputs: Mapping[str, Any]
    """The definition's inputs with placeholders resolved; never secret values, except under ``secrets``."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secret inputs; a driver must not put them into plans, messages or states."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """What ``Observation.handle`` said last (external identifiers), empty the first time."""


class Health(StrEnum):
    HEALTHY = "healthy"
    PROGRESSING = "progressing"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """What is really there now."""

    exists: bool
    health: Health = Health.UNKNOWN
    message: str = ""
    """One sentence for the user when not healthy (exit code, last log lines, …)."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Public outputs, such as host, port, name, url."""
    handle: Mapping[str, Any] = field(default_factory=dict)
    """External identifiers to remember (no secrets)."""
    drift: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Field → (wanted, found)."""


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """One external change, in words a developer understands: ``create database payments_orders_db``."""

    verb: Verb
    what: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...]

    @property
    def is_empty(self) -> bool:
        return all(step.verb is Verb.NONE for step in self.steps)


@dataclass(frozen=True, slots=True)
class Applied:
    """Result of apply. ``secrets`` (credentials) go to the binding Secret and nowhere else."""

    observation: Observation
    secrets: Mapping[str, str] = field(default_factory=dict)
    """servicebinding.io keys: type, provider, host, port, username, password, database, uri."""


class DriverError(Exception):
    """A passing failure: the same call may succeed later."""

    def __init__(self, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Refused(DriverError):
    """Will not succeed until inputs change; nothing was done."""


class Driver(Protocol):
    """Every call has a deadline set by the caller and may be cancelled at any await."""

    name: str

    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of ``Target.inputs``, checked when a ResourceDefinition is written."""

    async def observe(self, target: Target) -> Observation: ...

    async def plan(self, target: Target, observed: Observation) -> Plan: ...

    async def apply(self, target: Target, plan: Plan) -> Applied: ...

    async def destroy(self, target: Target) -> None:
        """Begin removal; absent is success. Proof is a later ``observe`` with exists=False."""


class LogSource(Protocol):
    """Drivers whose things write logs."""

    def logs(self, target: Target, *, tail: int, follow: bool) -> AsyncIterator[str]:
        """Lines, oldest first, each prefixed by nothing."""
