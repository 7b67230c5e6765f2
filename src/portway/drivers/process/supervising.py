"""Keeping one container's process alive: started, probed, limited, and started again after a crash with back-off."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from portway.drivers.process import launching, logs, memory, probing, records
from portway.drivers.process.launching import Command, Running
from portway.drivers.process.sources import NotMaterialised
from portway.drivers.process.specs import Container, Probe, Text
from portway.drivers.process.timings import Timing


class State(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    CRASHED = "crashed"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Charge:
    """What a supervisor is responsible for."""

    container: Container
    base: Path
    """Path without ending of the process's run files."""
    log: Path
    runs_once: bool
    grace: float
    ports: dict[str | int, int]
    lay_out: Callable[[], None]
    """Writes files and volumes; called before each start."""
    command: Callable[[], Command]
    render: Callable[[Text], str]
    redact: Callable[[str], str]


class Supervisor:
    """``run`` may be cancelled at any time: the process goes on, and a later ``run`` finds it again."""

    def __init__(self, charge: Charge, changed: Callable[[], None], timing: Timing) -> None:
        self._charge = charge
        self._changed = changed
        self._timing = timing
        self._running: Running | None = None
        known = records.read(self._record) or {}
        self.restarts = int(known.get("restarts", 0))
        self.exit_code: int | None = known.get("exit_code")
        self.state = State.STARTING
        self.ready = False
        self.message = ""
        self._ended_because = ""

    @property
    def name(self) -> str:
        return self._charge.container.name

    @property
    def pid(self) -> int | None:
        return self._running.identity.pid if self._running else None

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": self.state.value,
            "ready": self.ready,
            "restarts": self.restarts,
            "exit_code": self.exit_code,
            "message": self.message,
            "pid": self.pid,
        }

    async def run(self) -> None:
        """Ends only when a container that runs once has completed."""
        delay = self._timing.first_delay
        loop = asyncio.get_running_loop()
        running = await launching.find(self._charge.base)
        ended_unseen = running is None and launching.was_started(self._charge.base)
        if ended_unseen and self._judge(launching.last_exit_code(self._charge.base), 0):
            return
        while True:
            if running is None:
                running = await self._start()
            begun = loop.time()
            if running is not None:
                code = await self._watch(running)
                running, self._running = None, None
                if loop.time() - begun > self._timing.calm:
                    delay = self._timing.first_delay
                if self._judge(code, delay):
                    return
            await asyncio.sleep(delay)
            delay = min(delay * 2, self._timing.last_delay)

    async def stop(self) -> None:
        """To be called when ``run`` is not running any more."""
        running = self._running or await launching.find(self._charge.base)
        if running is not None:
            await running.stop(self._charge.grace)
        self._running = None
        self.ready = False
        launching.forget(self._charge.base)

    @property
    def _beginning(self) -> str:
        return f"{self.name} starts"

    @property
    def _record(self) -> Path:
        return self._charge.base.with_name(self._charge.base.name + ".json")

    async def _start(self) -> Running | None:
        try:
            await asyncio.to_thread(self._charge.lay_out)
            logs.note(self._charge.log, self._beginning)
            return launching.launch(self._charge.base, self._charge.command())
        except NotMaterialised as problem:
            self._become(State.CRASHED, str(problem))
        except OSError as error:
            self._become(State.CRASHED, f"cannot be started: {error.strerror}")
        return None

    async def _watch(self, running: Running) -> int | None:
        self._running = running
        self._become(State.RUNNING, "")
        async with asyncio.TaskGroup() as tasks:
            aside = [tasks.create_task(self._await_ready()), tasks.create_task(self._keep_limits(running))]
            if self._charge.container.liveness is not None:
                aside.append(tasks.create_task(self._keep_alive(running, self._charge.container.liveness)))
            code = await running.wait()
            for task in aside:
                task.cancel()
        return code

    def _judge(self, code: int | None, delay: float) -> bool:
        """Notes an exit; True when that was all that was wanted."""
        self.ready = False
        self.exit_code = code
        said = "ended" if code is None else f"exited with code {code}"
        completed = self._charge.runs_once and code == 0
        if not completed:
            self.restarts += 1
        records.write(self._record, {"restarts": self.restarts, "exit_code": code})
        words = self._charge.redact(logs.last_words(self._charge.log, since=self._beginning))
        logs.note(self._charge.log, f"{self.name} {said}" + ("" if completed else f", starting again in {delay:g} s"))
        if completed:
            self.ready = True
            self._become(State.COMPLETED, "")
            return True
        reason = f" ({self._ended_because})" if self._ended_because else ""
        self._ended_because = ""
        self._become(State.CRASHED, f"{said}{reason}" + (f"; last lines: {words}" if words else ""))
        return False

    async def _await_ready(self) -> None:
        probe = self._charge.container.readiness
        if probe is None:
            await asyncio.sleep(self._timing.settle)  # one that falls over at once was never ready
            self._set_ready("")
            return
        failures, pause = 0, self._timing.eager
        while True:
            problem = await self._probe(probe)
            failures = failures + 1 if problem else 0
            if not self.ready or not problem or failures >= self._timing.failures:
                self._set_ready(f"readiness probe: {problem}" if problem else "")
            await asyncio.sleep(self._timing.period if self.ready else pause)
            pause = min(pause * 1.3, self._timing.period)

    async def _keep_alive(self, running: Running, probe: Probe) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._timing.period)
            problem = await self._probe(probe)
            failures = failures + 1 if problem else 0
            if failures >= self._timing.failures and (self.ready or failures >= self._timing.start_failures):
                await self._end(running, f"liveness probe: {problem}")

    async def _keep_limits(self, running: Running) -> None:
        limit = self._charge.container.memory
        while True:
            await asyncio.sleep(self._timing.limits)
            await asyncio.to_thread(logs.rotate, self._charge.log)
            used = memory.resident_bytes(running.identity.pid) if limit else None
            if limit and used and used > limit:
                await self._end(running, f"used {used >> 20} MiB of memory, its limit is {limit >> 20} MiB")

    async def _probe(self, probe: Probe) -> str:
        command = self._charge.command()
        around = probing.Surroundings(command.folder, command.environment, self._charge.ports, self._charge.render)
        return await probing.probe(probe, around, self._timing.probe_timeout)

    async def _end(self, running: Running, reason: str) -> None:
        self._ended_because = reason
        logs.note(self._charge.log, f"{self.name} is stopped: {reason}")
        running.identity.send_group(signal.SIGTERM)
        await asyncio.sleep(self._charge.grace)
        running.identity.send_group(signal.SIGKILL)

    def _set_ready(self, message: str) -> None:
        if self.ready is not (message == "") or self.message != message:
            self.ready, self.message = message == "", message
            self._changed()

    def _become(self, state: State, message: str) -> None:
        self.state, self.message = state, message
        self._changed()
