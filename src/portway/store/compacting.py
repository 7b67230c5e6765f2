"""How long the past is kept, and forgetting it in the background."""

from __future__ import annotations

from dataclasses import dataclass

from portway.store.clocks import SECOND

MARK_EVERY = 1_000
"""Events between two marks in a store. As revisions do not count, marks do; a compaction goes from one to the next."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Two horizons: reads of the past (lists at a revision, watches), and the log below them (history, undelete)."""

    read_seconds: float = 300.0
    """Older revisions are answered by 410. Kubernetes' own clients relist then; etcd compacts as often."""
    read_events: int = 200_000
    """More events than these are not readable however young, which bounds the log a watch may walk through."""
    log_seconds: float = 86_400.0
    """How long the log keeps superseded and deleted values."""
    log_events: int = 500_000
    """The log's greatest length (or a few more), which bounds the file: 500,000 events of 2 KB are 1 GB."""
    interval_seconds: float = 30.0
    """Between two looks; each compacts in small transactions."""


def aged(revision: int, seconds: float) -> int:
    """The revision of so long before another."""
    return max(revision - round(seconds * SECOND), 0)
