"""From a claim to what a driver is told: the type it is of, its context, the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portway.apis.claims import ClaimSpec
from portway.controllers.choosing import Choosing, NamedType
from portway.drivers.contract import Target
from portway.krm.identity import Manifest
from portway.orchestrator import inputs, placeholders
from portway.orchestrator.matching import Candidate, Context
from portway.runtime import objects
from portway.runtime.contract import Terminal


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim, read once."""

    workspace: str
    manifest: Manifest
    spec: ClaimSpec
    type: NamedType

    @property
    def status(self) -> Manifest:
        return self.manifest.get("status") or {}

    @property
    def title(self) -> str:
        return f"{self.type.spec.kind} {objects.name_of(self.manifest)}"


def read(choosing: Choosing, workspace: str, manifest: Manifest) -> Asked:
    """Raises ``Terminal`` when the type of the claim is gone."""
    kind = str(manifest.get("kind"))
    found = choosing.type_of_kind(workspace, kind)
    if found is None:
        message = f"there is no ResourceType with kind {kind} in {workspace} or above; it was removed"
        raise Terminal("NoResourceType", message)
    return Asked(workspace, manifest, ClaimSpec.read(manifest.get("spec")), found)


def context_of(choosing: Choosing, asked: Asked) -> Context:
    namespace = objects.namespace_of(asked.manifest)
    return choosing.context(asked.workspace, namespace, asked.type.name, class_=asked.spec.class_, id_=asked.spec.id)


def target_of(
    asked: Asked, candidate: Candidate | None, context: Context, secrets: Mapping[str, str], *, uid: str = ""
) -> Target:
    """Without a definition (it was deleted) there are no inputs. Raises ``Terminal`` for inputs that do not resolve."""
    return Target(
        uid=uid or objects.uid_of(asked.manifest),
        kind=asked.type.name,
        workspace=asked.workspace,
        namespace=objects.namespace_of(asked.manifest),
        name=objects.name_of(asked.manifest),
        inputs=_inputs(asked, candidate, context) if candidate is not None else {},
        secrets=secrets,
        known=asked.status.get("handle") or {},
    )


def _inputs(asked: Asked, candidate: Candidate, context: Context) -> dict[str, Any]:
    try:
        return inputs.fill(candidate.spec.inputs, asked.manifest, context)
    except placeholders.Unresolved as error:
        where = ".".join(map(str, error.path))
        raise Terminal("InvalidInputs", f"{candidate.title}, input {where}: {error.message}") from error
