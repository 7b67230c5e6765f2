"""The API server as a process of its own, to be killed, starved and offended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[serving.Served]:
    """Running."""
    with serving.served(tmp_path / "home") as server:
        server.start()
        yield server
