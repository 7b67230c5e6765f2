"""Makes all controllers from their collaborators; bootstrap is the one caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portway.apis.resources import API_EXPORTS, ENVIRONMENTS, RESOURCE_TYPES, TEMPLATES, WORKSPACES
from portway.controllers import definitions, environments
from portway.controllers.choosing import Choosing
from portway.controllers.claims.kinds import ClaimKinds
from portway.controllers.claims.planning import ClaimPlanner
from portway.controllers.pipelineruns import reconciling as pipelineruns
from portway.controllers.pipelineruns.pushes import Pushes, ensure_run
from portway.controllers.resourcetypes import inheriting
from portway.controllers.resourcetypes import reconciling as resourcetypes
from portway.controllers.templateruns import reconciling as templateruns
from portway.controllers.templateruns.previewing import Previewer
from portway.controllers.templateruns.registering import CatalogObjects
from portway.controllers.vetting import Vetting
from portway.controllers.workloads import reconciling as workloads
from portway.drivers.contract import Driver
from portway.drivers.services import Jobs, Repositories, Sources
from portway.kit.clocks import Clock
from portway.runtime.contract import Controller, Runtime
from portway.scaffolder.actions import built_in
from portway.scaffolder.contract import Services


@dataclass(frozen=True, slots=True)
class Controllers:
    """What bootstrap gets: ``controllers`` for ``runtime.run``, ``planner`` for dry runs, ``pushes``
    for the git server, ``previewer`` for templates,
    ``vetting`` for admission.
    """

    controllers: Sequence[Controller]
    planner: ClaimPlanner
    pushes: Pushes
    previewer: Previewer
    vetting: Vetting


@dataclass(frozen=True, slots=True)
class Collaborators:
    """``runs`` is the folder in which template runs have their scratch folders."""

    drivers: Mapping[str, Driver]
    repositories: Repositories
    jobs: Jobs
    sources: Sources
    runs: Path


def compose(runtime: Runtime, given: Collaborators, clock: Clock) -> Controllers:
    drivers, repositories, jobs = given.drivers, given.repositories, given.jobs
    choosing = Choosing.of(runtime, drivers)
    client = runtime.client
    kinds = ClaimKinds(runtime, choosing, clock)
    services = Services(given.sources, repositories, CatalogObjects(), ensure_run)
    return Controllers(
        controllers=(
            resourcetypes.controller(runtime.lister(RESOURCE_TYPES), client, kinds, clock),
            inheriting.controller(runtime.lister(WORKSPACES, inheriting.kept), runtime.lister(API_EXPORTS), client),
            environments.controller(runtime.lister(ENVIRONMENTS), client, clock),
            definitions.controller(choosing, client, clock),
            workloads.controller(runtime, choosing, repositories, clock),
            pipelineruns.controller(runtime, repositories, jobs, clock),
            templateruns.controller(runtime, services, given.runs, clock),
        ),
        planner=ClaimPlanner(choosing, clock),
        pushes=Pushes(client, repositories),
        previewer=Previewer(runtime.lister(TEMPLATES), built_in(), services, clock),
        vetting=Vetting(runtime.lister(TEMPLATES), built_in()),
    )
