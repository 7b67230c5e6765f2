"""Wall-clock time as the API writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from portway.kit import clocks

Now = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """RFC 3339 in whole seconds, as metav1.Time."""
    return clocks.rfc3339(moment)


def micro_stamp(moment: datetime) -> str:
    """RFC 3339 in microseconds, as metav1.MicroTime."""
    return clocks.rfc3339_micro(moment)


def read(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
