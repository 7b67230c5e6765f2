"""What a measure prints."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A value beside its limit; ``more_is_better`` turns the ratio round."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""
    more_is_better: bool = False

    def __str__(self) -> str:
        text = f"{self.what:<52} {self.value:>10,.2f} {self.unit}"
        if self.limit is not None:
            ratio = self.limit / self.value if self.more_is_better else self.value / self.limit
            text += f"   limit {self.limit:,.2f}   ratio {ratio:.2f}"
        return f"{text}   {self.note}" if self.note else text


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
