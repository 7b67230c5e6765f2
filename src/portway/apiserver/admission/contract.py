"""What an admission step is. Steps are composed in bootstrap; each sees every write."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from portway.apiserver.resources import Resource
from portway.apiserver.tenants import Tenant
from portway.apiserver.users import User
from portway.krm.identity import Manifest
from portway.store.contract import Change


class Operation(StrEnum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(slots=True)
class AdmissionRequest:
    """``object`` is the new state (None on DELETE) and may be changed in place by mutating steps."""

    operation: Operation
    resource: Resource
    subresource: str
    tenant: Tenant
    user: User
    name: str
    namespace: str
    object: Manifest | None
    old: Manifest | None
    dry_run: bool
    warnings: list[str] = field(default_factory=list)
    """Text for the client; sent as Warning headers."""
    annotations: dict[str, str] = field(default_factory=dict)
    """What admission has to say in the audit log."""
    also: list[Change] = field(default_factory=list)
    """Further writes of the same atomic commit (a new workspace's contents)."""


class Admission(Protocol):
    async def admit(self, request: AdmissionRequest) -> None:
        """Change ``request.object`` in place, or raise StatusError to refuse."""
