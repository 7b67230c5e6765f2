"""Starting one process so that nobody needs to stay alive to know how it is, or how it ended.

Each process has a tiny shell around it, which leads the session, writes its pid (``<name>.pid``) first and the exit
code (``<name>.exit``) last, and holds a lock on ``<name>.lock`` through its standard input for as long as it lives.
The lock is inherited by the fork itself: an agent killed at any instruction finds out whether there is a process
before it would start a second one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from portway.drivers import pids

# TERM is caught, not ignored: the program gets the default action, the shell lives on until it has the exit code.
_SHELL = """\
trap : TERM INT HUP
echo $$ > "$0.pid"
"$@" < /dev/null
code=$?
echo $code > "$0.exit.new" && mv "$0.exit.new" "$0.exit"
exit $code
"""
_POLL_SECONDS = 0.1
_PID_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Command:
    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path
    """Both streams are appended here."""
    nice: int = 0


class Running:
    """A process that was started or found again."""

    def __init__(self, base: Path, identity: pids.ProcessIdentity, child: subprocess.Popen[bytes] | None) -> None:
        self._base = base
        self._child = child
        self.identity = identity

    async def wait(self) -> int | None:
        """The exit code (128 + signal number if killed); None when nobody could note it."""
        await _ended(self.identity)
        # What the program left behind in its session ends with it; before reaping, while the pid is still taken.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.identity.pid, signal.SIGKILL)
        if self._child is not None:
            code = self._child.wait()
            self._child = None
            return _exit_code(self._base, code if code >= 0 else 128 - code)
        return _exit_code(self._base, None)

    async def stop(self, grace: float) -> int | None:
        """SIGTERM to all of its session, SIGKILL to what is left after ``grace`` seconds."""
        self.identity.send_group(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                return await self.wait()
        except TimeoutError:
            self.identity.send_group(signal.SIGKILL)
            return await self.wait()


def launch(base: Path, command: Command) -> Running:
    """``base`` is the path without ending of the lock, pid and exit files. OSError when it cannot be started."""
    for ending in (".pid", ".exit"):
        _sibling(base, ending).unlink(missing_ok=True)
    lock = os.open(_sibling(base, ".lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    log = os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        nice = ["nice", "-n", str(command.nice)] if command.nice else []
        child = subprocess.Popen(  # noqa: S603 - running what the workload says is the purpose
            ["/bin/sh", "-c", _SHELL, str(base), *nice, *command.arguments],
            cwd=command.folder,
            env=dict(command.environment),
            stdin=lock,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(lock)
        os.close(log)
    # Already ended: a zombie has no identity, and `alive` is false for this one.
    return Running(base, pids.identify(child.pid) or pids.ProcessIdentity(child.pid, "ended"), child)


async def find(base: Path) -> Running | None:
    """The process started at ``base`` by this or an earlier agent, if it still runs."""
    if not _is_held(_sibling(base, ".lock")):
        return None
    async with asyncio.timeout(_PID_PATIENCE_SECONDS):
        while True:
            # The shell holds the lock, so the pid it wrote is its own.
            with suppress(FileNotFoundError, ValueError):
                identity = pids.identify(int(_sibling(base, ".pid").read_text()))
                if identity is not None:
                    return Running(base, identity, None)
            if not _is_held(_sibling(base, ".lock")):
                return None
            await asyncio.sleep(_POLL_SECONDS)


def was_started(base: Path) -> bool:
    return _sibling(base, ".lock").exists()


def forget(base: Path) -> None:
    """After this nothing was ever started at ``base``; nothing may run there."""
    for ending in (".lock", ".pid", ".exit"):
        _sibling(base, ending).unlink(missing_ok=True)


def last_exit_code(base: Path) -> int | None:
    return _exit_code(base, None)


async def _ended(identity: pids.ProcessIdentity) -> None:
    try:
        descriptor = os.pidfd_open(identity.pid)
    except (AttributeError, OSError):  # not Linux, or gone already
        while identity.alive:  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(_POLL_SECONDS)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    try:
        if not identity.alive:
            return
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _exit_code(base: Path, fallback: int | None) -> int | None:
    try:
        return int(_sibling(base, ".exit").read_text())
    except (FileNotFoundError, ValueError):
        return fallback


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _sibling(base: Path, ending: str) -> Path:
    return base.with_name(base.name + ending)
