"""Conditions of a status, as pure functions on the status dictionary.

Invariant: ``lastTransitionTime`` moves only when ``status`` moves, and setting what is already there returns an
equal status, so that nothing is written and nothing flaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portway.apis.conditions import READY
from portway.kit.clocks import rfc3339
from portway.krm.identity import Manifest

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
_LONGEST_MESSAGE = 4096


@dataclass(frozen=True, slots=True)
class Condition:
    """What is to be said. ``reason`` is CamelCase; ``message`` says the cause and what to do."""

    type: str
    status: str
    reason: str
    message: str = ""


def ready(message: str = "", reason: str = "Ready") -> Condition:
    return Condition(READY, TRUE, reason, message)


def not_ready(reason: str, message: str) -> Condition:
    return Condition(READY, FALSE, reason, message)


def get(manifest: Manifest, type_: str) -> dict[str, Any] | None:
    """The condition of an object, or None."""
    return _find(manifest.get("status") or {}, type_)


def is_true(manifest: Manifest, type_: str = READY) -> bool:
    """Also False when the condition is about an older generation of the object."""
    found = get(manifest, type_)
    if found is None or found["status"] != TRUE:
        return False
    return int(found.get("observedGeneration") or 0) >= int(manifest["metadata"].get("generation") or 0)


def set_condition(status: Manifest, condition: Condition, *, generation: int, now: datetime) -> Manifest:
    """A new status with this condition in its place (at the end when new) and observedGeneration set."""
    before = _find(status, condition.type)
    moved = before is None or before["status"] != condition.status
    entry = {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message[:_LONGEST_MESSAGE],
        "lastTransitionTime": rfc3339(now) if before is None or moved else before.get("lastTransitionTime"),
        "observedGeneration": generation,
    }
    others = list(status.get("conditions") or ())
    kept = [entry if existing.get("type") == condition.type else existing for existing in others]
    if before is None:
        kept.append(entry)
    return {**status, "observedGeneration": generation, "conditions": kept}


def mark_ready(status: Manifest, *, generation: int, now: datetime, message: str = "") -> Manifest:
    return set_condition(status, ready(message), generation=generation, now=now)


def mark_not_ready(status: Manifest, reason: str, message: str, *, generation: int, now: datetime) -> Manifest:
    return set_condition(status, not_ready(reason, message), generation=generation, now=now)


def _find(status: Manifest, type_: str) -> dict[str, Any] | None:
    return next((c for c in status.get("conditions") or () if c.get("type") == type_), None)
