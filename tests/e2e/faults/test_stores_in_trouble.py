"""A full disk and a store that stalls: reads go on, writes are refused with a reason, and all is well afterwards."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from benchmarks import serving
from benchmarks.wire import Connection

CONFIGS = "/api/v1/namespaces/default/configmaps"


def config(name: str, fill: str = "") -> bytes:
    return json.dumps({"metadata": {"name": name}, "data": {"fill": fill}}).encode()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
async def test_a_full_disk_refuses_writes_and_nothing_else(small_disk: Path) -> None:
    with serving.served(small_disk / "home") as server:
        await asyncio.to_thread(server.start)
        target = server.target()
        connection = await Connection.open(target)
        stored = 0
        while True:
            answer = await connection.ask(target.request("POST", CONFIGS, config(f"c{stored}", "x" * 200_000)))
            if answer.code != 201:
                break
            stored += 1
        refused = json.loads(answer.body)
        assert (answer.code, refused["reason"]) == (503, "ServiceUnavailable")
        assert "the disk is full" in refused["message"]
        listed = await connection.ask(target.request("GET", f"{CONFIGS}?labelSelector=!x"))
        assert listed.code == 200
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        answer = await connection.ask(target.request("POST", CONFIGS, config("after")))
        assert answer.code == 201
        connection.transport.abort()
        server.stop()
        await asyncio.to_thread(server.start)
        found = await asyncio.to_thread(server.target().ask, "GET", CONFIGS)
        names = {item["metadata"]["name"] for item in found["items"]}
        assert {f"c{number}" for number in range(stored)} | {"after"} <= names


async def test_a_stalled_store_delays_writes_and_no_reads(served: serving.Served) -> None:
    target = served.target()
    writer, reader = await Connection.open(target), await Connection.open(target)
    other = apsw.Connection(str(served.home / "store.db"))
    other.execute("BEGIN IMMEDIATE")
    try:
        writing = writer.ask(target.request("POST", CONFIGS, config("late")))
        for _ in range(20):
            assert (await reader.ask(target.request("GET", CONFIGS))).code == 200
            await asyncio.sleep(0.05)
        assert not writing.done()
    finally:
        other.execute("ROLLBACK")
    assert (await writing).code == 201
    other.execute("BEGIN IMMEDIATE")
    try:
        answer = await writer.ask(target.request("POST", CONFIGS, config("never")))
        assert answer.code == 503, answer
        assert "locked" in json.loads(answer.body)["message"]
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert (await writer.ask(target.request("POST", CONFIGS, config("never")))).code == 201
    for connection in (writer, reader):
        connection.transport.abort()
