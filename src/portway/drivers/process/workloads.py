"""One workload through its versions: a changed one replaces the running one only when it is ready.

Folder: ``workload.json`` {uid, name, current, next, deleted}, ``generations/<number>/``, ``logs/``, ``volumes/``.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portway.drivers.contract import Refused
from portway.drivers.process import generations, records
from portway.drivers.process.generations import Generation, Setting
from portway.drivers.process.pulses import Pulse
from portway.drivers.process.sources import Materialiser
from portway.drivers.process.timings import Timing

_DEFAULT_GRACE = 10.0


@dataclass(frozen=True, slots=True)
class Premises:
    """What all workloads of an agent share."""

    materialiser: Materialiser
    timing: Timing
    taken_ports: set[int]


class Workload:
    """``run`` is the only one that starts and stops; ``apply`` and ``destroy`` write what is wanted and wake it."""

    def __init__(self, folder: Path, premises: Premises) -> None:
        self.folder = folder
        self._premises = premises
        record = records.read(folder / "workload.json")
        self._broken = "" if record else "its record cannot be read: apply it again"
        self._record: dict[str, Any] = record or {"uid": folder.name, "name": "", "current": None, "next": None}
        self._current = self._load(self._record.get("current"))
        self._next = self._load(self._record.get("next"))
        self._pulse = Pulse()
        self._running: dict[int, tuple[Generation, asyncio.Task[None]]] = {}
        self.gone = False

    @property
    def uid(self) -> str:
        return str(self._record["uid"])

    def apply(self, uid: str, name: str, inputs: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Durable when it returns. The same as what runs, or is about to, changes nothing."""
        wanted = generations.wanted(inputs, secrets)
        newest = self._next or self._current
        if newest is not None and newest.digest == generations.digest(wanted) and not self._record.get("deleted"):
            return
        number = 1 + max((int(one.name) for one in (self.folder / "generations").glob("[0-9]*")), default=0)
        folder = self.folder / "generations" / str(number)
        for needed in (folder, self.folder / "logs"):
            needed.mkdir(parents=True, exist_ok=True)
        records.write(folder / "spec.json", wanted, durable=True)
        self._next = Generation(number, folder, wanted, self._setting())
        self._broken = ""
        self._save(uid=uid, name=name, next=number, deleted=False)
        self._pulse.beat()

    def destroy(self) -> None:
        self._save(deleted=True)
        self._pulse.beat()

    def described(self) -> dict[str, Any]:
        shown, newest = self._current or self._next, self._next or self._current
        health, message = self._health()
        return {
            "exists": True,
            "uid": self.uid,
            "name": self._record.get("name", ""),
            "health": health,
            "message": message,
            "generation": newest.number if newest else 0,
            "inputs": newest.inputs if newest else {},
            "endpoints": shown.endpoints if shown else [],
            "containers": newest.containers() if newest else [],
            "notes": list(newest.spec.notes) if newest else [],
        }

    def is_wanted(self, inputs: Mapping[str, Any], secrets: Mapping[str, str]) -> bool:
        newest = self._next or self._current
        try:
            return newest is not None and newest.digest == generations.digest(generations.wanted(inputs, secrets))
        except Refused:
            return False

    def log(self, container: str = "") -> Path | None:
        """The log of a container, by default of the first that is not only a preparation."""
        newest = self._next or self._current
        if newest is None:
            return None
        names = [one.name for one in newest.spec.containers if not newest.spec.runs_once(one)]
        name = container or next(iter(names), newest.spec.containers[0].name)
        known = {one.name for one in newest.spec.containers}
        return self.folder / "logs" / f"{name}.log" if name in known else None

    def redact(self, text: str) -> str:
        for generation in self._kept:
            text = generation.redact(text)
        return text

    async def run(self) -> None:
        """Until destroyed. May be cancelled at any time: the processes go on."""
        await self._sweep()
        async with asyncio.TaskGroup() as tasks:
            while not self._deleted:
                self._advance(tasks)
                await self._pulse.until(self._must_act)
            for number in list(self._running):
                self._retire(tasks, number)
        self._current = self._next = None
        await self._sweep()
        await asyncio.to_thread(self._premises.materialiser.forget, self.folder.name)
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
        self.gone = True

    async def stop(self) -> None:
        """Ends the processes, keeps what is wanted. To be called when ``run`` is not running any more."""
        for generation in self._kept:
            await generation.stop()
        await self._sweep()

    @property
    def _deleted(self) -> bool:
        return bool(self._record.get("deleted"))

    @property
    def _kept(self) -> list[Generation]:
        return [one for one in (self._current, self._next) if one]

    def _must_act(self) -> bool:
        if self._deleted or {one.number for one in self._kept} != self._running.keys():
            return True
        return self._next is not None and (self._next.ready or not (self._current and self._current.ready))

    def _advance(self, tasks: asyncio.TaskGroup) -> None:
        """One step towards: the newest version runs, and only it."""
        for generation in self._kept:
            if generation.number not in self._running:
                self._running[generation.number] = (generation, tasks.create_task(_guarded(generation)))
        if self._next is not None and (self._next.ready or not (self._current and self._current.ready)):
            self._current, self._next = self._next, None
            self._save(current=self._current.number, next=None)
        for number in self._running.keys() - {one.number for one in self._kept}:
            self._retire(tasks, number)

    def _retire(self, tasks: asyncio.TaskGroup, number: int) -> None:
        generation, task = self._running.pop(number)
        tasks.create_task(self._end(generation, task))

    async def _end(self, generation: Generation, task: asyncio.Task[None]) -> None:
        if generation.ready:
            # Whoever was told its address needs a moment to hear of the new one.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._premises.timing.drain):
                    await self._pulse.until(lambda: self._deleted)
        task.cancel()
        await asyncio.wait([task])
        await generation.stop()
        await asyncio.to_thread(shutil.rmtree, generation.folder, ignore_errors=True)
        kept = frozenset(one.spec.source.revision for one in self._kept if one.spec.source)
        if kept:
            await asyncio.to_thread(self._premises.materialiser.forget, self.folder.name, kept)

    async def _sweep(self) -> None:
        """Versions that an earlier agent could not finish to stop."""
        kept = {one.number for one in self._kept}
        for folder in (self.folder / "generations").glob("[0-9]*"):
            if int(folder.name) not in kept:
                await generations.stop_leftovers(folder, _DEFAULT_GRACE)
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _health(self) -> tuple[str, str]:
        if self._deleted:
            return "progressing", "stopping"
        if self._broken:
            return "degraded", self._broken
        current, following = self._current, self._next
        if following is not None and current is not None:
            if following.failing:
                return "degraded", f"the new version does not start, the one before still runs: {following.message}"
            return "progressing", f"the new version is starting: {following.message}"
        shown = current or following
        if shown is None:
            return "degraded", "it has no version: apply it again"
        if shown.ready and not shown.failing:
            return "healthy", ""
        return ("degraded" if shown.failing else "progressing"), shown.message

    def _load(self, number: Any) -> Generation | None:
        if not isinstance(number, int):
            return None
        folder = self.folder / "generations" / str(number)
        wanted = records.read(folder / "spec.json")
        if wanted is None or "inputs" not in wanted:
            self._broken = f"version {number} cannot be read: apply it again"
            return None
        try:
            return Generation(number, folder, wanted, self._setting())
        except Refused as problem:
            self._broken = problem.message
            return None

    def _setting(self) -> Setting:
        return Setting(
            owner=self.folder.name,
            home=self.folder,
            materialiser=self._premises.materialiser,
            timing=self._premises.timing,
            taken_ports=self._premises.taken_ports,
            changed=self._changed,
        )

    def _changed(self) -> None:
        self._pulse.beat()

    def _save(self, **changes: Any) -> None:
        self._record |= changes
        self.folder.mkdir(parents=True, exist_ok=True)
        records.write(self.folder / "workload.json", self._record, durable=True)


async def _guarded(generation: Generation) -> None:
    try:
        await generation.run()
    except Exception as error:  # loop edge: one workload's surprise must not hurt the others
        generation.fail(f"internal error: {error!r}")
