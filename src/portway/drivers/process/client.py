"""Talking to the node agent, and having one: started when there is none, adopted when there is."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import portway
from portway.drivers import pids
from portway.drivers.contract import DriverError, Refused
from portway.drivers.process import addresses, logs

_ANSWER_BYTES = 64 * 2**20
_START_SECONDS = 30.0
# The shell goes away at once, so that the agent is nobody's child here and leaves no zombie.
_DETACH = '"$@" < /dev/null >> "$0" 2>&1 &'


@dataclass(frozen=True, slots=True)
class Job:
    """What to run once. Starting a job with a known id finds it instead of running it again."""

    id: str
    run: str
    """A shell script, run with ``sh -e`` in the checkout of ``source``, or in ``folder``."""
    group: str = ""
    """Jobs of one group share a checkout, for example the steps of one pipeline run."""
    repository: str = ""
    """Path of a local git repository, or a git URL."""
    revision: str = ""
    folder: str = ""
    environment: Mapping[str, str] | None = None
    secrets: Mapping[str, str] | None = field(default=None, repr=False)
    """Further variables; kept in a file of the owner only, struck out of the log where it is shown."""
    timeout: float = 600.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class JobState:
    exists: bool
    phase: str = ""
    """waiting, preparing, running, succeeded, failed, cancelled."""
    exit_code: int | None = None
    message: str = ""
    started: float | None = None
    """Seconds since the epoch."""
    finished: float | None = None

    @property
    def over(self) -> bool:
        return self.phase in {"succeeded", "failed", "cancelled"}


class AgentClient:
    """Safe to share. With ``starting`` a missing agent is started on the way."""

    def __init__(self, home: Path, *, starting: bool = True) -> None:
        self._home = home.absolute()
        self._starting = starting
        self._lock = asyncio.Lock()

    async def ensure(self) -> int:
        """An agent of this very version runs when this returns its pid; workloads are not touched."""
        async with self._lock:
            return await self._ensure()

    async def stop(self, *, workloads: bool = False) -> None:
        """Ends the agent; with ``workloads`` their processes too (the next agent starts them again)."""
        pid = await self._pid()
        if pid is None:
            return
        await self._ask({"do": "stop", "workloads": workloads})
        deadline = time.monotonic() + 60
        while await self._pid() == pid or pids.start_time(pid):
            if time.monotonic() > deadline:
                raise DriverError("AgentFailed", f"the node agent (process {pid}) does not stop")
            await asyncio.sleep(0.02)

    async def ask(self, verb: str, **fields: Any) -> Any:
        """DriverError and Refused as the agent says them; AgentUnreachable when there is none."""
        request = {"do": verb, **fields}
        try:
            return await self._ask(request)
        except ConnectionError:
            if not self._starting:
                raise DriverError("AgentUnreachable", f"no node agent answers in {self._home}", 1) from None
        await self.ensure()
        try:
            return await self._ask(request)
        except ConnectionError as error:
            raise DriverError("AgentUnreachable", f"the node agent hung up: {error}", retry_after=1) from error

    async def start_job(self, job: Job) -> JobState:
        source = {"location": job.repository, "local": "://" not in job.repository, "revision": job.revision}
        return _job_state(
            await self.ask(
                "job.start",
                id=job.id,
                run=job.run,
                group=job.group,
                source=source if job.repository else None,
                folder=job.folder,
                environment=dict(job.environment or {}),
                secrets=dict(job.secrets or {}),
                timeout=job.timeout,
            )
        )

    async def observe_job(self, identifier: str) -> JobState:
        return _job_state(await self.ask("job.observe", id=identifier))

    async def wait_job(self, identifier: str, timeout: float) -> JobState:
        """Returns when the job is over or ``timeout`` seconds have passed, whatever is first."""
        return _job_state(await self.ask("job.wait", id=identifier, timeout=timeout))

    async def cancel_job(self, identifier: str) -> JobState:
        return _job_state(await self.ask("job.cancel", id=identifier))

    async def remove_job(self, identifier: str) -> None:
        await self.ask("job.remove", id=identifier)

    def job_logs(self, identifier: str, *, tail: int = 1000, follow: bool = False) -> AsyncIterator[str]:
        """Follows until the job is over."""
        return self._lines({"do": "job.logs", "id": identifier, "tail": tail, "follow": follow})

    def workload_logs(
        self, uid: str, *, container: str = "", tail: int = 200, follow: bool = False
    ) -> AsyncIterator[str]:
        request = {"do": "workload.logs", "uid": uid, "container": container, "tail": tail, "follow": follow}
        return self._lines(request)

    async def _lines(self, request: Mapping[str, Any]) -> AsyncIterator[str]:
        try:
            async with self._connection() as (reader, writer):
                writer.write(json.dumps(request).encode() + b"\n")
                while line := await reader.readline():
                    answer = json.loads(line)
                    if "error" in answer:
                        raise _problem(answer["error"])
                    yield answer["line"]
        except ConnectionError as error:
            raise DriverError("AgentUnreachable", f"the node agent hung up: {error}", retry_after=1) from error

    async def _ask(self, request: Mapping[str, Any]) -> Any:
        async with self._connection() as (reader, writer):
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        if not line:
            raise ConnectionResetError("it hung up")
        answer = json.loads(line)
        if "error" in answer:
            raise _problem(answer["error"])
        return answer["ok"]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        path = addresses.known(self._home)
        if path is None:
            raise ConnectionRefusedError("there is no agent")
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=_ANSWER_BYTES)
        except FileNotFoundError:
            raise ConnectionRefusedError("there is no agent") from None
        try:
            yield reader, writer
        finally:
            writer.close()

    async def _pid(self) -> int | None:
        try:
            return int((await self._ask({"do": "ping"}))["pid"])
        except ConnectionError:
            return None

    async def _ensure(self) -> int:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            # One at a time over all processes: an agent started needlessly could outlive the one that is used.
            with (self._home / "start.lock").open("w") as lock:
                await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
                return await self._found_or_started()
        except (OSError, subprocess.CalledProcessError) as error:
            raise DriverError("AgentFailed", f"the node agent cannot be started in {self._home}: {error}") from error

    async def _found_or_started(self) -> int:
        deadline = time.monotonic() + _START_SECONDS
        spawned = False
        while time.monotonic() < deadline:
            try:
                answer = await self._ask({"do": "ping"})
            except ConnectionError:
                if not spawned:
                    await asyncio.to_thread(self._spawn)
                    spawned = True
            else:
                if answer["version"] == addresses.version():
                    return int(answer["pid"])
                await self.stop()
                spawned = False
            await asyncio.sleep(0.02)
        words = logs.last_words(self._home / "agent.log", 3)
        raise DriverError("AgentFailed", f"the node agent does not start in {self._home}: {words or 'it said nothing'}")

    def _spawn(self) -> None:
        log = self._home / "agent.log"
        logs.rotate(log)
        subprocess.run(  # noqa: S603 - our own module
            ["/bin/sh", "-c", _DETACH, str(log), sys.executable, "-m", "portway.drivers.process.agent",
             "--home", str(self._home)],
            env=os.environ | {"PYTHONPATH": _python_path()},
            start_new_session=True,
            check=True,
        )  # fmt: skip


def _python_path() -> str:
    """With the folder this very package was imported from: it need not be installed."""
    package = str(os.path.dirname(os.path.dirname(os.path.abspath(str(portway.__file__)))))
    return os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))


def _problem(said: Mapping[str, Any]) -> DriverError:
    kind = Refused if said.get("refused") else DriverError
    return kind(str(said.get("reason")), str(said.get("message")), said.get("retry_after"))


def _job_state(answer: Mapping[str, Any]) -> JobState:
    known = ("phase", "exit_code", "message", "started", "finished")
    return JobState(
        exists=bool(answer.get("exists")), **{key: answer[key] for key in known if answer.get(key) is not None}
    )
