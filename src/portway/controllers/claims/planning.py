"""What would be made for a claim, without making it: for ``--dry-run=server``, the portal and the CLI."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portway.controllers.calling import Calls
from portway.controllers.choosing import Choosing
from portway.controllers.claims import targets
from portway.kit.clocks import Clock, rfc3339
from portway.krm.identity import Manifest
from portway.orchestrator import planning
from portway.orchestrator.matching import Match
from portway.runtime import conditions
from portway.runtime.contract import Retry, Terminal

_NO_UID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class ClaimPlanner:
    """``plan`` never raises for what the user can cause: the answer is a status whose Ready condition says why."""

    choosing: Choosing
    clock: Clock

    async def plan(self, workspace: str, manifest: Manifest) -> dict[str, Any]:
        """A ClaimStatus as a dictionary: match, definition, driver, plan with cost, condition Ready (Unknown/Planned).

        ``manifest`` may be new (no uid: names derived from the uid are then not the final ones) or stored already.
        """
        now = self.clock.now()
        before = dict(manifest.get("status") or {})
        try:
            return await self._plan(workspace, manifest, before, now)
        except (Retry, Terminal) as problem:
            return self._with(manifest, before, conditions.not_ready(problem.reason, problem.message), now)

    async def _plan(self, workspace: str, manifest: Manifest, status: Manifest, now: datetime) -> Manifest:
        asked = targets.read(self.choosing, workspace, manifest)
        context = targets.context_of(self.choosing, asked)
        match = self.choosing.match(context)
        status = {**status, "match": written(match)}
        if match.chosen is None:
            return self._with(manifest, status, conditions.not_ready("NoMatchingDefinition", match.problem), now)
        calls = Calls(self.choosing.drivers[match.chosen.spec.driver])
        uid = str(manifest.get("metadata", {}).get("uid") or _NO_UID)
        target = targets.target_of(asked, match.chosen, context, {}, uid=uid)
        plan = await calls.plan(target, await calls.observe(target))
        summary = planning.summarise(plan, match.chosen, planned_at=rfc3339(now))
        status |= {
            "definition": match.chosen.title,
            "driver": match.chosen.spec.driver,
            "plan": summary.write(),
            "message": f"Would {planning.headline(summary)}.",
        }
        return self._with(manifest, status, conditions.Condition("Ready", "Unknown", "Planned", status["message"]), now)

    @staticmethod
    def _with(manifest: Manifest, status: Manifest, condition: conditions.Condition, now: datetime) -> Manifest:
        generation = int(manifest.get("metadata", {}).get("generation") or 1)
        return conditions.set_condition(status, condition, generation=generation, now=now)


def written(match: Match) -> list[Manifest]:
    return [line.write() for line in match.lines]
