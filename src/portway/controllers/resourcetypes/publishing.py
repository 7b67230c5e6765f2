"""The one APIExport ``resources.portway.dev`` of a workspace: all valid types of that workspace, and its bindings."""

from __future__ import annotations

from collections.abc import Mapping

import pydantic

from portway.apis import installing
from portway.apis.claims import GROUP
from portway.apis.platform import ResourceTypeSpec
from portway.apis.resources import API_BINDINGS, API_EXPORTS, API_RESOURCE_SCHEMAS, RESOURCE_TYPES
from portway.apis.wellknown import MANAGED_BY
from portway.client.contract import Client
from portway.krm.errors import Cause, StatusError
from portway.krm.identity import Manifest
from portway.krm.schemas import structural
from portway.runtime import objects
from portway.runtime.contract import Terminal

EXPORT = GROUP
_LABELS = {MANAGED_BY: "portway"}


def checked(manifest: Manifest) -> tuple[ResourceTypeSpec, Manifest]:
    """The spec and the APIResourceSchema it makes. Raises ``Terminal`` with field and reason."""
    try:
        spec = ResourceTypeSpec.read(manifest.get("spec"))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Terminal("InvalidSpec", f"spec.{where}: {first['msg']}") from error
    schema = installing.claim_schema(objects.name_of(manifest), spec)
    reserved = sorted({"class", "id", "deletionPolicy"} & set(spec.versions[0].schema_.get("properties") or {}))
    if reserved:
        raise Terminal("InvalidSchema", f"the parameter {reserved[0]} is reserved for every claim; rename yours")
    version = spec.versions[0].schema_
    if version.get("type", "object") != "object":
        raise Terminal("InvalidSchema", f"spec.versions[0].schema.type is {version['type']!r}, expected object")
    causes = structural.check(schema["spec"]["versions"][0]["schema"])
    if causes:
        raise Terminal("InvalidSchema", "spec.versions[0].schema is not structural: " + _words(causes))
    return spec, schema


def _words(causes: tuple[Cause, ...]) -> str:
    return "; ".join(f"{c.field}: {c.message}" if c.field else c.message for c in causes[:3])


async def publish(client: Client, wanted: Mapping[str, Manifest] | None = None) -> None:
    """Bring schemas and export of the client's workspace to its types. 409 when another was faster: do it again.

    The export is read before the types, so that nobody's newer list is overwritten by an older one.
    """
    export = await _find(client, EXPORT)
    schemas: dict[str, Manifest] = dict(wanted or {})
    for manifest in (await client.list(RESOURCE_TYPES)).items:
        if objects.is_deleting(manifest):
            continue
        try:
            _, schema = checked(manifest)
        except Terminal:
            continue  # says so itself, in its own condition
        schemas[schema["metadata"]["name"]] = schema
    known = set((export or {}).get("spec", {}).get("latestResourceSchemas") or ())
    for name in sorted(set(schemas) - known):
        await _create(client, schemas[name])
    names = sorted(schemas)
    if export is None:
        if names:
            await client.create(API_EXPORTS, _export(names))
    elif sorted(known) != names:
        await client.update(API_EXPORTS, {**export, "spec": {**export["spec"], "latestResourceSchemas": names}})


async def bind(client: Client, exporter: str) -> None:
    """The APIBinding in the client's workspace to the export in ``exporter``. No effect when it is there."""
    name = f"resources.{exporter.replace(':', '.')}"
    manifest = {
        "apiVersion": API_BINDINGS.api_version,
        "kind": API_BINDINGS.kind,
        "metadata": {"name": name, "labels": _LABELS},
        "spec": {"reference": {"export": {"path": exporter, "name": EXPORT}}},
    }
    try:
        await client.create(API_BINDINGS, manifest)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise


async def _find(client: Client, name: str) -> Manifest | None:
    try:
        return await client.get(API_EXPORTS, name)
    except StatusError as error:
        if error.code == 404:
            return None
        raise


async def _create(client: Client, schema: Manifest) -> None:
    try:
        await client.create(API_RESOURCE_SCHEMAS, schema)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise


def _export(names: list[str]) -> Manifest:
    return {
        "apiVersion": API_EXPORTS.api_version,
        "kind": API_EXPORTS.kind,
        "metadata": {"name": EXPORT, "labels": _LABELS},
        "spec": {"latestResourceSchemas": names},
    }
