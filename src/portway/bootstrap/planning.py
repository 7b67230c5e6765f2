"""Server-side dry run of claims: the answer's status says which definition would make it, the steps and the price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portway.apis import groups
from portway.apiserver.admission.contract import AdmissionRequest, Operation

if TYPE_CHECKING:
    from portway.controllers.claims.planning import ClaimPlanner


class PlanOnDryRun:
    """An admission step. ``planner`` is set once the controllers are composed; until then nothing is planned."""

    def __init__(self) -> None:
        self.planner: ClaimPlanner | None = None

    async def admit(self, request: AdmissionRequest) -> None:
        wanted = request.dry_run and request.object is not None and not request.subresource
        if self.planner is None or not wanted or request.operation is Operation.DELETE:
            return
        if request.resource.served.gvk.group != groups.CLAIMS or request.object is None:
            return
        request.object["status"] = await self.planner.plan(request.tenant.path, request.object)
