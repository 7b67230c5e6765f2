from __future__ import annotations

from datetime import UTC, datetime

from portway.krm.identity import Manifest
from portway.runtime import conditions

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
LATE = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_new_condition_is_complete() -> None:
    status = conditions.mark_not_ready({}, "NoMatch", "no definition matches", generation=3, now=EARLY)
    assert status == {
        "observedGeneration": 3,
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "NoMatch",
                "message": "no definition matches",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "observedGeneration": 3,
            }
        ],
    }


def test_saying_the_same_again_changes_nothing() -> None:
    once = conditions.mark_ready({"phase": "Up"}, generation=1, now=EARLY)
    assert conditions.mark_ready(once, generation=1, now=LATE) == once


def test_the_transition_time_moves_only_with_the_status() -> None:
    waiting = conditions.mark_not_ready({}, "Waiting", "for a", generation=1, now=EARLY)
    still = conditions.mark_not_ready(waiting, "Waiting", "for b", generation=1, now=LATE)
    ready = conditions.mark_ready(still, generation=1, now=LATE)
    times = [s["conditions"][0]["lastTransitionTime"] for s in (waiting, still, ready)]
    assert times == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]


def test_other_conditions_keep_their_place() -> None:
    planned = conditions.Condition("Planned", "True", "Planned")
    status = conditions.set_condition({}, planned, generation=1, now=EARLY)
    status = conditions.mark_ready(status, generation=1, now=EARLY)
    status = conditions.set_condition(status, planned, generation=2, now=LATE)
    assert [c["type"] for c in status["conditions"]] == ["Planned", "Ready"]


def test_ready_for_an_older_generation_is_not_ready() -> None:
    status = conditions.mark_ready({}, generation=1, now=EARLY)
    manifest: Manifest = {"metadata": {"generation": 1}, "status": status}
    changed: Manifest = {"metadata": {"generation": 2}, "status": status}
    assert [conditions.is_true(manifest), conditions.is_true(changed)] == [True, False]
