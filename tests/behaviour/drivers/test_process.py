"""The node agent, its client and the process driver, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from portway.drivers import pids
from portway.drivers.contract import DriverError, Health, Observation, Plan, Refused, Target
from portway.drivers.process.client import AgentClient, Job
from portway.drivers.process.driver import ProcessDriver

DEADLINE = 60
SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write((os.environ.get("GREETING", "") + " " + str(os.getpid())).encode())
    def log_message(self, *words): print("asked", self.path)
print("listening on", os.environ["PORT"])
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
WEB: dict[str, Any] = {
    "containers": {
        "web": {
            "image": ".",
            "command": ["python3", "-c", SERVER],
            "variables": {"GREETING": {"parts": ["hello ", {"secret": "who"}]}},
            "readinessProbe": {
                "httpGet": {
                    "port": 8080,
                    "path": "/ready",
                    "httpHeaders": [{"name": "X-Token", "value": {"parts": [{"secret": "who"}]}}],
                }
            },
        }
    },
    "ports": {"web": {"port": 80, "targetPort": 8080}},
    "grace_seconds": 5,
}
NOTHING = Plan(())
TARGET = Target("uid-1", "workload", "root:acme:payments", "staging", "orders", WEB, {"who": "s3cret-value"})


def script(text: str, **more: Any) -> dict[str, Any]:
    return {"image": ".", "command": ["/bin/sh", "-c", text], **more}


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[AgentClient]:
    client = AgentClient(tmp_path / "agent")
    yield client
    for workload in await client.ask("workload.list"):
        await client.ask("workload.destroy", uid=workload["uid"])
    await client.stop(workloads=True)


@pytest.fixture
def driver(agent: AgentClient) -> ProcessDriver:
    return ProcessDriver(agent)


async def until(driver: ProcessDriver, target: Target, condition: Callable[[Observation], bool]) -> Observation:
    observed = None
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                observed = await driver.observe(target)
                if condition(observed):
                    return observed
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"never became so; last: {observed}") from None


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.05)


def healthy(observed: Observation) -> bool:
    return observed.health is Health.HEALTHY


def degraded(observed: Observation) -> bool:
    return observed.health is Health.DEGRADED


async def answer(observed: Observation) -> list[str]:
    """[greeting…, pid]."""
    async with httpx.AsyncClient() as http:
        return (await http.get(observed.outputs["url"])).text.split()


async def test_a_workload_serves_with_its_secret_and_port(driver: ProcessDriver) -> None:
    await driver.apply(TARGET, NOTHING)
    observed = await until(driver, TARGET, healthy)
    assert (await answer(observed))[:2] == ["hello", "s3cret-value"]
    assert observed.outputs["endpoints"] == [
        {"name": "web", "url": f"http://127.0.0.1:{observed.outputs['port']}", "port": observed.outputs["port"]}
    ]
    assert observed.outputs["port"] < 32768
    assert "s3cret-value" not in repr(observed)


async def test_secrets_are_in_files_of_the_owner_only(driver: ProcessDriver, tmp_path: Path) -> None:
    await driver.apply(TARGET, NOTHING)
    await until(driver, TARGET, healthy)
    holding = [path for path in (tmp_path / "agent").rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert [path.name for path in holding] == ["spec.json"]
    assert [oct(path.stat().st_mode & 0o777) for path in holding] == ["0o600"]


async def test_a_workload_outlives_a_killed_agent_and_is_adopted_not_doubled(
    driver: ProcessDriver, agent: AgentClient
) -> None:
    await driver.apply(TARGET, NOTHING)
    first = await until(driver, TARGET, healthy)
    before = await answer(first)
    os.kill(await agent.ensure(), signal.SIGKILL)
    after = await until(driver, TARGET, healthy)
    assert await answer(after) == before
    assert after.outputs["containers"][0]["restarts"] == first.outputs["containers"][0]["restarts"]


async def test_an_agent_killed_right_after_a_request_starts_one_process_only(
    driver: ProcessDriver, agent: AgentClient, tmp_path: Path
) -> None:
    noisy = replace(TARGET, inputs={"containers": {"main": script(f"echo $$ >> {tmp_path}/started; sleep 1000")}})
    for attempt in range(5):
        target = replace(noisy, uid=f"uid-{attempt}")
        await driver.apply(target, NOTHING)
        os.kill(await agent.ensure(), signal.SIGKILL)
        await until(driver, target, healthy)
    alive = [pid for pid in (tmp_path / "started").read_text().split() if pids.start_time(int(pid))]
    assert len(alive) == 5


async def test_replacements_cut_by_killed_agents_end_with_one_process(
    driver: ProcessDriver, agent: AgentClient, tmp_path: Path
) -> None:
    target = TARGET
    for number, pause in enumerate((0, 0.02, 0.1, 0.3, 0.4, 0.6)):
        inputs = {"containers": {"main": script(f"echo $$ >> {tmp_path}/started; exec sleep 1000 # {number}")}}
        target = replace(TARGET, inputs=inputs)
        await driver.apply(target, NOTHING)
        await asyncio.sleep(pause)
        os.kill(await agent.ensure(), signal.SIGKILL)
    observed = await until(driver, target, healthy)
    assert dict(observed.drift) == {}

    def alive() -> list[str]:
        return [pid for pid in (tmp_path / "started").read_text().split() if pids.start_time(int(pid))]

    await eventually(lambda: len(alive()) == 1)
    assert pids.command_line(int(alive()[0])).startswith("sleep 1000")


async def test_the_same_spec_changes_nothing_and_a_changed_one_replaces_without_a_gap(driver: ProcessDriver) -> None:
    await driver.apply(TARGET, NOTHING)
    first = await until(driver, TARGET, healthy)
    before = await answer(first)
    await driver.apply(TARGET, NOTHING)
    assert await answer(await until(driver, TARGET, healthy)) == before

    changed = replace(TARGET, secrets={"who": "other"})
    drift = (await driver.observe(changed)).drift
    assert drift == {"secrets": ("the values of now", "earlier values")}
    await driver.apply(changed, NOTHING)
    seen: list[list[str]] = []
    async with asyncio.timeout(DEADLINE):
        while not seen or seen[-1][1] != "other":
            observed = await driver.observe(changed)
            seen.append(await answer(observed))
    assert {words[1] for words in seen} <= {"s3cret-value", "other"}
    await until(driver, changed, healthy)
    await eventually(lambda: not pids.start_time(int(before[-1])))


async def test_a_version_that_does_not_start_leaves_the_one_before_serving(driver: ProcessDriver) -> None:
    await driver.apply(TARGET, NOTHING)
    first = await until(driver, TARGET, healthy)
    broken = replace(TARGET, inputs={**WEB, "containers": {"web": script("echo no database >&2; exit 3")}})
    plan = await driver.plan(broken, await driver.observe(broken))
    assert "containers.web.command" in plan.steps[0].after
    await driver.apply(broken, plan)
    observed = await until(driver, broken, degraded)
    assert "the one before still runs: container web exited with code 3; last lines: no database" in observed.message
    assert (await answer(replace(observed, outputs=first.outputs)))[0] == "hello"
    await driver.apply(TARGET, NOTHING)
    await until(driver, TARGET, healthy)


async def test_a_crash_shows_exit_code_and_last_lines_and_is_started_again(driver: ProcessDriver) -> None:
    crashing = replace(TARGET, inputs={"containers": {"main": script("echo one; echo two; exit 7")}})
    await driver.apply(crashing, NOTHING)
    observed = await until(driver, crashing, degraded)
    assert observed.message == "container main exited with code 7; last lines: one / two"
    again = await until(driver, crashing, lambda seen: seen.outputs["containers"][0]["restarts"] >= 2)
    assert again.outputs["containers"][0]["exit_code"] == 7


async def test_a_secret_that_a_program_prints_is_not_shown(driver: ProcessDriver) -> None:
    words = {"parts": ["echo connecting with ", {"secret": "who"}, "; exit 1"]}
    target = replace(TARGET, inputs={"containers": {"main": {"command": ["/bin/sh", "-c", words]}}})
    await driver.apply(target, NOTHING)
    observed = await until(driver, target, degraded)
    assert observed.message.endswith("last lines: connecting with •••••")
    assert "connecting with •••••" in [line async for line in driver.logs(target, tail=9, follow=False)]


async def test_a_killed_process_is_started_again(driver: ProcessDriver) -> None:
    await driver.apply(TARGET, NOTHING)
    pid = int((await answer(await until(driver, TARGET, healthy)))[-1])
    os.kill(pid, signal.SIGKILL)
    again = await until(driver, TARGET, lambda seen: seen.outputs["containers"][0]["restarts"] == 1 and healthy(seen))
    assert int((await answer(again))[-1]) != pid
    assert again.outputs["containers"][0]["exit_code"] == 137


async def test_containers_start_in_order_and_preparations_run_once(driver: ProcessDriver, tmp_path: Path) -> None:
    inputs = {
        "containers": {
            "main": script(f"echo main >> {tmp_path}/order; sleep 1000"),
            "prepare": script(f"sleep 0.3; echo prepare >> {tmp_path}/order", before={"main": {"ready": "complete"}}),
            "late": script(f"echo late >> {tmp_path}/order; sleep 1000"),
        }
    }
    inputs["containers"]["main"]["before"] = {"late": {"ready": "healthy"}}
    target = replace(TARGET, inputs=inputs)
    await driver.apply(target, NOTHING)
    observed = await until(driver, target, healthy)
    assert (tmp_path / "order").read_text().split() == ["prepare", "main", "late"]
    states = {one["name"]: one["state"] for one in observed.outputs["containers"]}
    assert states == {"main": "running", "prepare": "completed", "late": "running"}


async def test_files_and_volumes_of_both_forms_are_there(driver: ProcessDriver, tmp_path: Path) -> None:
    container = script(
        f"cat /etc/app/a.txt /etc/app/b.bin > {tmp_path}/out; "
        f"echo kept >> /data/kept; cat /data/kept >> {tmp_path}/out; "
        f"stat -c %a /etc/app/a.txt >> {tmp_path}/out; echo $WHERE >> {tmp_path}/out; echo $(PLAIN) $$(PLAIN) "
        f">> {tmp_path}/out; sleep 1000",
        files=[{"target": "/etc/app/a.txt", "content": {"parts": ["a=", {"secret": "who"}, "\n"]}, "mode": "0640"}],
        volumes={"/data": {"source": "store"}},
        variables={"WHERE": "file:/data/x", "PLAIN": "yes"},
    )
    container["files"].append({"target": "/etc/app/b.bin", "binaryContent": "Yg=="})
    target = replace(TARGET, inputs={"containers": {"main": container}})
    await driver.apply(target, NOTHING)
    await until(driver, target, healthy)
    said = (tmp_path / "out").read_text().splitlines()
    assert said[:3] == ["a=s3cret-value", "bkept", "640"]
    assert said[3].endswith("/root/main/data/x")
    assert said[4].startswith("yes")
    await driver.apply(replace(target, secrets={"who": "else"}), NOTHING)
    await eventually(lambda: {"a=else", "yes"} <= set((tmp_path / "out").read_text().split()))
    assert (tmp_path / "out").read_text().count("kept") == 2


@pytest.mark.slow
async def test_a_liveness_probe_that_fails_restarts(driver: ProcessDriver, tmp_path: Path, agent: AgentClient) -> None:
    main = script(
        f"touch {tmp_path}/alive; sleep 1000", livenessProbe={"exec": {"command": ["test", "-e", f"{tmp_path}/alive"]}}
    )
    target = replace(TARGET, inputs={"containers": {"main": main}, "grace_seconds": 1})
    await driver.apply(target, NOTHING)
    await until(driver, target, healthy)
    (tmp_path / "alive").unlink()
    observed = await until(driver, target, lambda seen: seen.outputs["containers"][0]["restarts"] == 1)
    assert observed.outputs["containers"][0]["exit_code"] == 143


async def test_memory_above_the_limit_ends_the_process(driver: ProcessDriver) -> None:
    main = {
        "command": ["python3", "-c", "import time; x = bytearray(200 * 2**20); time.sleep(1000)"],
        "resources": {"limits": {"memory": "64Mi", "cpu": "500m"}},
    }
    target = replace(TARGET, inputs={"containers": {"main": main}, "grace_seconds": 1})
    await driver.apply(target, NOTHING)
    observed = await until(driver, target, degraded)
    assert "its limit is 64 MiB" in observed.message
    assert observed.outputs["notes"] == ["container main: the CPU limit only lowers its priority"]


async def test_a_service_port_that_nobody_answers_is_said(driver: ProcessDriver) -> None:
    target = replace(TARGET, inputs={"containers": {"main": script("sleep 1000")}, "ports": {"web": {"port": 80}}})
    await driver.apply(target, NOTHING)
    observed = await until(driver, target, lambda seen: "nothing listens on port" in seen.message)
    assert observed.health is Health.PROGRESSING


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"containers": {"main": {"image": "nginx:1", "command": ["x"]}}}, "containers.main.image is 'nginx:1'"),
        ({"containers": {"main": {"image": "."}}}, "containers.main.command must say how to start"),
        ({"containers": {}}, "containers must name at least one"),
        ({"containers": {"main": script("x", files={"/../x": {"content": ""}})}}, "must not leave its folder"),
        ({"containers": {"main": script("x", before={"other": {"ready": "started"}})}}, "names no container"),
        (
            {"containers": {"a": script("x", before={"b": {}}), "b": script("x", before={"a": {}})}},
            "wait for each other in a circle: a, b",
        ),
        ({"containers": {"main": script("x")}, "source": {"path": "/x", "revision": "main"}}, "whole commit id"),
    ],
)
async def test_bad_inputs_are_refused_with_their_field(
    driver: ProcessDriver, inputs: dict[str, Any], message: str
) -> None:
    target = replace(TARGET, inputs=inputs)
    with pytest.raises(Refused, match=message):
        await driver.apply(target, NOTHING)
    assert not (await driver.observe(target)).exists


async def test_a_broken_record_hurts_only_its_own_workload(
    driver: ProcessDriver, agent: AgentClient, tmp_path: Path
) -> None:
    other = replace(TARGET, uid="uid-2")
    await driver.apply(TARGET, NOTHING)
    await driver.apply(other, NOTHING)
    await until(driver, TARGET, healthy)
    await until(driver, other, healthy)
    await agent.stop()
    (tmp_path / "agent" / "workloads" / "uid-2" / "generations" / "1" / "spec.json").write_text("{")
    (tmp_path / "agent" / "workloads" / "junk").mkdir()
    assert healthy(await until(driver, TARGET, healthy))
    broken = await until(driver, other, degraded)
    assert "cannot be read" in broken.message
    await driver.apply(other, NOTHING)
    await until(driver, other, healthy)


async def test_destroy_ends_the_process_and_leaves_nothing(driver: ProcessDriver, tmp_path: Path) -> None:
    await driver.apply(TARGET, NOTHING)
    pid = int((await answer(await until(driver, TARGET, healthy)))[-1])
    await driver.destroy(TARGET)
    await until(driver, TARGET, lambda seen: not seen.exists)
    assert pids.start_time(pid) == ""
    assert list((tmp_path / "agent" / "workloads").iterdir()) == []


async def test_a_stopped_agent_with_workloads_starts_them_again_next_time(
    driver: ProcessDriver, agent: AgentClient
) -> None:
    await driver.apply(TARGET, NOTHING)
    pid = int((await answer(await until(driver, TARGET, healthy)))[-1])
    await agent.stop(workloads=True)
    assert pids.start_time(pid) == ""
    again = await until(driver, TARGET, healthy)
    assert int((await answer(again))[-1]) != pid
    assert again.outputs["containers"][0]["restarts"] == 0


async def test_logs_are_tailed_and_followed(driver: ProcessDriver) -> None:
    talking = script("for i in 1 2 3; do echo line $i; done; sleep 0.5; echo later; sleep 1000")
    target = replace(TARGET, inputs={"containers": {"main": talking}})
    await driver.apply(target, NOTHING)
    await until(driver, target, healthy)
    heard = []
    async with asyncio.timeout(DEADLINE):
        lines = driver.logs(target, tail=2, follow=True)
        async for line in lines:
            heard.append(line)
            if line == "later":
                break
        await lines.aclose()  # type: ignore[attr-defined]
    assert heard == ["line 2", "line 3", "later"] or heard == ["line 3", "later"]
    assert [line async for line in driver.logs(target, tail=2, follow=False)] == ["line 3", "later"]


async def test_without_an_agent_and_not_allowed_to_start_one_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="no node agent answers"):
        await AgentClient(tmp_path, starting=False).ask("ping")


async def test_many_clients_start_one_agent(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 30)
    clients = [AgentClient(deep) for _ in range(3)]
    found = await asyncio.gather(*(client.ensure() for client in clients))
    assert len(set(found)) == 1
    await clients[0].stop()


def commit(folder: Path, files: dict[str, str | bytes]) -> str:
    """A new commit with these files in a git repository at ``folder``."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *words], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def wheel(folder: Path) -> bytes:
    path = folder / "greetings-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greetings.py", "WORD = 'from the wheel'\n")
        archive.writestr("greetings-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
        archive.writestr(
            "greetings-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("greetings-1.0.dist-info/RECORD", "")
    return path.read_bytes()


async def test_a_source_is_checked_out_and_its_requirements_installed(driver: ProcessDriver, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    revision = commit(
        repository,
        {
            "requirements.txt": "./greetings-1.0-py3-none-any.whl\n",
            "greetings-1.0-py3-none-any.whl": wheel(tmp_path),
            "app.py": "import greetings, time\nprint(greetings.WORD)\ntime.sleep(1000)\n",
        },
    )
    source = {"path": str(repository), "revision": revision}
    target = replace(TARGET, inputs={"containers": {"main": {"command": ["python", "app.py"]}}, "source": source})
    await driver.apply(target, NOTHING)
    await until(driver, target, healthy)
    assert [line async for line in driver.logs(target, tail=1, follow=False)] == ["from the wheel"]


async def test_a_commit_that_is_not_there_is_said(driver: ProcessDriver, tmp_path: Path) -> None:
    commit(tmp_path / "repository", {"a": "b"})
    source = {"path": str(tmp_path / "repository"), "revision": "0" * 40}
    target = replace(TARGET, inputs={"containers": {"main": {"command": ["true"]}}, "source": source})
    await driver.apply(target, NOTHING)
    observed = await until(driver, target, degraded)
    assert observed.message.startswith("commit 000000000000 cannot be checked out: ")


async def test_jobs_run_once_in_a_shared_checkout_with_log_and_exit_code(agent: AgentClient, tmp_path: Path) -> None:
    revision = commit(tmp_path / "repository", {"hello.txt": "hello\n"})
    shared = Job("run-1", "", group="run-1", repository=str(tmp_path / "repository"), revision=revision)
    run = "cat hello.txt; echo made > made.txt; echo $WORD"
    first = replace(shared, id="run-1-a", run=run, environment={"WORD": "x y"})
    await agent.start_job(first)
    done = await agent.wait_job("run-1-a", DEADLINE)
    assert (done.phase, done.exit_code) == ("succeeded", 0)
    assert [line async for line in agent.job_logs("run-1-a")] == ["hello", "x y"]
    assert (await agent.start_job(first)) == done
    await agent.start_job(replace(shared, id="run-1-b", run="cat made.txt; python --version; false; echo no"))
    failed = await agent.wait_job("run-1-b", DEADLINE)
    assert (failed.phase, failed.exit_code) == ("failed", 1)
    assert failed.message.startswith("exited with code 1; last lines: made / Python 3")
    await agent.remove_job("run-1-a")
    assert not (await agent.observe_job("run-1-a")).exists


async def test_a_job_is_ended_by_its_timeout_and_by_cancel_and_survives_the_agent(agent: AgentClient) -> None:
    await agent.start_job(Job("slow", "echo begun; sleep 1000", timeout=0.5))
    slow = await agent.wait_job("slow", DEADLINE)
    assert (slow.phase, slow.message) == ("failed", "it took longer than 0.5 s")
    await agent.start_job(Job("unwanted", "sleep 1000"))
    await agent.cancel_job("unwanted")
    assert (await agent.wait_job("unwanted", DEADLINE)).phase == "cancelled"
    await agent.start_job(Job("lasting", "sleep 1; echo done"))
    assert (await agent.wait_job("lasting", 0.3)).phase == "running"
    os.kill(await agent.ensure(), signal.SIGKILL)
    assert (await agent.wait_job("lasting", DEADLINE)).phase == "succeeded"
    assert [line async for line in agent.job_logs("lasting", follow=True)] == ["done"]
