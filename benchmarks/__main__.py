"""Runs the measures one after the other; one that cannot run says so and the others go on."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections.abc import Sequence

import benchmarks
from benchmarks.reports import Measure


def names() -> list[str]:
    """Modules of this package that measure something."""
    skipped = {"__main__", "reports", "installed", "serving", "wire", "loads"}
    return [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in skipped]


def main(arguments: Sequence[str]) -> int:
    wanted = list(arguments) or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(names())}", file=sys.stderr)
        return 2
    for name in wanted:
        started = time.monotonic()
        print(f"\n{name}", flush=True)
        for measure in _measures(name):
            print(f"  {measure}", flush=True)
        print(f"  ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


def _measures(name: str) -> list[Measure]:
    module = importlib.import_module(f"benchmarks.{name}")
    if hasattr(module, "run"):
        measures: list[Measure] = module.run()
        return measures
    module.main()  # prints by itself
    return []


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
