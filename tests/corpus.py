"""Where the corpus of real public input files is, if it is here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def corpus() -> Path:
    """The corpus folder; the test is skipped, visibly, where there is none."""
    folder = Path(os.environ.get("PORTWAY_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not (folder / "INDEX.md").is_file():
        pytest.skip(f"no corpus of real files at {folder}")
    return folder
