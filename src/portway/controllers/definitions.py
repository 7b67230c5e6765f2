"""ResourceDefinitions are checked when written: driver installed, inputs as it wants them, criteria not taken.

The check does not stand in the way of use: what is wrong shows in Ready, and a claim says why it did not match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pydantic

from portway.apis.platform import ResourceDefinitionSpec
from portway.apis.resources import RESOURCE_DEFINITIONS, RESOURCE_TYPES
from portway.client.contract import Client
from portway.controllers import lineages
from portway.controllers.choosing import Choosing
from portway.drivers.contract import Driver
from portway.kit.clocks import Clock
from portway.krm.identity import Manifest
from portway.orchestrator import inputs, matching, placeholders
from portway.orchestrator.matching import Candidate
from portway.runtime import conditions, objects, statuses
from portway.runtime.contract import Controller, Done, Request, Terminal, Watch

WORKLOAD = "workload"
"""The type of definitions that run workloads; it has no ResourceType."""


@dataclass(frozen=True, slots=True)
class DefinitionReconciler:
    choosing: Choosing
    client: Client
    clock: Clock

    async def reconcile(self, request: Request) -> Done:
        manifest = self.choosing.definitions.get(*request)
        if manifest is None or objects.is_deleting(manifest):
            return Done()
        spec = _spec(manifest)
        self._check_type(request.workspace, spec)
        driver = self._driver(spec)
        _check_inputs(spec, driver)
        self._check_criteria(request, spec)
        status = conditions.mark_ready(
            manifest.get("status") or {},
            generation=objects.generation_of(manifest),
            now=self.clock.now(),
            message=f"makes {spec.type} with driver {spec.driver}",
        )
        await statuses.write(self.client.at(request.workspace), RESOURCE_DEFINITIONS, manifest, status)
        return Done()

    def _check_type(self, workspace: str, spec: ResourceDefinitionSpec) -> None:
        known = {WORKLOAD, *self.choosing.types_in(workspace)}
        if spec.type not in known:
            message = f"there is no ResourceType {spec.type} in {workspace} or above; there are " + _listed(known)
            raise Terminal("NoResourceType", message)

    def _driver(self, spec: ResourceDefinitionSpec) -> Driver:
        driver = self.choosing.drivers.get(spec.driver)
        if driver is None:
            known = _listed(self.choosing.drivers)
            raise Terminal("DriverNotInstalled", f"driver {spec.driver} is not installed; installed are {known}")
        return driver

    def _check_criteria(self, request: Request, spec: ResourceDefinitionSpec) -> None:
        own = Candidate(request.workspace, request.name, spec)
        others = [
            Candidate(request.workspace, objects.name_of(m), found)
            for m in self.choosing.definitions.list(request.workspace)
            if objects.name_of(m) != request.name and (found := _spec_or_none(m)) is not None
        ]
        for first, second, words in matching.duplicates([own, *others]):
            if own.title in (first.title, second.title):
                other = second if first.title == own.title else first
                message = f"{other.title} has the same criteria ({words}), so neither is chosen; change one of them"
                raise Terminal("CriteriaTaken", message)


def controller(choosing: Choosing, client: Client, clock: Clock) -> Controller:
    def siblings(manifest: Manifest) -> Iterator[Request]:
        place = objects.workspace_of(manifest)
        return (
            objects.key_of(d)
            for d in choosing.definitions.list(place)
            if objects.name_of(d) != objects.name_of(manifest)
        )

    def below(manifest: Manifest) -> Iterator[Request]:
        place = objects.workspace_of(manifest)
        return (
            objects.key_of(d) for d in choosing.definitions.list() if lineages.is_within(objects.workspace_of(d), place)
        )

    reconciler = DefinitionReconciler(choosing, client, clock)
    watches = (Watch(RESOURCE_DEFINITIONS, siblings), Watch(RESOURCE_TYPES, below))
    return Controller("definitions", RESOURCE_DEFINITIONS, reconciler, watches, workers=2)


def _spec(manifest: Manifest) -> ResourceDefinitionSpec:
    try:
        return ResourceDefinitionSpec.read(manifest.get("spec"))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise Terminal("InvalidSpec", f"spec.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _spec_or_none(manifest: Manifest) -> ResourceDefinitionSpec | None:
    try:
        return ResourceDefinitionSpec.read(manifest.get("spec"))
    except pydantic.ValidationError:
        return None


def _check_inputs(spec: ResourceDefinitionSpec, driver: Driver) -> None:
    problems = inputs.check(spec.inputs)
    if problems:
        raise Terminal("InvalidInputs", "spec.inputs: " + "; ".join(problems))
    schema = dict(driver.schema())
    for error in jsonschema_rs.validator_for(schema).iter_errors(spec.inputs):
        path = list(error.instance_path)
        if _stands_for_anything(spec.inputs, path):
            continue  # its value is known only with a claim
        where = ".".join(("spec.inputs", *map(str, path)))
        raise Terminal("InvalidInputs", f"{where}: {error.message} (driver {driver.name})")


def _stands_for_anything(value: Any, path: list[str | int]) -> bool:
    for key in path:
        value = value[key]
    return next(placeholders.references(value), None) is not None if isinstance(value, str) else False


def _listed(names: Mapping[str, Any] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
