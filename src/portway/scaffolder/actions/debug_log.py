"""``debug:log``: a line of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from portway.scaffolder.contract import ActionContext


class DebugLog:
    id = "debug:log"
    description = "Writes to the log of the run."
    works_dry = True
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"message": {}, "extra": {"type": "object"}, "listWorkspace": {"type": ["boolean", "string"]}},
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        if given.get("message") is not None:
            context.say(str(given["message"]))
        if given.get("extra"):
            context.say(json.dumps(given["extra"], ensure_ascii=False, default=str))
        if given.get("listWorkspace"):
            for name, file in context.folder.files().items():
                context.say(f"{name} ({len(file.content)} bytes)")
        return {}
