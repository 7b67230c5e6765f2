"""How long the past is kept, and forgetting it in the background."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """Two horizons: reads of the past (lists at a revision, watches), and the log below them (history, undelete)."""

    read_seconds: float = 300.0
    """Older revisions are answered by 410. Kubernetes' own clients relist then; etcd compacts as often."""
    read_events: int = 200_000
    """More revisions than this are not readable however young, which bounds the log a watch may walk through."""
    log_seconds: float = 86_400.0
    """How long the log keeps superseded and deleted values."""
    log_events: int = 500_000
    """The log's greatest length, which bounds the file: 500,000 events of 2 KB are 1 GB."""
    interval_seconds: float = 30.0
    """Between two looks; each compacts in small transactions."""


class Horizon:
    """Which revision was current a given time ago. ``note`` is called at intervals; times are monotonic seconds."""

    def __init__(self, seconds: float, events: int) -> None:
        self._seconds = seconds
        self._events = events
        self._noted: deque[tuple[float, int]] = deque()

    def note(self, now: float, revision: int) -> int:
        """The oldest revision to keep; 0 when all."""
        self._noted.append((now, revision))
        aged = 0
        while self._noted and self._noted[0][0] <= now - self._seconds:
            aged = self._noted.popleft()[1]
        if aged:
            self._noted.appendleft((now - self._seconds, aged))
        return max(aged, revision - self._events, 0)
