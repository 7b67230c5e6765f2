"""Objects that cannot be are refused when they are written, with the fields that are wrong."""

from __future__ import annotations

from portway.apis import platform, portal
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.controllers.vetting import Vetting
from portway.krm.errors import invalid

_GROUPS = (platform.GROUP, portal.GROUP)


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
