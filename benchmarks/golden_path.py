"""From nothing to a service with a green badge, as ``make demo ARGS=--exit-when-ready`` does after set-up."""

from __future__ import annotations

import re
import time

from benchmarks.installed import installation
from benchmarks.reports import Measure


def run() -> list[Measure]:
    with installation() as installed:
        started = time.monotonic()
        said = installed.portway("demo", "--exit-when-ready")
        whole = time.monotonic() - started
    found = re.search(r"green badge in ([0-9.]+) s", said)
    if found is None:
        raise RuntimeError(said)
    return [
        Measure("demo, start to stop", whole, "s", 60.0),
        Measure("golden path: template chosen → green badge", float(found[1]), "s", 10.0),
    ]
