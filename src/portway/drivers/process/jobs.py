"""Programs that run once: pipeline steps and the like. They outlive the agent and are found again by it.

Folder: ``spec.json``, ``state.json`` {phase, started, finished, exit_code, message}, ``log``, ``run/``.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from portway.drivers.contract import Refused
from portway.drivers.process import launching, logs, records, redaction, sources
from portway.drivers.process.launching import Command, Running
from portway.drivers.process.pulses import Pulse
from portway.drivers.process.sources import Checkout, Materialiser, NotMaterialised
from portway.drivers.process.specs import Source

_KEPT_SECONDS = 7 * 86400
_GRACE_SECONDS = 5.0


class Phase(StrEnum):
    WAITING = "waiting"
    PREPARING = "preparing"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


@dataclass(frozen=True, slots=True)
class JobSpec:
    """``run`` is a shell script (``sh -e``), or ``command`` says the words."""

    id: str
    command: tuple[str, ...]
    group: str
    """Jobs of one group share a checkout: the steps of one pipeline run."""
    source: Source | None
    folder: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    """Further variables, whose values are struck out of the log where it is shown."""
    timeout: float

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> JobSpec:
        command = given.get("command") or (["/bin/sh", "-e", "-c", given["run"]] if given.get("run") else [])
        if not command or not given.get("id"):
            raise Refused("InvalidJob", "a job needs an id, and run or command")
        source = given.get("source")
        return cls(
            id=str(given["id"]),
            command=tuple(map(str, command)),
            group="job-" + records.folder_name(str(given.get("group") or given["id"])),
            source=Source(source["location"], bool(source["local"]), source["revision"]) if source else None,
            folder=str(given.get("folder") or ""),
            environment={str(name): str(value) for name, value in (given.get("environment") or {}).items()},
            secrets={str(name): str(value) for name, value in (given.get("secrets") or {}).items()},
            timeout=float(given.get("timeout") or 600),
        )


class Job:
    """``run`` may be cancelled at any time: the program goes on, a later ``run`` finds it."""

    def __init__(self, folder: Path, materialiser: Materialiser, places: asyncio.Semaphore) -> None:
        """Refused when the record cannot be understood."""
        self.folder = folder
        self.spec = JobSpec.of(records.read(folder / "spec.json") or {})
        self._materialiser = materialiser
        self._places = places
        self._state = records.read(folder / "state.json") or {"phase": Phase.WAITING.value}
        self._pulse = Pulse()
        self._cancelled = bool(self._state.get("cancelled"))

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def finished(self) -> bool:
        return Phase(self._state["phase"]) in FINISHED

    @property
    def expired(self) -> bool:
        return self.finished and time.time() - float(self._state.get("finished", 0)) > _KEPT_SECONDS

    def redact(self, text: str) -> str:
        return redaction.strike_out(text, self.spec.secrets.values())

    def described(self) -> dict[str, Any]:
        shown = ("phase", "started", "finished", "exit_code", "message")
        return {"exists": True, "id": self.spec.id} | {key: self._state.get(key) for key in shown}

    def cancel(self) -> None:
        if not self.finished:
            self._cancelled = True
            self._save(cancelled=True)

    async def wait(self, timeout: float) -> None:
        """Until finished, at most ``timeout`` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._pulse.until(lambda: self.finished)

    async def run(self) -> None:
        if self.finished:
            return
        (self.folder / "run").mkdir(exist_ok=True)
        running = await launching.find(self._base)
        if running is not None:
            await self._attend(running)
        elif launching.was_started(self._base):
            self._conclude(launching.last_exit_code(self._base))
        else:
            await self._begin()

    async def _begin(self) -> None:
        async with self._places:
            if self._cancelled:
                self._end(Phase.CANCELLED, "cancelled before it started")
                return
            self._save(phase=Phase.PREPARING.value)
            try:
                command = await self._command()
                running = launching.launch(self._base, command)
            except (NotMaterialised, OSError) as problem:
                logs.note(self.log, str(problem))
                self._end(Phase.FAILED, str(problem))
                return
            self._save(phase=Phase.RUNNING.value, started=time.time())
            await self._attend(running)

    async def _attend(self, running: Running) -> None:
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(self._end_early(running))
            code = await running.wait()
            ending.cancel()
        self._conclude(code)

    async def _end_early(self, running: Running) -> None:
        """Stops it when it is cancelled or its time is over."""
        left = float(self._state.get("started") or time.time()) + self.spec.timeout - time.time()
        try:
            async with asyncio.timeout(max(left, 0)):
                await self._pulse.until(lambda: self._cancelled)
        except TimeoutError:
            logs.note(self.log, f"stopped: it took longer than {self.spec.timeout:g} s")
            self._save(late=True)
        await running.stop(_GRACE_SECONDS)

    def _conclude(self, code: int | None) -> None:
        if self._state.get("late"):
            self._end(Phase.FAILED, f"it took longer than {self.spec.timeout:g} s", code)
        elif self._cancelled:
            self._end(Phase.CANCELLED, "cancelled", code)
        elif code == 0:
            self._end(Phase.SUCCEEDED, "", code)
        else:
            said = (
                "was lost: the machine was restarted or it was killed" if code is None else f"exited with code {code}"
            )
            words = self.redact(logs.last_words(self.log))
            self._end(Phase.FAILED, said + (f"; last lines: {words}" if words else ""), code)

    async def _command(self) -> Command:
        checkout = await self._checkout()
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return Command(
            arguments=self.spec.command,
            folder=checkout.folder,
            environment={
                **sources.building_environment(),
                "HOME": str(home),
                "PYTHONUNBUFFERED": "1",
                "CI": "true",
                **checkout.environment,
                **self.spec.environment,
                **self.spec.secrets,
            },
            log=self.log,
        )

    async def _checkout(self) -> Checkout:
        if self.spec.source is not None:
            return await self._materialiser.materialise(self.spec.group, self.spec.source)
        folder = Path(self.spec.folder) if self.spec.folder else self.folder / "home"
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return Checkout(folder, {})

    def forget_checkout(self) -> None:
        if self.spec.source is not None:
            self._materialiser.forget(self.spec.group)

    @property
    def _base(self) -> Path:
        return self.folder / "run" / "job"

    def _end(self, phase: Phase, message: str, code: int | None = None) -> None:
        # What it left behind is only of use while it runs; the log and the verdict stay.
        shutil.rmtree(self.folder / "home", ignore_errors=True)
        self._save(phase=phase.value, message=message, exit_code=code, finished=time.time())

    def _save(self, **changes: Any) -> None:
        self._state |= changes
        records.write(self.folder / "state.json", self._state)
        self._pulse.beat()
