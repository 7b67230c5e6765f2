"""What every verb works with; composed once by ``ApiServer``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from portway.apiserver import clocks
from portway.apiserver.accounts import ServiceAccountTokens
from portway.apiserver.admission.contract import Admission, AdmissionRequest
from portway.apiserver.admission.quota import Quotas
from portway.apiserver.authn import Authenticator
from portway.apiserver.authorizing import Authorizer
from portway.apiserver.conversions import Conversions
from portway.apiserver.registry import Registry
from portway.apiserver.settings import Settings
from portway.apiserver.storing import Storage
from portway.apiserver.tenants import Tenants
from portway.apiserver.workspacetypes import WorkspaceTypes


@dataclass(slots=True)
class Context:
    storage: Storage
    tenants: Tenants
    registry: Registry
    types: WorkspaceTypes
    authenticator: Authenticator
    authorizer: Authorizer
    accounts: ServiceAccountTokens
    settings: Settings
    quotas: Quotas
    now: clocks.Now
    conversions: Conversions = field(default_factory=Conversions)
    mutating: Sequence[Admission] = ()
    """Before defaults and validation."""
    validating: Sequence[Admission] = ()
    """After validation, last before the commit."""
    plan_admissions: list[Admission] = field(default_factory=list)
    """Further steps of bootstrap, after all built-in ones."""

    async def mutate(self, request: AdmissionRequest) -> None:
        for step in self.mutating:
            await step.admit(request)

    async def validate(self, request: AdmissionRequest) -> None:
        for step in (*self.validating, *self.plan_admissions):
            await step.admit(request)
