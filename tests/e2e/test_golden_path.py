"""The main job: from nothing to a service that serves, through kills and restarts, without duplicates."""

from __future__ import annotations

import json
import random
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.installations import Installation, free_port

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "state", free_port())
    yield made
    made.run("down", "--workloads")


def _request(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.loads(answer.read())


def _endpoint(installation: Installation) -> str:
    workload = installation.get("workloads", "orders", "-w", "root:acme:payments", "-n", "staging")
    return str(workload["status"]["endpoints"][0]["url"])


def _counts(installation: Installation) -> dict[str, int]:
    kinds = ("components", "workloads", "postgreses", "repositories", "templateruns", "pipelineruns", "releases")
    found = {kind: installation.get(kind, "-w", "root:acme:payments") for kind in kinds}
    return {kind: len(listed["items"]) for kind, listed in found.items()}


def test_a_template_becomes_a_service_that_outlives_the_control_plane(installation: Installation) -> None:
    said = installation.succeed("demo", "--detach", timeout=300)
    assert "healthy" in said
    assert f"http://localhost:{installation.port}/login?token=" in said
    endpoint = _endpoint(installation)
    stored = _request(f"{endpoint}/orders", {"customer": "Ada", "total": 12.5})
    assert _request(f"{endpoint}/orders/{stored['id']}") == stored
    counts = _counts(installation)

    installation.kill()
    assert _request(f"{endpoint}/orders/{stored['id']}") == stored

    again = installation.succeed("demo", "--detach", timeout=300)
    assert "healthy" in again
    assert _counts(installation) == counts
    assert _request(f"{_endpoint(installation)}/orders/{stored['id']}") == stored

    installation.succeed("down")
    assert _request(f"{endpoint}/orders/{stored['id']}") == stored
    installation.succeed("down", "--workloads")
    assert installation.processes() == []


def test_a_control_plane_killed_at_any_moment_finishes_what_was_half_done(installation: Installation) -> None:
    chance = random.Random(7)
    for _ in range(4):
        process = installation.start("demo")
        time.sleep(chance.uniform(0.8, 5.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    said = installation.succeed("demo", "--detach", timeout=300)
    assert "healthy" in said
    endpoint = _endpoint(installation)
    stored = _request(f"{endpoint}/orders", {"customer": "Grace", "total": 3})
    assert _request(f"{endpoint}/orders") == [stored]
    assert _counts(installation)["components"] == 3
    assert _counts(installation)["postgreses"] == 1


def test_ctrl_c_leaves_nothing_behind_but_the_state(installation: Installation) -> None:
    process = installation.start("up")
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert installation.processes() == []
