"""``fs:delete``: files and folders of the run's folder removed, by name or glob."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.scaffolder.contract import ActionContext


class FsDelete:
    id = "fs:delete"
    description = "Deletes files and folders."
    works_dry = True
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["files"],
        "properties": {"files": {"type": "array", "items": {"type": "string"}}},
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        for pattern in given["files"]:
            for name in context.folder.matching(pattern):
                context.folder.remove(name)
                context.say(f"deleted {name}")
        return {}
