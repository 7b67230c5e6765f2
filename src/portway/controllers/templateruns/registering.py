"""``catalog:register`` behind the scaffolder's protocol: descriptors checked together, then made."""

from __future__ import annotations

from collections.abc import Mapping

from portway.catalog import objects as catalog_objects
from portway.catalog import reading
from portway.client.contract import Client
from portway.krm.errors import StatusError
from portway.scaffolder.contract import ActionFailed

_MANAGER = "portway-templates"


class CatalogObjects:
    """Implements ``scaffolder.contract.Catalog``."""

    async def register(self, client: Client, text: str, annotations: Mapping[str, str]) -> list[str]:
        descriptors = reading.read(text)
        faults = [str(fault) for descriptor in descriptors for fault in descriptor.faults]
        if faults or not descriptors:
            raise ActionFailed("the descriptor file: " + ("; ".join(faults) or "is empty"))
        references = []
        for descriptor in descriptors:
            manifest = catalog_objects.to_object(descriptor.value or {}, annotations)
            resource = catalog_objects.resource_of(manifest["kind"])
            try:
                made = await client.apply(resource, manifest, manager=_MANAGER)
            except StatusError as error:
                raise ActionFailed(f"{descriptor.title}: {error.message}") from error
            references.append(str(catalog_objects.ref_of(made)))
        return references
