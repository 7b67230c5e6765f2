"""A Portway of its own for a measure: started in a scratch folder, stopped and removed afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from portway.client import kubeconfig
from portway.client.rest import RestClient


@dataclass(frozen=True)
class Installed:
    home: Path
    environment: dict[str, str]

    def portway(self, *arguments: str, timeout: float = 300) -> str:
        """The command's output; raises with it when the command fails."""
        done = subprocess.run(
            [sys.executable, "-m", "portway", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"portway {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def resident(self) -> float:
        """Bytes of memory of the control plane."""
        pid = json.loads((self.home / "run" / "portway.json").read_text())["pid"]
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024.0
        raise RuntimeError("the control plane does not run")

    @asynccontextmanager
    async def client(self, workspace: str = "root") -> AsyncIterator[RestClient]:
        client = kubeconfig.load(self.home / "kubeconfig").client()
        try:
            yield client.at(workspace)
        finally:
            await client.close()


@contextmanager
def installation() -> Iterator[Installed]:
    """Not started yet."""
    with tempfile.TemporaryDirectory(prefix="portway-bench-") as folder:
        home = Path(folder) / "state"
        environment = {**os.environ, "PORTWAY_HOME": str(home), "PORTWAY_PORT": str(_free_port()), "NO_COLOR": "1"}
        made = Installed(home, environment)
        try:
            yield made
        finally:
            with contextlib.suppress(RuntimeError):
                made.portway("down", "--workloads")


def _free_port() -> int:
    for port in range(21000, 32000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")
