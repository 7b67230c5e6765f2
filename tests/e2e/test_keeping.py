"""Backup, restore, history and undelete as a user has them: by the command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.e2e.installations import Installation, free_port


@dataclass(frozen=True)
class WithStore(Installation):
    store_url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **({"PORTWAY_STORE_URL": self.store_url} if self.store_url else {})}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[WithStore]:
    made = WithStore(tmp_path / "state", free_port())
    yield made
    made.run("down", "--workloads")


CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data: {colour: COLOUR}
"""


def apply(installation: Installation, colour: str) -> None:
    """As ``kubectl apply --server-side --field-manager=tester``."""
    call(installation, "PATCH", CONFIG.replace("COLOUR", colour))


def call(installation: Installation, method: str, body: str = "") -> None:
    token = (installation.home / "tokens" / "admin").read_text().strip()
    answer = httpx.request(
        method,
        f"{installation.address}/api/v1/namespaces/default/configmaps/settings?fieldManager=tester",
        content=body,
        headers={
            "authorization": f"Bearer {token}",
            **({"content-type": "application/apply-patch+yaml"} if body else {}),
        },
    )
    assert answer.status_code < 300, answer.text


def test_a_running_sqlite_is_backed_up_and_goes_on_in_postgresql(
    installation: WithStore, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "portway.backup"
    installation.succeed("up", "--detach")
    apply(installation, "blue")
    apply(installation, "red")
    told = installation.succeed("history", "configmap/settings")
    assert "Changed by admin with tester" in told
    assert "data.colour: blue → red" in told
    assert "objects at revision" in installation.succeed("backup", str(file))
    refused = installation.run("restore", str(file), "--replace")
    assert refused.returncode == 1
    assert "Stop it first" in refused.stderr
    installation.succeed("down")
    refused = installation.run("restore", str(file))
    assert (refused.returncode, "--replace" in refused.stderr) == (1, True)

    moved = WithStore(installation.home, installation.port, database)
    assert "are back" in moved.succeed("restore", str(file))
    moved.succeed("up", "--detach")
    assert moved.get("configmap/settings", "-n", "default")["data"] == {"colour": "red"}
    apply(moved, "green")
    call(moved, "DELETE")
    assert "settings in default is back" in moved.succeed("undelete", "configmap/settings")
    assert moved.get("configmap/settings", "-n", "default")["data"] == {"colour": "green"}
    moved.succeed("down")
