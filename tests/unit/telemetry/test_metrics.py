from __future__ import annotations

from portway.telemetry.metrics import Registry


def test_metrics_are_exposed_as_prometheus_reads_them() -> None:
    registry = Registry()
    registry.counter("requests_total", "Requests.", ("verb",)).add("get")
    registry.counter("requests_total", "Requests.", ("verb",)).add('li"st', by=2)
    registry.gauge("open", "Open\nones.").set(1.5)
    registry.measured("queued", "Queued.", ("name",), lambda: {("a",): 3.0})
    histogram = registry.histogram("seconds", "Time.", bounds=(0.5, 1.0))
    for value in (0.5, 0.7, 9.0):
        histogram.observe(value)
    assert registry.exposition().splitlines() == [
        "# HELP open Open\\nones.",
        "# TYPE open gauge",
        "open 1.5",
        "# HELP queued Queued.",
        "# TYPE queued gauge",
        'queued{name="a"} 3',
        "# HELP requests_total Requests.",
        "# TYPE requests_total counter",
        'requests_total{verb="get"} 1',
        'requests_total{verb="li\\"st"} 2',
        "# HELP seconds Time.",
        "# TYPE seconds histogram",
        'seconds_bucket{le="0.5"} 1',
        'seconds_bucket{le="1"} 2',
        'seconds_bucket{le="+Inf"} 3',
        "seconds_sum 10.2",
        "seconds_count 3",
    ]
