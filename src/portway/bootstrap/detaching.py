"""A control plane in the background: started, waited for, and stopped again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from portway.bootstrap import locking
from portway.bootstrap.errors import StartError
from portway.bootstrap.locking import Running
from portway.bootstrap.settings import Settings

_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_LAST_WORDS = 2000


def start(settings: Settings) -> Running:
    """Start ``portway up`` in a session of its own; returns when it is ready. Raises StartError with its last words."""
    already = locking.running(settings.home)
    if already is not None and already.ready:
        return _same_address(already, settings)
    output = settings.home / "logs" / "start.log"
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        written = output.open("wb")
    except OSError as error:
        raise StartError(
            f"Cannot use {settings.home} for the state: {error.strerror}. Choose another PORTWAY_HOME."
        ) from None
    environment = {**os.environ, "PORTWAY_HOME": str(settings.home), "PORTWAY_PORT": str(settings.port)}
    with written:
        process = subprocess.Popen(
            [sys.executable, "-m", "portway", "up"],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    return _await_ready(settings.home, process, output)


def _same_address(already: Running, settings: Settings) -> Running:
    if already.address != settings.address:
        raise StartError(
            f"Portway already runs on {settings.home} at {already.address} (process {already.pid}). Stop it with "
            f"`portway down` to move it to port {settings.port}, or choose another PORTWAY_HOME."
        )
    return already


def _await_ready(home: Path, process: subprocess.Popen[bytes], output: Path) -> Running:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(_last_words(output) or f"Portway ended at once (status {process.returncode}).")
        found = locking.running(home)
        if found is not None and found.ready:
            return found
        time.sleep(_LOOK_SECONDS)
    raise StartError(f"Portway is not ready after {_START_SECONDS:.0f} s; see {home / 'logs'}.")


def stop(home: Path) -> Running | None:
    """Stop the control plane of a state folder; None when none ran. Raises StartError when it does not end."""
    found = locking.running(home)
    if found is None:
        return None
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if locking.running(home) is None:
            return found
        time.sleep(_LOOK_SECONDS)
    raise StartError(
        f"Portway (process {found.pid}) did not stop within {_STOP_SECONDS:.0f} s. "
        f"`kill -9 {found.pid}` is safe: nothing acknowledged is lost."
    )


def _last_words(output: Path) -> str:
    text = output.read_text(errors="replace").strip()[-_LAST_WORDS:]
    return text.rpartition("\nError: ")[2].removeprefix("Error: ") if "Error: " in text else text
