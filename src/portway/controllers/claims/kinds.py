"""A controller per claim kind, started when its ResourceType is served and stopped when the last one is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from portway.apis.installing import plural_of
from portway.apis.platform import ResourceTypeSpec
from portway.apis.resources import ENVIRONMENTS, RESOURCE_DEFINITIONS, RESOURCE_TYPES, claim
from portway.client.contract import Resource
from portway.controllers import lineages
from portway.controllers.calling import Deadlines
from portway.controllers.choosing import Choosing
from portway.controllers.claims.reconciling import ClaimReconciler
from portway.kit.clocks import Clock
from portway.krm.identity import Manifest
from portway.runtime import objects
from portway.runtime.contract import Controller, Lister, Request, Runtime, Watch
from portway.runtime.events import EventRecorder


def resource_of(spec: ResourceTypeSpec) -> Resource:
    """The resource of a type's claims."""
    return claim(plural_of(spec), spec.kind, spec.versions[0].name)


@dataclass(frozen=True, slots=True)
class ClaimKinds:
    runtime: Runtime
    choosing: Choosing
    clock: Clock
    deadlines: Deadlines = field(default_factory=Deadlines)

    def start(self, spec: ResourceTypeSpec) -> None:
        """Again is nothing: types of the same kind in several workspaces share one controller."""
        self.runtime.add(self.controller(resource_of(spec)))

    def stop(self, spec: ResourceTypeSpec) -> None:
        self.runtime.remove(_name(resource_of(spec)))

    def claims(self, spec: ResourceTypeSpec) -> Lister:
        return self.runtime.lister(resource_of(spec))

    def controller(self, resource: Resource) -> Controller:
        name, claims = _name(resource), self.runtime.lister(resource)
        reconciler = ClaimReconciler(
            resource=resource,
            claims=claims,
            client=self.runtime.client,
            choosing=self.choosing,
            events=EventRecorder(self.runtime.client, name, clock=self.clock),
            clock=self.clock,
            deadlines=self.deadlines,
        )

        def below(manifest: Manifest) -> Iterator[Request]:
            place = objects.workspace_of(manifest)
            return (objects.key_of(c) for c in claims.list() if lineages.is_within(objects.workspace_of(c), place))

        def of_type(manifest: Manifest) -> Iterator[Request]:
            types = {t.name for t in self.choosing.types_in(objects.workspace_of(manifest)).values()
                     if t.spec.kind == resource.kind}  # fmt: skip
            return below(manifest) if manifest.get("spec", {}).get("type") in types else iter(())

        def inside(manifest: Manifest) -> Iterator[Request]:
            place, environment = objects.workspace_of(manifest), objects.name_of(manifest)
            return (objects.key_of(c) for c in claims.list(place, environment))

        def of_kind(manifest: Manifest) -> Iterator[Request]:
            return below(manifest) if manifest.get("spec", {}).get("kind") == resource.kind else iter(())

        watches = (
            Watch(RESOURCE_DEFINITIONS, of_type),
            Watch(RESOURCE_TYPES, of_kind),
            Watch(ENVIRONMENTS, inside),
        )
        return Controller(name, resource, reconciler, watches)


def _name(resource: Resource) -> str:
    return f"claims: {resource.kind} {resource.version}"
