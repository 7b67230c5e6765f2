"""A real Portway in a folder of its own, driven by its command as a user would."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installation:
    """``portway`` with its own home and port."""

    home: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PORTWAY_", "KUBECONFIG"))}
        return {
            **kept,
            "PORTWAY_HOME": str(self.home),
            "PORTWAY_PORT": str(self.port),
            "PYTHONPATH": os.pathsep.join(p for p in (str(ROOT / "src"), os.environ.get("PYTHONPATH", "")) if p),
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }

    def run(self, *arguments: str, timeout: float = 150, input_: str | None = None) -> subprocess.CompletedProcess[str]:
        """The command, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "portway", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            input=input_,
        )

    def succeed(self, *arguments: str, timeout: float = 150) -> str:
        """The command's output; fails the test with all of it when the command fails."""
        done = self.run(*arguments, timeout=timeout)
        assert done.returncode == 0, f"portway {' '.join(arguments)}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command in the foreground of a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "portway", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def get(self, *arguments: str) -> Any:
        return json.loads(self.succeed("get", *arguments, "-o", "json"))

    def control_plane(self) -> int:
        return int(json.loads((self.home / "run" / "portway.json").read_text())["pid"])

    def kill(self) -> None:
        """SIGKILL of the control plane; returns when it is gone."""
        pid = self.control_plane()
        os.kill(pid, signal.SIGKILL)
        handle = self.home / "run" / "lock"
        import fcntl

        with handle.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)

    def processes(self) -> list[str]:
        """Command lines of processes that belong to this installation."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(self.home) in command or f"PORTWAY_HOME={self.home}" in environment:
                found.append(command.strip())
        return [command for command in found if command]


def free_port() -> int:
    """A port below the ephemeral range, so that nobody gets it by chance meanwhile."""
    start = 20000 + os.getpid() % 9000
    for port in range(start, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
