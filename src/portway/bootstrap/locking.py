"""One control plane per state: a lock that the kernel lets go of when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from portway.bootstrap.errors import StartError


@dataclass(frozen=True, slots=True)
class Running:
    """What a running control plane says of itself in ``run/portway.json``."""

    pid: int
    address: str
    ready: bool = False


@contextlib.contextmanager
def hold(home: Path, address: str) -> Iterator[Path]:
    """Hold the state folder; yields the file to announce readiness in. Raises StartError when another holds it."""
    folder = _run_folder(home)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(f"Cannot use {home} for the state: {error.strerror}. Choose another PORTWAY_HOME.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(_already(home)) from None
        announcement = folder / "portway.json"
        announce(announcement, Running(os.getpid(), address))
        yield announcement
        announcement.unlink(missing_ok=True)
    finally:
        os.close(handle)


def announce(file: Path, running: Running) -> None:
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(running)))
    temporary.rename(file)


def running(home: Path) -> Running | None:
    """The control plane that holds the state now, if any."""
    folder = _run_folder(home)
    try:
        handle = os.open(folder / "lock", os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StartError(f"Cannot look into {home}: {error.strerror}. Choose another PORTWAY_HOME.") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _announced(folder / "portway.json")
    finally:
        os.close(handle)


def _announced(file: Path) -> Running | None:
    try:
        return Running(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _already(home: Path) -> str:
    other = running(home)
    who = f" (process {other.pid}, {other.address})" if other else ""
    return f"Portway already runs on {home}{who}. Stop it with `portway down`, or choose another PORTWAY_HOME."


def _run_folder(home: Path) -> Path:
    return home / "run"
