"""Refuses modules above the size ceiling, so that each stays one thing (run by `make check`)."""

from __future__ import annotations

import sys
from pathlib import Path

CEILING = 600
SUFFIXES = {".py", ".html", ".css", ".js"}


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    too_long = []
    for folder in ("src", "tests", "tools", "benchmarks"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in SUFFIXES or "dist" in path.parts or "node_modules" in path.parts:
                continue
            lines = path.read_bytes().count(b"\n")
            if lines > CEILING:
                too_long.append(f"{path.relative_to(root)}: {lines} lines, the ceiling is {CEILING}")
    for line in too_long:
        print(line, file=sys.stderr)
    return 1 if too_long else 0


if __name__ == "__main__":
    raise SystemExit(main())
