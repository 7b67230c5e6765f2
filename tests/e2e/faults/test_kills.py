"""SIGKILL at random points under concurrent writers: what was acknowledged is there, and nobody hangs.

PORTWAY_KILL_ROUNDS says how often (the suite: 3; the long run: 200), on each store.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from benchmarks import serving
from benchmarks.wire import Connection, Target

ROUNDS = int(os.environ.get("PORTWAY_KILL_ROUNDS", "3"))
WRITERS = 8
PATH = "/api/v1/namespaces/default/configmaps"


@dataclass
class Writer:
    """Creates objects and updates its last one; knows what was acknowledged, and what may have happened."""

    prefix: str
    acknowledged: dict[str, int] = field(default_factory=dict)
    attempted: dict[str, int] = field(default_factory=dict)
    revision: int = 0
    made: int = 0

    async def run(self, target: Target) -> None:
        """Until the server is gone."""
        try:
            connection = await Connection.open(target)
        except OSError:
            return
        try:
            while True:
                await self._write(target, connection)
        except (ConnectionError, OSError):
            return
        finally:
            connection.transport.abort()

    async def _write(self, target: Target, connection: Connection) -> None:
        known = list(self.acknowledged)
        if known and random.random() < 0.5:
            name = random.choice(known)
            number = max(self.acknowledged[name], self.attempted[name]) + 1
            method, path = "PUT", f"{PATH}/{name}"
        else:
            self.made += 1
            name, number, method, path = f"{self.prefix}-{self.made}", 1, "POST", PATH
        self.attempted[name] = number
        body = {"metadata": {"name": name}, "data": {"number": str(number), "fill": "x" * 500}}
        async with asyncio.timeout(30):
            answer = await connection.ask(target.request(method, path, json.dumps(body).encode()))
        assert answer.code in (200, 201), answer
        revision = int(json.loads(answer.body)["metadata"]["resourceVersion"])
        assert revision > self.revision, "revisions only grow"
        self.acknowledged[name], self.revision = number, revision


async def _round(server: serving.Served, writers: list[Writer]) -> None:
    target = server.target()
    writing = [asyncio.create_task(writer.run(target)) for writer in writers]
    await asyncio.sleep(random.uniform(0.05, 0.8))
    os.kill(server.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        await asyncio.gather(*writing)


def _check(server: serving.Served, writers: list[Writer]) -> int:
    listed = server.target().ask("GET", PATH)
    stored = {item["metadata"]["name"]: int((item.get("data") or {}).get("number", 0)) for item in listed["items"]}
    for writer in writers:
        for name, number in writer.acknowledged.items():
            assert number <= stored.get(name, 0) <= writer.attempted[name], (name, number, stored.get(name))
        for name, number in writer.attempted.items():
            if name in stored:
                writer.acknowledged[name] = writer.attempted[name] = stored[name]
            assert number >= stored.get(name, 0)
    return len(stored)


@pytest.mark.slow
@pytest.mark.timeout(60 + 20 * ROUNDS)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_no_acknowledged_write_is_lost(tmp_path: Path, store: str, request: pytest.FixtureRequest) -> None:
    store_url = request.getfixturevalue("database") if store == "postgresql" else ""
    writers = [Writer(f"w{number}") for number in range(WRITERS)]
    with serving.served(tmp_path / "home", store_url) as server:
        server.start()
        for _ in range(ROUNDS):
            asyncio.run(_round(server, writers))
            server.stop()  # collects the killed process
            server.start()
            _check(server, writers)
    assert sum(len(writer.acknowledged) for writer in writers) > WRITERS
