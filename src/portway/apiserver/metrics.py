"""Counters in Prometheus' text format."""

from __future__ import annotations

import time
from collections import Counter

START = time.time()


class Metrics:
    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self.watches = 0

    def count(self, verb: str, resource: str, code: int) -> None:
        self._requests[(verb, resource, code)] += 1

    def text(self, revision: int) -> bytes:
        lines = [
            "# HELP apiserver_request_total Requests answered, by verb, resource and HTTP code.",
            "# TYPE apiserver_request_total counter",
        ]
        for (verb, resource, code), count in sorted(self._requests.items()):
            labels = f'verb="{verb.upper()}",resource="{resource}",code="{code}"'
            lines.append(f"apiserver_request_total{{{labels}}} {count}")
        lines += [
            "# HELP apiserver_longrunning_requests Watches open now.",
            "# TYPE apiserver_longrunning_requests gauge",
            f'apiserver_longrunning_requests{{verb="WATCH"}} {self.watches}',
            "# HELP portway_store_revision Newest revision of the store.",
            "# TYPE portway_store_revision gauge",
            f"portway_store_revision {revision}",
            "# HELP process_start_time_seconds Start of the process since the epoch.",
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {START:.3f}",
        ]
        return ("\n".join(lines) + "\n").encode()
