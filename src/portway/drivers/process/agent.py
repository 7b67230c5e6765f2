"""The node agent: ``python -m portway.drivers.process.agent --home DIR``.

Answers on a Unix socket (0600, path in ``agent.json``). One request per connection: a line of JSON
``{"do": "<verb>", …}``, answered by one line ``{"ok": value}`` or ``{"error": {reason, message, refused}}``; the
verbs ``*.logs`` answer many ``{"line": text}`` until either side hangs up. When it ends, or is killed, workloads and
jobs go on; the next agent of the same home finds them again.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from portway.drivers.contract import DriverError, Refused
from portway.drivers.process import addresses, logs, records
from portway.drivers.process.jobs import Job, JobSpec
from portway.drivers.process.sources import Materialiser
from portway.drivers.process.timings import Timing
from portway.drivers.process.workloads import Premises, Workload

_REQUEST_BYTES = 64 * 2**20
_JOBS_AT_ONCE = 4

Request = Mapping[str, Any]


class Agent:
    def __init__(self, home: Path, timing: Timing | None = None) -> None:
        self._home = home
        self._materialiser = Materialiser(home)
        self._premises = Premises(self._materialiser, timing or Timing(), set())
        self._places = asyncio.Semaphore(_JOBS_AT_ONCE)
        self._workloads: dict[str, tuple[Workload, asyncio.Task[None]]] = {}
        self._jobs: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._ending = asyncio.Event()
        self._stop_workloads = False
        self._verbs: dict[str, Callable[[Request], Awaitable[Any]]] = {
            "ping": self._ping,
            "stop": self._stop,
            "workload.apply": self._apply_workload,
            "workload.observe": self._observe_workload,
            "workload.destroy": self._destroy_workload,
            "workload.list": self._list_workloads,
            "job.start": self._start_job,
            "job.observe": self._observe_job,
            "job.wait": self._wait_job,
            "job.cancel": self._cancel_job,
            "job.remove": self._remove_job,
        }

    async def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._ending.set)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._load()
            path = addresses.prepare(self._home)
            server = await asyncio.start_unix_server(self._serve, path, limit=_REQUEST_BYTES)
            path.chmod(0o600)
            addresses.publish(self._home, path)
            await self._ending.wait()
            server.close()
            addresses.retire(self._home, path)
            kept = [*self._workloads.values()]
            for _, task in [*kept, *self._jobs.values()]:
                task.cancel()
        if self._stop_workloads:
            await asyncio.gather(*(workload.stop() for workload, _ in kept))

    def _load(self) -> None:
        for folder in sorted((self._home / "workloads").glob("*/")):
            if (folder / "workload.json").exists() or (folder / "generations").exists():
                self._keep(Workload(folder, self._premises))
        for folder in sorted((self._home / "jobs").glob("*/")):
            try:
                job = Job(folder, self._materialiser, self._places)
            except (Refused, ValueError, KeyError, TypeError):
                _say(f"job {folder.name} cannot be read and is left alone")
                continue
            if job.expired:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                self._attend(job)

    def _keep(self, workload: Workload) -> None:
        task = self._tasks.create_task(_guarded(workload.run(), f"workload {workload.uid}"))
        self._workloads[workload.folder.name] = (workload, task)

    def _attend(self, job: Job) -> None:
        task = self._tasks.create_task(_guarded(job.run(), f"job {job.spec.id}"))
        self._jobs[job.folder.name] = (job, task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                request = await _request(reader)
                if isinstance(request, Mapping) and str(request.get("do", "")).endswith(".logs"):
                    await _until_hung_up(self._logs(request, writer), reader)
                else:
                    writer.write(_line(await self._answer(request)))
                await writer.drain()
        finally:
            writer.close()

    async def _answer(self, request: Any) -> dict[str, Any]:
        try:
            verb = self._verbs.get(str(request.get("do"))) if isinstance(request, Mapping) else None
            if verb is None:
                return _error(Refused("UnknownVerb", "the agent does not know this request"))
            return {"ok": await verb(request)}
        except DriverError as problem:
            return _error(problem)
        except OSError as error:
            return _error(DriverError("AgentFailed", f"the node agent: {error.strerror or error}"))
        except Exception as error:  # loop edge: a bad request must not end the agent
            return _error(DriverError("AgentFailed", f"the node agent failed: {error!r}"))

    async def _ping(self, request: Request) -> Any:  # noqa: ARG002
        return {"pid": os.getpid(), "version": addresses.version()}

    async def _stop(self, request: Request) -> Any:
        self._stop_workloads = bool(request.get("workloads"))
        self._ending.set()
        return {}

    async def _apply_workload(self, request: Request) -> Any:
        uid = str(request["uid"])
        inputs, secrets = request["inputs"], request.get("secrets") or {}
        name = records.folder_name(uid)
        known = self._workload(uid)
        if known is None:
            workload = Workload(self._home / "workloads" / name, self._premises)
            workload.apply(uid, str(request.get("name", "")), inputs, secrets)
            self._keep(workload)
            return workload.described()
        known.apply(uid, str(request.get("name", "")), inputs, secrets)
        return known.described()

    async def _observe_workload(self, request: Request) -> Any:
        known = self._workload(str(request["uid"]))
        if known is None:
            return {"exists": False}
        described = known.described()
        if request.get("inputs") is not None:
            described["wanted"] = known.is_wanted(request["inputs"], request.get("secrets") or {})
        return described

    async def _destroy_workload(self, request: Request) -> Any:
        known = self._workload(str(request["uid"]))
        if known is not None:
            known.destroy()
        return {"exists": known is not None}

    async def _list_workloads(self, request: Request) -> Any:  # noqa: ARG002
        return [workload.described() for workload, _ in self._workloads.values() if not workload.gone]

    async def _start_job(self, request: Request) -> Any:
        spec = JobSpec.of(request)
        name = records.folder_name(spec.id)
        if name not in self._jobs:
            folder = self._home / "jobs" / name
            folder.mkdir(parents=True, exist_ok=True)
            records.write(
                folder / "spec.json", {key: value for key, value in request.items() if key != "do"}, durable=True
            )
            self._attend(Job(folder, self._materialiser, self._places))
        return self._jobs[name][0].described()

    async def _observe_job(self, request: Request) -> Any:
        job = self._job(request)
        return job.described() if job else {"exists": False}

    async def _wait_job(self, request: Request) -> Any:
        job = self._job(request)
        if job is None:
            return {"exists": False}
        await job.wait(float(request.get("timeout") or 60))
        return job.described()

    async def _cancel_job(self, request: Request) -> Any:
        job = self._job(request)
        if job is not None:
            job.cancel()
        return job.described() if job else {"exists": False}

    async def _remove_job(self, request: Request) -> Any:
        job = self._job(request)
        if job is None:
            return {"exists": False}
        job.cancel()
        await job.wait(30)
        if not job.finished:
            raise DriverError("StillRunning", f"job {job.spec.id} does not end", retry_after=5)
        del self._jobs[job.folder.name]
        await asyncio.to_thread(job.forget_checkout)
        await asyncio.to_thread(shutil.rmtree, job.folder, ignore_errors=True)
        return {"exists": False}

    async def _logs(self, request: Request, writer: asyncio.StreamWriter) -> None:
        job = self._job(request) if request["do"] == "job.logs" else None
        workload = self._workload(str(request.get("uid"))) if request["do"] == "workload.logs" else None
        path = job.log if job else workload.log(str(request.get("container") or "")) if workload else None
        owner = job or workload
        if path is None or owner is None:
            writer.write(_line(_error(Refused("NotFound", "there is no such log"))))
            return
        count = int(request.get("tail") or 0)
        if not request.get("follow"):
            for line in await asyncio.to_thread(logs.tail, path, count):
                writer.write(_line({"line": owner.redact(line)}))
            return
        async for line in logs.follow(path, count, until=(lambda: job.finished) if job else None):
            writer.write(_line({"line": owner.redact(line)}))
            await writer.drain()

    def _workload(self, uid: str) -> Workload | None:
        found = self._workloads.get(records.folder_name(uid))
        if found is not None and found[0].gone:
            del self._workloads[records.folder_name(uid)]
            return None
        return found[0] if found else None

    def _job(self, request: Request) -> Job | None:
        found = self._jobs.get(records.folder_name(str(request.get("id"))))
        return found[0] if found else None


async def _guarded(work: Awaitable[None], name: str) -> None:
    try:
        await work
    except Exception as error:  # loop edge: one broken thing must not hurt the others
        _say(f"{name} failed: {error!r}")


async def _until_hung_up(work: Coroutine[Any, Any, None], reader: asyncio.StreamReader) -> None:
    """Clients keep their side open while they listen, so its end means that nobody does."""
    async with asyncio.TaskGroup() as tasks:
        answering = tasks.create_task(work)
        listening = tasks.create_task(reader.read())
        await asyncio.wait([answering, listening], return_when=asyncio.FIRST_COMPLETED)
        answering.cancel()
        listening.cancel()


async def _request(reader: asyncio.StreamReader) -> Any:
    try:
        return json.loads(await reader.readline())
    except ValueError:
        return None


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _error(problem: DriverError) -> dict[str, Any]:
    return {
        "error": {
            "reason": problem.reason,
            "message": problem.message,
            "refused": isinstance(problem, Refused),
            "retry_after": problem.retry_after,
        }
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Portway's node agent")
    parser.add_argument("--home", type=Path, required=True)
    home: Path = parser.parse_args().home.absolute()
    os.umask(0o077)
    # Started in the background by a shell, which made it ignore these; programs started here must not.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "agent.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another agent has this home")
            raise SystemExit(0) from None
        asyncio.run(_run(home))


async def _run(home: Path) -> None:
    await Agent(home).run()


if __name__ == "__main__":
    main()
