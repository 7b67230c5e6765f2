"""Conditions as the engines write them."""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver.housekeeping.editing import Change
from portway.krm.identity import Manifest


def condition(kind: str, reason: str, message: str, *, status: str = "False") -> Manifest:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def setting(conditions: Iterable[Manifest], now: str) -> Change:
    """A change that sets conditions in ``status``; the time of one moves only with its status."""

    def change(manifest: Manifest) -> bool:
        status = manifest.setdefault("status", {})
        before = {each["type"]: each for each in status.get("conditions") or ()}
        after = dict(before)
        for wanted in conditions:
            old = before.get(wanted["type"], {})
            since = old.get("lastTransitionTime", now) if old.get("status") == wanted["status"] else now
            after[wanted["type"]] = {**wanted, "lastTransitionTime": since}
        status["conditions"] = list(after.values())
        return after != before

    return change
