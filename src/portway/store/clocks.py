"""Revisions that tell when, not how many: whoever sees two of them learns nothing of the writes between."""

from __future__ import annotations

import time
from collections.abc import Callable

SECOND = 1_000_000
"""A revision is the microsecond since 1970 in which its write was decided, or the next free one."""

_STARTED = time.time_ns() - time.monotonic_ns()


def microseconds() -> int:
    """Since 1970. Goes on steadily from what the wall clock said when the process began."""
    return (_STARTED + time.monotonic_ns()) // 1_000


class RevisionClock:
    """A hybrid clock: never behind what it was shown, and from there on it keeps the time's pace.

    So it goes on telling the time, if another one, after a process whose clock was ahead or a clock that was set back.
    """

    def __init__(self, now: Callable[[], int] = microseconds) -> None:
        self._now = now
        self._ahead = 0

    def after(self, revision: int) -> int:
        """The present as a revision, later than the one given."""
        present = self._now() + self._ahead
        if present <= revision:
            self._ahead += revision + 1 - present
            return revision + 1
        return present

    def passed(self, revision: int) -> int:
        """A revision, not before the one given, that ``after`` will not give any more."""
        return max(revision, self._now() + self._ahead - 1)
