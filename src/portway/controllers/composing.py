"""Makes all controllers from their collaborators; bootstrap is the one caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portway.apis.resources import API_EXPORTS, ENVIRONMENTS, RESOURCE_TYPES, WORKSPACES
from portway.controllers import definitions, environments
from portway.controllers.choosing import Choosing
from portway.controllers.claims.kinds import ClaimKinds
from portway.controllers.claims.planning import ClaimPlanner
from portway.controllers.resourcetypes import inheriting, reconciling
from portway.drivers.contract import Driver
from portway.kit.clocks import Clock
from portway.runtime.contract import Controller, Runtime


@dataclass(frozen=True, slots=True)
class Controllers:
    """What bootstrap gets: ``controllers`` for ``runtime.run``, ``planner`` for dry runs."""

    controllers: Sequence[Controller]
    planner: ClaimPlanner


def compose(runtime: Runtime, drivers: Mapping[str, Driver], clock: Clock) -> Controllers:
    choosing = Choosing.of(runtime, drivers)
    client = runtime.client
    kinds = ClaimKinds(runtime, choosing, clock)
    return Controllers(
        controllers=(
            reconciling.controller(runtime.lister(RESOURCE_TYPES), client, kinds, clock),
            inheriting.controller(runtime.lister(WORKSPACES), runtime.lister(API_EXPORTS), client),
            environments.controller(runtime.lister(ENVIRONMENTS), client, clock),
            definitions.controller(choosing, client, clock),
        ),
        planner=ClaimPlanner(choosing, clock),
    )
