"""Objects that cannot be are refused when they are written, with the fields that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portway.apis import groups
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.krm.errors import invalid

if TYPE_CHECKING:
    from portway.controllers.vetting import Vetting

_GROUPS = (groups.PLATFORM, groups.PORTAL)


class VetOnWrite:
    """An admission step. ``vetting`` is set once the controllers are composed."""

    def __init__(self) -> None:
        self.vetting: Vetting | None = None

    async def admit(self, request: AdmissionRequest) -> None:
        served, manifest = request.resource.served, request.object
        if self.vetting is None or manifest is None or request.subresource or request.operation is Operation.DELETE:
            return
        if served.gvk.group not in _GROUPS or (request.old or {}).get("spec") == manifest.get("spec"):
            return
        if causes := self.vetting.causes(request.tenant.path, manifest):
            raise invalid(served.gvk.kind, request.name, causes, served.gvk.group)
