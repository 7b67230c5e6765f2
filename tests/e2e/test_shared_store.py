"""Several API processes on one PostgreSQL database, one of them killed under load."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from portway.bootstrap import keyrings

PROCESS = Path(__file__).parent / "api_process.py"
CONFIGS = "/api/v1/namespaces/default/configmaps"
DEADLINE_SECONDS = 60


@dataclass
class ApiProcess:
    home: Path
    port: int
    process: subprocess.Popen[str]
    token: str = field(default="")

    @classmethod
    def start(cls, home: Path, store_url: str) -> ApiProcess:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, str(PROCESS), str(home), str(port), store_url],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        return cls(home, port, process)

    def await_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.token = (self.home / "tokens" / "admin").read_text().strip()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"authorization": f"Bearer {self.token}"},
            timeout=DEADLINE_SECONDS,
        )

    def end(self, number: int = signal.SIGKILL) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(DEADLINE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def pair(database: str, tmp_path: Path) -> Iterator[tuple[ApiProcess, ApiProcess]]:
    """Started at the same moment on an empty database, with the same keys."""
    keyrings.open_keyring(tmp_path / "one")
    shutil.copytree(tmp_path / "one" / "keys", tmp_path / "two" / "keys")
    one, two = (ApiProcess.start(tmp_path / name, database) for name in ("one", "two"))
    try:
        one.await_ready()
        two.await_ready()
        yield one, two
    finally:
        one.end()
        two.end()


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def ok(answer: Any) -> Any:
    received = await answer
    assert received.status_code < 300, received.text
    return received.json()


async def test_what_one_process_acknowledged_holds_for_the_next_request_to_another(
    pair: tuple[ApiProcess, ApiProcess],
) -> None:
    one, two = pair
    async with one.client() as first, two.client() as second:
        for number in range(20):
            here, there = (first, second) if number % 2 else (second, first)
            namespace = f"n{number}"
            await ok(here.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}))
            made = await ok(there.post(f"/api/v1/namespaces/{namespace}/configmaps", json=config("a")))
            path = f"/api/v1/namespaces/{namespace}/configmaps/a"
            assert (await ok(here.get(path))) == made
            changed = await ok(here.put(path, json={**made, "data": {"k": "v"}}))
            assert (await ok(there.get(path))) == changed
            crossed = await there.put(path, json={**made, "data": {"k": "w"}})
            assert crossed.status_code == 409
            patched = await ok(
                there.patch(path, json={"data": {"k": "x"}}, headers={"content-type": "application/merge-patch+json"})
            )
            listed = await ok(here.get(f"/api/v1/namespaces/{namespace}/configmaps"))
            assert patched in [{"kind": "ConfigMap", "apiVersion": "v1", **item} for item in listed["items"]]


async def test_sigkill_of_one_process_under_load_loses_nothing_and_hangs_nobody(
    pair: tuple[ApiProcess, ApiProcess],
) -> None:
    one, two = pair
    acknowledged: set[str] = set()
    seen: set[str] = set()
    killed = asyncio.Event()

    async def write(clients: list[httpx.AsyncClient], prefix: str) -> None:
        after = 0
        for number in range(100_000):
            name = f"{prefix}-{number}"
            try:
                answer = await clients[0].post(CONFIGS, json=config(name))
            except httpx.TransportError:
                clients = clients[::-1]
                continue
            assert answer.status_code == 201, answer.text
            acknowledged.add(name)
            after += killed.is_set()
            if after == 20:
                return

    async def watch(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", CONFIGS, params={"watch": "true"}) as lines:
            async for line in lines.aiter_lines():
                seen.add(json.loads(line)["object"]["metadata"]["name"])
                if killed.is_set() and done.is_set() and acknowledged <= seen:
                    return

    done = asyncio.Event()
    async with one.client() as first, two.client() as second, asyncio.timeout(DEADLINE_SECONDS):
        watching = asyncio.create_task(watch(second))
        async with asyncio.TaskGroup() as writers:
            for number in range(4):
                writers.create_task(write([first, second], f"a{number}"))
                writers.create_task(write([second, first], f"b{number}"))
            while len(acknowledged) < 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            one.process.send_signal(signal.SIGKILL)
            killed.set()
        done.set()
        acknowledged.add("last")
        await ok(second.post(CONFIGS, json=config("last")))
        await watching
        listed = await ok(second.get(CONFIGS))
        assert not acknowledged - {item["metadata"]["name"] for item in listed["items"]}


async def test_the_housekeeping_goes_on_in_another_process_when_the_one_that_led_is_killed(
    pair: tuple[ApiProcess, ApiProcess],
) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/portway-system/leases/portway-housekeeping"
    one, two = pair
    async with one.client() as first, two.client() as second:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (lease := await first.get(leases)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        leader = int(lease.json()["spec"]["holderIdentity"].split("/")[1])
        killed, left = (one, second) if leader == one.process.pid else (two, first)
        await ok(left.post("/api/v1/namespaces", json={"metadata": {"name": "going"}}))
        await ok(left.post("/api/v1/namespaces/going/configmaps", json=config("a")))
        killed.end()
        await ok(left.delete("/api/v1/namespaces/going"))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (await left.get("/api/v1/namespaces/going")).status_code != 404:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
