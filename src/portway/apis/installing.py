"""Portway's own kinds as APIResourceSchemas and the APIExport ``portway.dev`` that bootstrap installs in root."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portway.apis import catalog, groups, platform, portal
from portway.apis.claims import ClaimSpec, ClaimStatus
from portway.apis.conditions import Status
from portway.apis.specs import OPEN, Spec, structural
from portway.krm.identity import Manifest


@dataclass(frozen=True, slots=True)
class _Kind:
    group: str
    version: str
    kind: str
    plural: str
    spec: type[Spec]
    status: type[Status]
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    open_spec: bool = False
    about: bool = False
    required: bool = True


_READY = ("Ready", '.status.conditions[?(@.type=="Ready")].status')
_ENTITY_COLUMNS = (("Owner", ".spec.owner"), ("Type", ".spec.type"), ("Health", ".status.health"))


def _platform(  # a table row reads better than a dataclass call here
    kind: str, plural: str, spec: type[Spec], status: type[Status], *columns: tuple[str, str], **rest: Any
) -> _Kind:
    return _Kind(platform.GROUP, platform.VERSION, kind, plural, spec, status, columns=columns, **rest)


def _entity(kind: str, plural: str) -> _Kind:
    return _Kind(
        catalog.GROUP, catalog.VERSION, kind, plural, catalog.EntitySpec, catalog.EntityStatus,
        columns=_ENTITY_COLUMNS if kind in ("Component", "API", "Resource") else (("Title", ".about.title"),),
        open_spec=True, about=True, required=False,
    )  # fmt: skip


_KINDS = (
    _platform(
        "ResourceType", "resourcetypes", platform.ResourceTypeSpec, platform.ResourceTypeStatus,
        ("Kind", ".spec.kind"), ("API", ".status.claimApi"), _READY, namespaced=False,
    ),
    _platform(
        "ResourceDefinition", "resourcedefinitions", platform.ResourceDefinitionSpec, platform.ResourceDefinitionStatus,
        ("Type", ".spec.type"), ("Driver", ".spec.driver"), ("Version", ".spec.version"), _READY, namespaced=False,
        short_names=("resdef",),
    ),
    _platform(
        "Policy", "policies", platform.PolicySpec, platform.PolicyStatus,
        ("Actions", ".spec.actions"), ("On failure", ".spec.failurePolicy"), namespaced=False,
    ),
    _platform(
        "Environment", "environments", platform.EnvironmentSpec, platform.EnvironmentStatus,
        ("Type", ".spec.type"), ("Namespace", ".status.namespace"), _READY, namespaced=False, short_names=("env",),
        required=False,
    ),
    _platform(
        "Workload", "workloads", platform.WorkloadSpec, platform.WorkloadStatus,
        ("Health", ".status.health"), ("Endpoint", ".status.endpoints[0].url"), ("Release", ".status.release"), _READY,
        short_names=("wl",),
    ),
    _platform(
        "Release", "releases", platform.ReleaseSpec, platform.ReleaseStatus,
        ("Workload", ".spec.workload"), ("Revision", ".spec.source.revision"), ("By", ".spec.requestedBy"),
    ),
    _platform(
        "PipelineRun", "pipelineruns", platform.PipelineRunSpec, platform.PipelineRunStatus,
        ("Repository", ".spec.repository"), ("Phase", ".status.phase"), ("Revision", ".spec.revision"),
        short_names=("pr",),
    ),
    _entity("Component", "components"),
    _entity("API", "apis"),
    _entity("Resource", "resources"),
    _entity("System", "systems"),
    _entity("Domain", "domains"),
    _entity("Group", "groups"),
    _entity("User", "users"),
    _entity("Location", "locations"),
    _Kind(
        portal.GROUP, portal.VERSION, "Template", "templates", portal.TemplateSpec, portal.TemplateStatus,
        columns=(("Title", ".about.title"), ("Type", ".spec.type"), ("Owner", ".spec.owner")),
        open_spec=True, about=True,
    ),
    _Kind(
        portal.GROUP, portal.VERSION, "TemplateRun", "templateruns", portal.TemplateRunSpec, portal.TemplateRunStatus,
        columns=(("Template", ".spec.template.name"), ("Phase", ".status.phase"), ("Message", ".status.message")),
    ),
)  # fmt: skip


def api_resource_schemas() -> list[Manifest]:
    """One APIResourceSchema per own kind."""
    return [_schema(kind) for kind in _KINDS]


def api_export(schemas: Sequence[Manifest]) -> Manifest:
    """The APIExport that offers them."""
    return {
        "apiVersion": "apis.kcp.io/v1alpha1",
        "kind": "APIExport",
        "metadata": {"name": groups.EXPORT},
        "spec": {"latestResourceSchemas": [s["metadata"]["name"] for s in schemas]},
    }


def claim_schema(name: str, spec: platform.ResourceTypeSpec) -> Manifest:
    """The APIResourceSchema of the claims of a ResourceType called ``name``.

    Its name carries a digest of the schema, as APIResourceSchemas are immutable.
    """
    version = spec.versions[0]
    parameters = version.schema_
    reserved = structural(ClaimSpec)["properties"]
    own = {
        "type": "object",
        "description": spec.description or f"Asks for a {spec.title or spec.kind}.",
        **{k: v for k, v in parameters.items() if k not in ("type", "properties", "description")},
        "properties": {**(parameters.get("properties") or {}), **reserved},
    }
    columns = (
        ("Class", ".spec.class"), ("Definition", ".status.definition"), ("Health", ".status.health"), _READY,
    )  # fmt: skip
    return _resource_schema(
        group="resources.portway.dev",
        version=version.name,
        kind=spec.kind,
        plural=plural_of(spec),
        short_names=tuple(spec.short_names),
        properties={"spec": own, "status": structural(ClaimStatus)},
        columns=columns,
        required=(),
        description=spec.description or f"A claim for a resource of type {name}.",
        categories=("claims",),
        namespaced=True,
    )


def plural_of(spec: platform.ResourceTypeSpec) -> str:
    """The plural of a type's claims: as given, else the lower-cased kind with s, es or ies."""
    if spec.plural:
        return spec.plural
    word = spec.kind.lower()
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def _schema(kind: _Kind) -> Manifest:
    spec = structural(kind.spec)
    if kind.open_spec:
        spec = {**spec, **OPEN}
    properties: dict[str, Any] = {"spec": spec, "status": structural(kind.status)}
    if kind.about:
        properties["about"] = structural(catalog.About)
    return _resource_schema(
        group=kind.group,
        version=kind.version,
        kind=kind.kind,
        plural=kind.plural,
        short_names=kind.short_names,
        properties=properties,
        columns=kind.columns,
        required=("spec",) if kind.required else (),
        description=(kind.spec.__doc__ or kind.kind).strip(),
        categories=("portway", "catalog") if kind.about else ("portway",),
        namespaced=kind.namespaced,
    )


def _resource_schema(
    *,
    group: str,
    version: str,
    kind: str,
    plural: str,
    short_names: Sequence[str],
    properties: dict[str, Any],
    columns: Sequence[tuple[str, str]],
    required: Sequence[str],
    description: str,
    categories: Sequence[str],
    namespaced: bool,
) -> Manifest:
    schema: dict[str, Any] = {"type": "object", "description": description, "properties": properties}
    if required:
        schema["required"] = list(required)
    body = {
        "group": group,
        "names": {
            "kind": kind,
            "listKind": f"{kind}List",
            "plural": plural,
            "singular": kind.lower(),
            "shortNames": list(short_names),
            "categories": list(categories),
        },
        "scope": "Namespaced" if namespaced else "Cluster",
        "versions": [
            {
                "name": version,
                "served": True,
                "storage": True,
                "schema": schema,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [
                    *({"name": name, "type": "string", "jsonPath": path} for name, path in columns),
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
            }
        ],
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:8]
    return {
        "apiVersion": "apis.kcp.io/v1alpha1",
        "kind": "APIResourceSchema",
        "metadata": {"name": f"v{digest}.{plural}.{group}"},
        "spec": body,
    }
