"""The Score resources of one workload: claims written, waited for, and read as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portway.apis.claims import GROUP
from portway.apis.platform import WorkloadResource
from portway.apis.wellknown import MANAGED_BY, REQUESTED_BY, WORKLOAD_LABEL
from portway.client.contract import Client
from portway.controllers.choosing import Choosing, NamedType
from portway.controllers.claims import bindings
from portway.controllers.claims.kinds import resource_of
from portway.controllers.workloads import builtins
from portway.controllers.workloads.builtins import Outputs
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.orchestrator import placeholders
from portway.orchestrator.graph import Graph, Identity, Node
from portway.orchestrator.placeholders import Composite, Secret, Unresolved
from portway.runtime import conditions, objects
from portway.runtime.contract import Retry, Terminal

_MANAGER = "portway-workloads"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One resource: how it stands, and its values once it is ready."""

    shown: WorkloadResource
    outputs: Outputs | None = None
    secret_outputs: frozenset[str] = frozenset()
    """Outputs that only ever go by reference."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """In the order of need."""

    found: tuple[Requirement, ...]

    @property
    def shown(self) -> list[Manifest]:
        return [requirement.shown.write() for requirement in self.found]

    @property
    def waiting(self) -> WorkloadResource | None:
        """The first that is not ready: the root of all that follow."""
        return next((r.shown for r in self.found if not r.shown.ready), None)

    def lookup(self, metadata: Mapping[str, Any], secrets: dict[str, str]) -> placeholders.Lookup:
        """For Score's placeholders; secret values are put into ``secrets`` under the key that stands for them."""
        by_alias = {requirement.shown.alias: requirement for requirement in self.found}

        def look(reference: placeholders.Reference) -> Any:
            if reference[0] == "metadata":
                return placeholders.walk(metadata, reference[1:], of="metadata")
            if reference[0] != "resources" or len(reference) < 2:
                raise LookupError("references start with metadata or resources")
            if reference[1] not in by_alias:
                known = ", ".join(sorted(by_alias)) or "none"
                raise LookupError(f"there is no resource {reference[1]}; there are {known}")
            return _value(by_alias[reference[1]], reference[2:], secrets)

        return look


def _value(requirement: Requirement, reference: placeholders.Reference, secrets: dict[str, str]) -> Any:
    outputs = requirement.outputs or Outputs()
    alias = requirement.shown.alias
    if not reference:
        return outputs.itself
    name = reference[0]
    if name in outputs.plain and name not in requirement.secret_outputs:
        return placeholders.walk(outputs.plain, reference, of=f"resources.{alias}")
    if len(reference) == 1 and name in outputs.secret:
        key = f"{alias}.{name}"
        secrets[key] = outputs.secret[name]
        return Secret(key)
    known = ", ".join(sorted({*outputs.plain, *outputs.secret})) or "none"
    raise LookupError(f"resource {alias} has no output {name}; it has {known}")


