"""Finds what applies in a workspace: its definitions, resource types and environments, and chooses a definition.

Reads the informers' caches only. A workspace sees its own definitions and types and those of its ancestors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pydantic

from portway.apis.platform import EnvironmentSpec, ResourceDefinitionSpec, ResourceTypeSpec
from portway.apis.resources import ENVIRONMENTS, RESOURCE_DEFINITIONS, RESOURCE_TYPES
from portway.controllers import lineages
from portway.drivers.contract import Driver
from portway.krm.identity import Manifest
from portway.orchestrator import matching
from portway.orchestrator.matching import Candidate, Context, Match
from portway.runtime import objects
from portway.runtime.contract import Lister, Runtime


@dataclass(frozen=True, slots=True)
class NamedType:
    """A ResourceType that a workspace can use."""

    workspace: str
    name: str
    spec: ResourceTypeSpec


@dataclass(frozen=True, slots=True)
class Choosing:
    """``drivers`` are the installed ones, by name."""

    definitions: Lister
    types: Lister
    environments: Lister
    drivers: Mapping[str, Driver]

    @classmethod
    def of(cls, runtime: Runtime, drivers: Mapping[str, Driver]) -> Choosing:
        return cls(
            runtime.lister(RESOURCE_DEFINITIONS),
            runtime.lister(RESOURCE_TYPES),
            runtime.lister(ENVIRONMENTS),
            drivers,
        )

    def context(self, workspace: str, namespace: str, type_: str, *, class_: str, id_: str) -> Context:
        """The namespace is the environment; one that is not an Environment has no type."""
        environment = self.environments.get(workspace, "", namespace)
        env_type = EnvironmentSpec.read(environment.get("spec")).type if environment else ""
        return Context(type_, workspace, namespace, env_type, class_ or "default", id_)

    def match(self, context: Context) -> Match:
        return matching.match(context, list(self.candidates(context.workspace)))

    def candidates(self, workspace: str) -> Iterator[Candidate]:
        """Definitions in sight, nearest first."""
        for distance, place in enumerate(lineages.upward(workspace)):
            for manifest in self.definitions.list(place):
                if (candidate := self._candidate(place, manifest, distance)) is not None:
                    yield candidate

    def definition(self, title: str) -> Candidate | None:
        """By ``<workspace>/<name>``, as a claim's status has it."""
        workspace, _, name = title.rpartition("/")
        manifest = self.definitions.get(workspace, "", name)
        return self._candidate(workspace, manifest, 0) if manifest is not None else None

    def types_in(self, workspace: str) -> dict[str, NamedType]:
        """Name → type; the nearest wins."""
        found: dict[str, NamedType] = {}
        for place in lineages.upward(workspace):
            for manifest in self.types.list(place):
                name = objects.name_of(manifest)
                spec = _type_spec(manifest)
                if spec is not None and name not in found:
                    found[name] = NamedType(place, name, spec)
        return found

    def type_of_kind(self, workspace: str, kind: str) -> NamedType | None:
        return next((t for t in self.types_in(workspace).values() if t.spec.kind == kind), None)

    def _candidate(self, workspace: str, manifest: Manifest, distance: int) -> Candidate | None:
        try:
            spec = ResourceDefinitionSpec.read(manifest.get("spec"))
        except pydantic.ValidationError:
            return None
        problem = "" if spec.driver in self.drivers else f"its driver {spec.driver} is not installed"
        if objects.is_deleting(manifest):
            problem = "it is being deleted"
        return Candidate(workspace, objects.name_of(manifest), spec, distance, problem)


def _type_spec(manifest: Manifest) -> ResourceTypeSpec | None:
    try:
        return ResourceTypeSpec.read(manifest.get("spec"))
    except pydantic.ValidationError:
        return None
