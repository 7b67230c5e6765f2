"""``debug:wait``: time that passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.runtime.contract import Retry
from portway.scaffolder.contract import ActionContext, ActionFailed

_LONGEST_SECONDS = 600.0


class DebugWait:
    id = "debug:wait"
    description = "Waits."
    works_dry = False
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "minutes": {"type": "number", "minimum": 0},
            "seconds": {"type": "number", "minimum": 0},
            "milliseconds": {"type": "number", "minimum": 0},
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        asked = 60 * given.get("minutes", 0) + given.get("seconds", 0) + given.get("milliseconds", 0) / 1000
        if asked > _LONGEST_SECONDS:
            raise ActionFailed(f"at most {_LONGEST_SECONDS:.0f} seconds can be waited, not {asked:.0f}")
        left = asked - (context.now - context.started_at).total_seconds()
        if left > 0:
            raise Retry("Waiting", f"waits {asked:g} s", left)
        return {}
