"""Which process a number means: (pid, start time) names one process for ever, a pid alone does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    pid: int
    started: str
    """Opaque: clock ticks since boot and the boot's id on Linux, ``ps`` start time elsewhere."""

    @property
    def alive(self) -> bool:
        """False for zombies too: nothing of them runs any more."""
        return start_time(self.pid) == self.started

    def send(self, number: signal.Signals) -> bool:
        """Signals this process, never a later one with the same pid; False when it is gone."""
        if not self.alive:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def send_group(self, number: signal.Signals) -> bool:
        """Signals the session this process leads; false when the leader is gone."""
        if not self.alive:
            return False
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return self.send(number)
        return True


def identify(pid: int) -> ProcessIdentity | None:
    started = start_time(pid)
    return ProcessIdentity(pid, started) if started else None


def start_time(pid: int) -> str:
    """Empty when there is no such process, or only its zombie."""
    if _LINUX:
        return _linux_start_time(pid)
    return _ps_start_time(pid)


def command_line(pid: int) -> str:
    """Words separated by spaces; empty when unknown."""
    if _LINUX:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps(pid, "command=")


def _linux_start_time(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The name (field 2) is in parentheses and may hold anything, so count from the last one: state is field
    # 3, start time field 22 (proc_pid_stat(5)).
    fields = text.rpartition(")")[2].split()
    if not fields or fields[0] in {"Z", "X"}:
        return ""
    return f"{fields[19]}@{_boot_id()}"


def _boot_id() -> str:
    global _BOOT  # noqa: PLW0603 - read once: it is constant for the life of any process
    if not _BOOT:
        try:
            _BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        except OSError:
            _BOOT = "unknown"
    return _BOOT


_BOOT = ""


def _ps_start_time(pid: int) -> str:
    state, _, started = _ps(pid, "stat=,lstart=").strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _ps(pid: int, columns: str) -> str:
    arguments = ["ps", "-p", str(pid)]
    for column in columns.split(","):
        arguments += ["-o", column]
    return subprocess.run(arguments, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
