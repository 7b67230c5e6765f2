"""``catalog:write``: a descriptor file in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ryaml import dumps  # type: ignore[attr-defined]  # its package lists no exports

from portway.drivers.services import SourceFile
from portway.scaffolder.contract import ActionContext


class CatalogWrite:
    id = "catalog:write"
    description = "Writes a catalog-info.yaml."
    works_dry = True
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["entity"],
        "properties": {"filePath": {"type": "string"}, "entity": {"type": ["object", "array"]}},
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        path = str(given.get("filePath") or "catalog-info.yaml")
        entities = given["entity"] if isinstance(given["entity"], list) else [given["entity"]]
        text = "---\n".join(str(dumps(entity)).removeprefix("---\n") for entity in entities)
        context.folder.write(path, SourceFile(text.encode()))
        context.say(f"wrote {path}")
        return {}
