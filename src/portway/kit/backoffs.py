"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds: ``first``, doubled each time up to ``limit``, spread by ``jitter`` (0.1 = up to 10 % more)."""

    first: float
    limit: float
    jitter: float = 0.1

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (1 is the first)."""
        exponent = min(max(failures, 1) - 1, 60)
        return min(self.first * 2.0**exponent, self.limit) * (1 + self.jitter * random.random())  # noqa: S311
