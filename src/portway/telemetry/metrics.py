"""Counters, gauges and histograms with the Prometheus text exposition (format version 0.0.4).

A registry is made by bootstrap and handed down; there is no global one.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence

LATENCY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Labels = tuple[str, ...]


class Counter:
    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._values: dict[Labels, float] = {}

    def add(self, *labels: str, by: float = 1.0) -> None:
        self._values[labels] = self._values.get(labels, 0.0) + by

    def value(self, *labels: str) -> float:
        return self._values.get(labels, 0.0)

    def samples(self, name: str) -> Iterator[str]:
        for labels, value in sorted(self._values.items()):
            yield f"{name}{_braces(self._labels, labels)} {_number(value)}"


class Gauge(Counter):
    def set(self, value: float, *labels: str) -> None:
        self._values[labels] = value


Measure = Callable[[], Mapping[Labels, float]]


class MeasuredGauge:
    """Its values are asked for when it is exposed."""

    def __init__(self, labels: Labels, measure: Measure) -> None:
        self._labels = labels
        self._measure = measure

    def samples(self, name: str) -> Iterator[str]:
        for labels, value in sorted(self._measure().items()):
            yield f"{name}{_braces(self._labels, labels)} {_number(value)}"


class Histogram:
    def __init__(self, labels: Labels, bounds: Sequence[float]) -> None:
        self._labels = labels
        self._bounds = tuple(bounds)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, value: float, *labels: str) -> None:
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect.bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def samples(self, name: str) -> Iterator[str]:
        for labels, counts in sorted(self._counts.items()):
            total = 0
            for bound, count in zip((*map(_number, self._bounds), "+Inf"), counts, strict=True):
                total += count
                yield f"{name}_bucket{_braces((*self._labels, 'le'), (*labels, bound))} {total}"
            yield f"{name}_sum{_braces(self._labels, labels)} {_number(self._sums[labels])}"
            yield f"{name}_count{_braces(self._labels, labels)} {total}"


class Registry:
    """Asking for the same name again gives the same metric."""

    def __init__(self) -> None:
        self._metrics: dict[str, tuple[str, str, Counter | Gauge | MeasuredGauge | Histogram]] = {}

    def counter(self, name: str, help_: str, labels: Labels = ()) -> Counter:
        metric = self._known(name, "counter", help_, lambda: Counter(labels))
        assert isinstance(metric, Counter)  # noqa: S101  one name is one type
        return metric

    def gauge(self, name: str, help_: str, labels: Labels = ()) -> Gauge:
        metric = self._known(name, "gauge", help_, lambda: Gauge(labels))
        assert isinstance(metric, Gauge)  # noqa: S101  one name is one type
        return metric

    def measured(self, name: str, help_: str, labels: Labels, measure: Measure) -> None:
        self._metrics[name] = ("gauge", help_, MeasuredGauge(labels, measure))

    def histogram(
        self, name: str, help_: str, labels: Labels = (), bounds: Sequence[float] = LATENCY_SECONDS
    ) -> Histogram:
        metric = self._known(name, "histogram", help_, lambda: Histogram(labels, bounds))
        assert isinstance(metric, Histogram)  # noqa: S101  one name is one type
        return metric

    def exposition(self) -> str:
        lines: list[str] = []
        for name, (type_, help_, metric) in sorted(self._metrics.items()):
            escaped = help_.replace("\\", "\\\\").replace("\n", "\\n")
            lines += [f"# HELP {name} {escaped}", f"# TYPE {name} {type_}", *metric.samples(name)]
        return "\n".join(lines) + "\n"

    def _known(
        self, name: str, type_: str, help_: str, make: Callable[[], Counter | Gauge | Histogram]
    ) -> Counter | Gauge | MeasuredGauge | Histogram:
        if name not in self._metrics:
            self._metrics[name] = (type_, help_, make())
        return self._metrics[name][2]


def _braces(names: Labels, values: Labels) -> str:
    if not names:
        return ""
    pairs = ",".join(f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
