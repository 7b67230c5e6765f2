"""When something was last written, in all and in each cluster: what a reader of one cluster may be told.

It is told the revision of the cluster's last write, or one of a while ago that tells the time and nothing else. At
both, what is in the cluster is as it is now (docs/adr/0008-what-one-workspace-learns-of-another.md).
"""

from __future__ import annotations

from portway.store.clocks import SECOND, microseconds

SETTLED_SECONDS = 30
"""A cluster in which nothing was written for so long is read at a revision that others had no part in."""


class Moments:
    """All revisions that are given to it are past: whatever is written later has a greater one."""

    def __init__(self) -> None:
        self._newest = 0
        self._settled = 0
        self._written: dict[str, int] = {}
        """Of each cluster with a write since ``_settled``."""

    @property
    def settled(self) -> int:
        """A revision that tells the time only."""
        return self._settled

    def begin(self, revision: int) -> None:
        """Start from a state: which of its writes was where is not known."""
        self._newest = self._settled = revision
        self._written = {}

    def write(self, cluster: str, revision: int) -> None:
        """Later than all before."""
        self._newest = self._written[cluster] = revision

    def last(self, cluster: str | None) -> int:
        """Nothing in the cluster (None: anywhere) was written at a later revision."""
        return self._newest if cluster is None else self._written.get(cluster, self._settled)

    def settle(self, revision: int) -> None:
        """Go on with the time; ``revision`` is the newest there is. Where the clocks differ, by its time."""
        past = SETTLED_SECONDS * SECOND
        settled = min(revision, max(microseconds() - past, revision - 2 * past))
        if settled > self._settled:
            self._settled = settled
            self._written = {cluster: last for cluster, last in self._written.items() if last > settled}
