"""``fs:rename``: files and folders of the run's folder moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.scaffolder.contract import ActionContext, ActionFailed


class FsRename:
    id = "fs:rename"
    description = "Renames or moves files and folders."
    works_dry = True
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["files"],
        "properties": {
            "files": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["from", "to"],
                    "properties": {
                        "from": {"type": "string"},
                        "to": {"type": "string"},
                        "overwrite": {"type": "boolean"},
                    },
                },
            }
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        for move in given["files"]:
            try:
                done = context.folder.rename(move["from"], move["to"], overwrite=bool(move.get("overwrite")))
            except (FileNotFoundError, FileExistsError) as error:
                raise ActionFailed(str(error)) from error
            context.say(f"{move['from']} → {move['to']}" + ("" if done else " (done before)"))
        return {}
