"""The API server as a process of its own, for measures of it alone: store, API and Portway's kinds, no controllers.

``python -m benchmarks.serving HOME PORT [STORE_URL]`` serves until it is ended; composed as ``portway up`` composes it.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import wire
from portway.bootstrap import administrators, certificates, listening
from portway.bootstrap import serving as hosting
from portway.bootstrap.settings import HOST, Settings

_READY_SECONDS = 60.0


async def serve(home: Path, port: int, store_url: str) -> None:
    context = certificates.server_context(home / "pki", datetime.datetime.now(datetime.UTC))
    listener = listening.bind(HOST, port)
    settings = Settings(home, port, "", "", store_url)
    async with hosting.open_api(settings) as api:
        await listening.Server(api.server, listener, context).serve()


@dataclass
class Served:
    """``start`` and ``stop`` as often as wanted; the state stays."""

    home: Path
    port: int
    store_url: str = ""
    """Of a PostgreSQL database; empty: SQLite in ``home``."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def target(self, *, tls: bool = True) -> wire.Target:
        """As the administrator."""
        return wire.Target(
            HOST,
            self.port,
            prefix="/clusters/root",
            token=administrators.read_token(self.home),
            authority=(self.home / "pki" / "ca.crt").read_text() if tls else "",
        )

    def start(self) -> float:
        """Seconds until /readyz is answered over TLS and a first read as the administrator."""
        started = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.serving", str(self.home), str(self.port), self.store_url]
        self._process = subprocess.Popen(command)
        while True:
            with contextlib.suppress(OSError, AssertionError):
                self.target().ask("GET", "/readyz")
                self.target().ask("GET", "/api/v1/namespaces/default")
                return time.perf_counter() - started
            if self._process.poll() is not None or time.perf_counter() - started > _READY_SECONDS:
                raise RuntimeError("the API server did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def served(folder: Path, store_url: str = "") -> Iterator[Served]:
    """Not started yet."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    made = Served(folder, port, store_url)
    try:
        yield made
    finally:
        made.stop()


def resident(pid: int) -> float:
    """Bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024.0
    raise RuntimeError(f"process {pid} does not run")


if __name__ == "__main__":
    import uvloop

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2]), "".join(sys.argv[3:])))
