"""What a template would make for given parameters, for the portal's review page and the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portway.apis.portal import TemplateReference
from portway.client.contract import Client
from portway.controllers.templateruns import finding
from portway.kit.clocks import Clock
from portway.runtime import objects
from portway.runtime.contract import Lister
from portway.scaffolder import previewing
from portway.scaffolder.contract import Action, ActionContext, ActionFailed, Requester, Services
from portway.scaffolder.folders import Folder
from portway.scaffolder.previewing import Preview
from portway.scaffolder.templates import Problem

_NOWHERE = Folder(Path("/nonexistent"))


@dataclass(frozen=True, slots=True)
class Previewer:
    templates: Lister
    actions: Mapping[str, Action]
    services: Services
    clock: Clock

    async def preview(
        self, client: Client, workspace: str, reference: TemplateReference, parameters: Mapping[str, Any]
    ) -> Preview:
        """Files and problems; never raises for what the user can cause. ``client`` is the user's own."""
        try:
            found = await finding.fetch(client, self.templates, workspace, reference)
            template = finding.usable(found, dict(self.actions))
        except ActionFailed as error:
            return Preview({}, (), (Problem(("template",), str(error)),))
        now = self.clock.now()
        context = ActionContext(
            workspace=workspace,
            run="preview",
            uid="preview",
            folder=_NOWHERE,
            location=objects.annotation(found, "backstage.io/managed-by-location"),
            client=client.at(workspace),
            requester=Requester(""),
            services=self.services,
            now=now,
            started_at=now,
            dry_run=True,
        )
        return await previewing.render(template, parameters, self.actions, context)
