"""One version of a workload as it runs: prepared once, its containers started in order and kept alive.

Folder: ``spec.json`` (inputs and secrets), ``generation.json`` (ports), ``run/`` (processes), ``root/<container>/``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portway.drivers import ports as free_ports
from portway.drivers.process import launching, materials, probing, records, redaction, specs
from portway.drivers.process.materials import Place
from portway.drivers.process.pulses import Pulse
from portway.drivers.process.sources import Checkout, Materialiser, NotMaterialised
from portway.drivers.process.specs import Container, Ready
from portway.drivers.process.supervising import Charge, State, Supervisor
from portway.drivers.process.timings import Timing


@dataclass(frozen=True, slots=True)
class Setting:
    """What a generation shares with the others of its workload, and with the agent."""

    owner: str
    home: Path
    materialiser: Materialiser
    timing: Timing
    taken_ports: set[int]
    changed: Callable[[], None]


class Generation:
    """``run`` may be cancelled at any time: processes go on, a later ``run`` finds them."""

    def __init__(self, number: int, folder: Path, wanted: Mapping[str, Any], setting: Setting) -> None:
        """Refused when the inputs cannot be understood."""
        self.number = number
        self.folder = folder
        self.inputs: Mapping[str, Any] = wanted["inputs"]
        self.spec = specs.parse(self.inputs)
        self.digest = digest(wanted)
        self._secrets: Mapping[str, str] = wanted.get("secrets", {})
        self._setting = setting
        self._ports: dict[str, int] = dict((records.read(folder / "generation.json") or {}).get("ports", {}))
        self._supervisors: dict[str, Supervisor] = {}
        self._pulse = Pulse()
        self._problem = ""
        self._prepared = False
        self._unanswered = "preparing"

    @property
    def ready(self) -> bool:
        supervisors = self._supervisors.values()
        return bool(supervisors) and all(one.ready for one in supervisors) and not self._unanswered

    @property
    def failing(self) -> bool:
        return bool(self._problem) or any(one.state is State.CRASHED for one in self._supervisors.values())

    @property
    def message(self) -> str:
        """Root cause first: what crashed, then what is awaited."""
        if self._problem:
            return self._problem
        if not self._prepared:
            return "fetching the source and installing requirements" if self.spec.source else "preparing"
        waiting = ""
        for one in self._supervisors.values():
            if one.state is State.CRASHED:
                return f"container {one.name} {one.message}"
            if not one.ready and not waiting:
                waiting = f"container {one.name}: {one.message or 'starting'}"
        return waiting or self._unanswered

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "url": f"http://127.0.0.1:{port}", "port": port}
            for name, port in self._ports.items()
            if name in {one.name for one in self.spec.ports if one.protocol == "TCP"}
        ]

    def containers(self) -> list[dict[str, Any]]:
        return [
            self._supervisors[one.name].described()
            if one.name in self._supervisors
            else {"name": one.name, "state": "starting", "ready": False, "restarts": 0, "exit_code": None,
                  "message": "", "pid": None}
            for one in self.spec.containers
        ]  # fmt: skip

    def redact(self, text: str) -> str:
        return redaction.strike_out(text, self._secrets.values())

    async def run(self) -> None:
        (self.folder / "run").mkdir(parents=True, exist_ok=True)
        checkout = await self._prepare()
        await self._settle_ports()
        place = self._place(checkout)
        for container in self.spec.containers:
            self._supervisors[container.name] = Supervisor(
                self._charge(container, place), self._beat, self._setting.timing
            )
        self._prepared = True
        self._unanswered = "" if self._probed or not self._tcp_ports else "starting"
        self._beat()
        async with asyncio.TaskGroup() as tasks:
            for container in self.spec.containers:
                tasks.create_task(self._supervise(container))
            if not self._probed:
                tasks.create_task(self._watch_ports())

    def fail(self, problem: str) -> None:
        self._problem = problem
        self._beat()

    async def stop(self) -> None:
        """Last started, first stopped. To be called when ``run`` is not running any more."""
        for container in reversed(self.spec.containers):
            supervisor = self._supervisors.get(container.name)
            if supervisor is not None:
                await supervisor.stop()
            else:
                running = await launching.find(self._base(container.name))
                if running is not None:
                    await running.stop(self.spec.grace_seconds)
        self._setting.taken_ports.difference_update(self._ports.values())

    @property
    def _probed(self) -> bool:
        return any(container.readiness is not None for container in self.spec.containers)

    @property
    def _tcp_ports(self) -> list[int]:
        return [self._ports[one.name] for one in self.spec.ports if one.protocol == "TCP" and one.name in self._ports]

    async def _prepare(self) -> Checkout:
        delay = self._setting.timing.prepare_delay
        while True:
            try:
                if self.spec.source is None:
                    empty = self._setting.home / "empty"
                    empty.mkdir(parents=True, exist_ok=True)
                    return Checkout(empty, {})
                checkout = await self._setting.materialiser.materialise(self._setting.owner, self.spec.source)
            except (NotMaterialised, OSError) as problem:
                self._problem = str(problem)
                self._beat()
                await asyncio.sleep(delay)
                delay = min(delay * 2, self._setting.timing.last_delay)
            else:
                self._problem = ""
                return checkout

    def _place(self, checkout: Checkout) -> Place:
        home = self._setting.home
        return Place(
            home=home,
            roots=self.folder / "root",
            volumes=home / "volumes",
            working=checkout.folder,
            environment=checkout.environment,
            ports=self._ports,
            secrets=self._secrets,
            logs=home / "logs",
        )

    def _charge(self, container: Container, place: Place) -> Charge:
        return Charge(
            container=container,
            base=self._base(container.name),
            log=place.log(container.name),
            runs_once=self.spec.runs_once(container),
            grace=self.spec.grace_seconds,
            ports=materials.probe_ports(self.spec, self._ports),
            lay_out=lambda: materials.lay_out(container, place),
            command=lambda: materials.command(container, place),
            render=lambda text: materials.render(text, self._secrets),
            redact=self.redact,
        )

    def _base(self, container: str) -> Path:
        return self.folder / "run" / container

    async def _settle_ports(self) -> None:
        """Keeps the ports while processes use them; else takes the first choice of this turn, or the next free one."""
        found = [await launching.find(self._base(container.name)) for container in self.spec.containers]
        names = [port.name for port in self.spec.ports]
        taken = self._setting.taken_ports
        if not any(found) or set(names) != set(self._ports):
            fresh: dict[str, int] = {}
            for name in names:
                # Two turns, so that the next generation can start while this one still serves.
                # The folder is in the key, so that two agents of one machine do not choose alike.
                key = f"{self.folder.parent}/{self._setting.owner}/{name}/{self.number % 2}"
                fresh[name] = free_ports.free_port(key, taken=taken | set(fresh.values()))
            self._ports = fresh
            records.write(self.folder / "generation.json", {"number": self.number, "ports": fresh})
        taken.update(self._ports.values())

    async def _supervise(self, container: Container) -> None:
        if await launching.find(self._base(container.name)) is None:
            awaited = self.spec.awaited(container.name)
            await self._pulse.until(lambda: all(self._has_become(other, ready) for other, ready in awaited))
        await self._supervisors[container.name].run()

    def _has_become(self, name: str, ready: Ready) -> bool:
        supervisor = self._supervisors[name]
        match ready:
            case Ready.STARTED:
                return supervisor.state in {State.RUNNING, State.COMPLETED}
            case Ready.HEALTHY:
                return supervisor.ready
            case Ready.COMPLETE:
                return supervisor.state is State.COMPLETED

    async def _watch_ports(self) -> None:
        """Where no container says when it is ready, the workload is when its service ports answer."""
        while self._tcp_ports:
            silent = [port for port in self._tcp_ports if not await probing.accepts(port)]
            problem = f"nothing listens on port {silent[0]} (it is in the variable PORT)" if silent else ""
            if problem != self._unanswered:
                self._unanswered = problem
                self._beat()
            await asyncio.sleep(self._setting.timing.eager * 4 if silent else self._setting.timing.period)

    def _beat(self) -> None:
        self._pulse.beat()
        self._setting.changed()


def digest(wanted: Mapping[str, Any]) -> str:
    """Of everything that makes a version, secrets included: never to leave the agent."""
    inputs, secrets = wanted["inputs"], wanted.get("secrets", {})
    return records.digest({"inputs": inputs, "secrets": secrets})


def wanted(inputs: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """What is kept of a request: only the secrets that are used."""
    used = specs.parse(inputs).secret_keys
    return {"inputs": dict(inputs), "secrets": {key: value for key, value in secrets.items() if key in used}}


async def stop_leftovers(folder: Path, grace: float) -> None:
    """Ends whatever still runs from a generation that nobody wants or can read any more."""
    for lock in await asyncio.to_thread(lambda: list(folder.glob("run/*.lock"))):
        with suppress(TimeoutError):
            running = await launching.find(lock.with_suffix(""))
            if running is not None:
                await running.stop(grace)