@dataclass(frozen=True, slots=True)
class Asking:
    """Makes the claims of one workload and reads what came of them."""

    client: Client
    choosing: Choosing
    workspace: str
    workload: Manifest

    async def ask(self, graph: Graph, metadata: Mapping[str, Any]) -> Requirements:
        """Raises ``Terminal`` for types and placeholders that cannot be."""
        types = self.choosing.types_in(self.workspace)
        found: dict[Identity, Requirement] = {}
        for node in graph.nodes:
            found[node.identity] = await self._one(node, types, Requirements(tuple(found.values())), metadata)
        return Requirements(tuple(found.values()))

    async def forget(self, requirements: Requirements) -> None:
        """Delete claims of this workload that its Score file does not name any more."""
        kept = {requirement.shown.claim for requirement in requirements.found}
        labels = f"{WORKLOAD_LABEL}={objects.name_of(self.workload)}"
        namespace = objects.namespace_of(self.workload)
        for type_ in self.choosing.types_in(self.workspace).values():
            resource = resource_of(type_.spec)
            try:
                listing = await self.client.list(resource, namespace, labels=labels)
            except StatusError as error:
                if error.code == 404:
                    continue  # not served here
                raise
            for claim in listing.items:
                title = f"{type_.spec.kind}/{objects.name_of(claim)}"
                obsolete = title not in kept and objects.is_owned_by(claim, self.workload)
                if obsolete and not objects.is_deleting(claim):
                    await self.client.delete(resource, objects.name_of(claim), namespace, uid=objects.uid_of(claim))

    async def _one(
        self, node: Node, types: Mapping[str, NamedType], earlier: Requirements, metadata: Mapping[str, Any]
    ) -> Requirement:
        alias = node.asked_by[0][1]
        shown = WorkloadResource.read(
            {"alias": alias, "type": node.identity.type, "class": node.identity.class_, "id": node.identity.id}
        )
        needed = {earlier_one.shown.alias: earlier_one for earlier_one in earlier.found}
        for reference in placeholders.references(node.params):
            before = needed.get(reference[1]) if reference[0] == "resources" and len(reference) > 1 else None
            if before is not None and not before.shown.ready:
                return Requirement(shown.model_copy(update={"message": f"waits for {before.shown.alias}"}))
        params = self._params(node, earlier, metadata)
        if node.identity.type in types:
            return await self._claim(node, types[node.identity.type], params, shown)
        if node.identity.type not in builtins.NAMES:
            known = ", ".join(sorted({*types, *builtins.NAMES}))
            message = f"resources.{alias}.type: there is no resource type {node.identity.type}; there are {known}"
            raise Terminal("UnknownResourceType", message)
        try:
            outputs = await builtins.outputs(self.client, objects.namespace_of(self.workload), node.identity, params)
        except Retry as waiting:
            return Requirement(shown.model_copy(update={"message": waiting.message}))
        return Requirement(shown.model_copy(update={"ready": True}), outputs)

    def _params(self, node: Node, earlier: Requirements, metadata: Mapping[str, Any]) -> dict[str, Any]:
        alias = node.asked_by[0][1]
        try:
            params = placeholders.resolve(dict(node.params), earlier.lookup(metadata, {}), typed=True)
        except Unresolved as error:
            where = ".".join(map(str, ("resources", alias, "params", *error.path)))
            raise Terminal("InvalidPlaceholder", f"{where}: {error.message}") from error
        if _has_secret(params):
            raise Terminal("InvalidPlaceholder", f"resources.{alias}.params: a secret must not stand in params")
        return dict(params)

    async def _claim(
        self, node: Node, type_: NamedType, params: Mapping[str, Any], shown: WorkloadResource
    ) -> Requirement:
        resource = resource_of(type_.spec)
        wanted = self._manifest(node, type_, params)
        name, namespace = objects.name_of(wanted), objects.namespace_of(self.workload)
        shown = shown.model_copy(update={"claim": f"{type_.spec.kind}/{name}"})
        try:
            live: Manifest | None = await self.client.get(resource, name, namespace)
        except StatusError as error:
            if error.code != 404:
                raise
            live = None
        if live is None:
            live = await self._create(wanted, type_, name)
        else:
            self._check_shareable(node, type_, live, wanted)
            if node.shared:
                wanted["metadata"].pop("annotations", None)  # it keeps the name of who asked first
            if not _contains(live, wanted):
                live = await self.client.apply(resource, wanted, manager=_MANAGER)
        if objects.is_deleting(live):
            return Requirement(
                shown.model_copy(update={"message": f"a former {type_.spec.kind} {name} is being removed"})
            )
        if not conditions.is_true(live):
            said = conditions.get(live, "Ready") or {}
            message = f"{said.get('reason', '')}: {said.get('message', '')}" if said.get("message") else "is being made"
            return Requirement(shown.model_copy(update={"message": message}))
        return await self._ready(shown, type_, live)

    async def _create(self, wanted: Manifest, type_: NamedType, name: str) -> Manifest:
        resource = resource_of(type_.spec)
        try:
            return await self.client.apply(resource, wanted, manager=_MANAGER)
        except StatusError as error:
            if error.code == 404:
                message = f"{resource.plural}.{GROUP} is not served in {self.workspace} yet"
                raise Retry("TypeNotServed", message, 0.3) from error
            if error.code == 422:
                raise Terminal("InvalidParams", f"{type_.spec.kind} {name}: {error.message}") from error
            raise

    async def _ready(self, shown: WorkloadResource, type_: NamedType, live: Manifest) -> Requirement:
        status = live.get("status") or {}
        secret: dict[str, str] = {}
        binding = (status.get("binding") or {}).get("name")
        if binding:
            found = await bindings.find(self.client, binding, objects.namespace_of(live))
            secret = found or {}
        outputs = Outputs(status.get("outputs") or {}, secret, shown.claim)
        hidden = frozenset(name for name, output in type_.spec.outputs.items() if output.secret)
        return Requirement(shown.model_copy(update={"ready": True}), outputs, hidden)

    def _manifest(self, node: Node, type_: NamedType, params: Mapping[str, Any]) -> Manifest:
        resource = resource_of(type_.spec)
        metadata: Manifest = {
            "name": claim_name(objects.name_of(self.workload), node),
            "namespace": objects.namespace_of(self.workload),
            "labels": {MANAGED_BY: "portway"},
        }
        if by := objects.annotation(self.workload, REQUESTED_BY):
            metadata["annotations"] = {REQUESTED_BY: by}
        if not node.shared:
            metadata["labels"][WORKLOAD_LABEL] = objects.name_of(self.workload)
            metadata["ownerReferences"] = [objects.owner_reference(self.workload)]
        spec = {**params, "class": node.identity.class_, "id": node.identity.id}
        return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": spec}

    def _check_shareable(self, node: Node, type_: NamedType, live: Manifest, wanted: Manifest) -> None:
        title = f"{type_.spec.kind} {objects.name_of(live)}"
        if not node.shared:
            if not objects.is_owned_by(live, self.workload):
                raise Terminal(
                    "ClaimNameTaken", f"{title} exists already and is not of this workload; delete it or rename one"
                )
            return
        asked = {k: v for k, v in wanted["spec"].items() if k not in ("class", "id")}
        differing = sorted(k for k, v in asked.items() if (live.get("spec") or {}).get(k) != v)
        if differing:
            found = {k: (live.get("spec") or {}).get(k) for k in differing}
            raise Terminal(
                "SharedDiffers",
                f"{title} is shared by id {node.identity.id} and has {found}, but this workload asks for "
                f"{ {k: asked[k] for k in differing} }; give all that share it the same params",
            )


def claim_name(workload: str, node: Node) -> str:
    """Own resources: ``<workload>-<alias>``. Shared ones: ``<type>-<id>``, with the class when not the default."""
    identity = node.identity
    if not node.shared:
        return f"{workload}-{node.asked_by[0][1]}"
    class_ = "" if identity.class_ == "default" else f"-{identity.class_.lower()}"
    return f"{identity.type.lower()}{class_}-{identity.id}"


def _contains(live: Any, wanted: Any) -> bool:
    """Whether an object says all that is wanted; it may say more."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(k in live and _contains(live[k], v) for k, v in wanted.items())
    return bool(live == wanted)


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_secret(v) for v in value.values())
    if isinstance(value, list):
        return any(_has_secret(v) for v in value)
    return isinstance(value, Composite)
