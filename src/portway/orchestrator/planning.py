"""A driver's plan as the user sees it: steps in words, the definition behind them, and the price."""

from __future__ import annotations

from portway.apis.platform import PlanStep, PlanSummary
from portway.drivers.contract import Plan, Verb
from portway.orchestrator.matching import Candidate


def summarise(plan: Plan, candidate: Candidate, *, planned_at: str) -> PlanSummary:
    """``planned_at``: RFC 3339."""
    return PlanSummary(
        definition=candidate.title,
        driver=candidate.spec.driver,
        steps=[
            PlanStep(verb=str(step.verb), what=step.what, before=dict(step.before), after=dict(step.after))
            for step in plan.steps
            if step.verb is not Verb.NONE
        ],
        cost=candidate.spec.cost,
        planned_at=planned_at,
    )


def headline(summary: PlanSummary) -> str:
    """One line for events and messages."""
    return ", ".join(step.what for step in summary.steps) or "nothing to change"
