"""``fetch:plain``: files copied as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.scaffolder.actions import fetching
from portway.scaffolder.contract import ActionContext
from portway.scaffolder.folders import write_all


class FetchPlain:
    id = "fetch:plain"
    description = "Copies files as they are."
    works_dry = True
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["url"],
        "properties": {"url": {"type": "string"}, "targetPath": {"type": "string"}},
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        files = await fetching.tree(given["url"], context)
        written = write_all(context.folder, str(given.get("targetPath") or ""), files, replace=True)
        context.say(f"{len(written)} files from {given['url']}")
        return {}
