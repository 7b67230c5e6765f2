"""The loads put on an API server, each in client processes of its own: writes, reads and watches of 2 KB objects."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

import orjson
import uvloop

from benchmarks.wire import Connection, Target

GROUP = "bench.example.org"
COLLECTION = f"/apis/{GROUP}/v1/namespaces/bench/widgets"
_STAMP = re.compile(rb'"sent":"(\d+)"')
_APPLY = "application/apply-patch+yaml"

DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"widgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget", "singular": "widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size", "parts"],
                                "properties": {
                                    "size": {"type": "integer", "minimum": 0},
                                    "colour": {"type": "string", "enum": ["red", "green"]},
                                    "sent": {"type": "string", "maxLength": 64},
                                    "text": {"type": "string"},
                                    "settings": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "parts": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                        "items": {
                                            "type": "object",
                                            "required": ["name"],
                                            "properties": {
                                                "name": {"type": "string"},
                                                "count": {"type": "integer"},
                                                "ratio": {"type": "number"},
                                            },
                                        },
                                    },
                                },
                            },
                            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}


def widget(name: str, number: int, sent: str = "") -> dict[str, Any]:
    """About 2 KB as JSON."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "bench", "labels": {"app": "bench", "shard": str(number % 10)}},
        "spec": {
            "size": number,
            "colour": "green",
            "sent": sent,
            "text": "lorem ipsum dolor sit amet " * 40,
            "settings": {f"setting-{index}": f"value {index}" for index in range(12)},
            "parts": [{"name": f"part-{index}", "count": index, "ratio": 0.5} for index in range(6)],
        },
    }


@dataclass(frozen=True)
class Load:
    """What one client process does for ``seconds``, once all of them are ready."""

    target: Target
    what: str
    """create, get, update or apply."""
    prefix: str
    """Of the names of objects it makes, its own."""
    connections: int
    seconds: float
    names: tuple[str, ...] = ()
    """What to get."""
    total: int = 0
    """Stop after this many instead of after ``seconds``."""


def rate(target: Target, what: str, connections: int, seconds: float, prefix: str, names: Sequence[str] = ()) -> float:
    """Requests per second over all connections, which two processes share."""
    shares = [connections] if connections < 2 else [connections // 2, connections - connections // 2]
    loads = [
        Load(target, what, f"{prefix}-{index}", share, seconds, tuple(names)) for index, share in enumerate(shares)
    ]
    return sum(_in_processes(run_load, loads)) / seconds


def fill(target: Target, count: int, prefix: str) -> None:
    """Create so many objects."""
    loads = [Load(target, "create", f"{prefix}-{i}", 8, 3600.0, total=count // 2) for i in range(2)]
    assert sum(_in_processes(run_load, loads)) == count // 2 * 2


def run_load(load: Load) -> int:
    """Requests answered within the time."""
    return uvloop.run(_load(load))


async def _load(load: Load) -> int:
    connections = [await Connection.open(load.target) for _ in range(load.connections)]
    steps = [_STEPS[load.what](load, index, connection) for index, connection in enumerate(connections)]
    for step in steps:
        await anext(step)  # what it needs before the time counts
    await asyncio.to_thread(_together[0].wait)
    left, end = itertools.count(1), time.monotonic() + load.seconds
    counts = await asyncio.gather(*(_count(load, step, left, end) for step in steps))
    for connection in connections:
        connection.transport.abort()
    return sum(counts)


async def _count(load: Load, step: AsyncIterator[None], left: itertools.count[int], end: float) -> int:
    done = 0
    while time.monotonic() < end and (not load.total or next(left) <= load.total):
        await anext(step)
        done += time.monotonic() < end
    return done


async def _creating(load: Load, index: int, connection: Connection) -> AsyncIterator[None]:
    yield
    for number in itertools.count():
        body = orjson.dumps(widget(f"{load.prefix}-{index}-{number}", number))
        answer = await connection.ask(load.target.request("POST", COLLECTION, body))
        assert answer.code == 201, answer
        yield


async def _getting(load: Load, index: int, connection: Connection) -> AsyncIterator[None]:
    choice = random.Random(index)
    yield
    while True:
        path = f"{COLLECTION}/{choice.choice(load.names)}"
        answer = await connection.ask(load.target.request("GET", path))
        assert answer.code == 200, answer
        yield


async def _updating(load: Load, index: int, connection: Connection) -> AsyncIterator[None]:
    """Each connection has an object of its own and writes over what it was answered last."""
    name = f"{load.prefix}-{index}"
    answer = await connection.ask(
        load.target.request("POST", COLLECTION, orjson.dumps(widget(name, 0))),
    )
    assert answer.code == 201, answer
    yield
    for number in itertools.count(1):
        manifest = orjson.loads(answer.body)
        manifest["spec"]["size"] = number
        body = orjson.dumps(manifest)
        answer = await connection.ask(load.target.request("PUT", f"{COLLECTION}/{name}", body))
        assert answer.code == 200, answer
        yield


async def _applying(load: Load, index: int, connection: Connection) -> AsyncIterator[None]:
    name = f"{load.prefix}-{index}"
    for number in itertools.count():
        body = orjson.dumps(widget(name, number))
        path = f"{COLLECTION}/{name}?fieldManager=bench&force=true"
        answer = await connection.ask(load.target.request("PATCH", path, body, _APPLY))
        assert answer.code in (200, 201), answer
        yield


_STEPS: dict[str, Callable[[Load, int, Connection], AsyncIterator[None]]] = {
    "create": _creating,
    "get": _getting,
    "update": _updating,
    "apply": _applying,
}


@dataclass(frozen=True)
class Watch:
    target: Target
    watchers: int
    events: int
    """Each watcher ends after so many."""
    revision: str


class _Watcher(asyncio.Protocol):
    def __init__(self, events: int, delays: list[float]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = events
        self._delays = delays
        self._tail = b""

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        text = self._tail + data
        end = text.rfind(b'"text"') + 1  # comes after the stamp
        self._tail = text[end:]
        for stamp in _STAMP.findall(text, 0, end):
            self._delays.append((now - int(stamp)) / 1e6)
            self._left -= 1
        if self._left <= 0 and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"watch ended with {self._left} events to come: {exc}"))


def run_watch(watch: Watch) -> list[float]:
    """Milliseconds from write to arrival, of every event at every watcher."""
    return uvloop.run(_watch(watch))


async def _watch(watch: Watch) -> list[float]:
    loop = asyncio.get_running_loop()
    delays: list[float] = []
    watchers: list[_Watcher] = []
    for _ in range(watch.watchers):
        transport, watcher = await loop.create_connection(
            lambda: _Watcher(watch.events, delays), watch.target.host, watch.target.port, ssl=watch.target.tls
        )
        path = f"{COLLECTION}?watch=true&resourceVersion={watch.revision}&timeoutSeconds=300"
        transport.write(watch.target.request("GET", path))
        watchers.append(watcher)
    async with asyncio.timeout(120):
        await asyncio.gather(*(watcher.done for watcher in watchers))
    return delays


def run_writer(arguments: tuple[Target, int, float]) -> int:
    """Creates at a steady rate, each stamped with the time it was sent."""
    return uvloop.run(_write(*arguments))


async def _write(target: Target, events: int, every: float) -> int:
    free = [await Connection.open(target) for _ in range(8)]

    async def one(number: int, connection: Connection) -> None:
        body = orjson.dumps(widget(f"fan-{number}", number, str(time.monotonic_ns())))
        answer = await connection.ask(target.request("POST", COLLECTION, body))
        assert answer.code == 201, answer
        free.append(connection)

    await asyncio.sleep(2.0)  # the watchers are there by then
    start = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(events):
            await asyncio.sleep(max(start + number * every - time.monotonic(), 0))
            connection = free.pop() if free else await Connection.open(target)
            tasks.create_task(one(number, connection))
    return events


def fan_out(target: Target, watchers: int, events: int, every: float) -> list[float]:
    """Delays in milliseconds, sorted."""
    revision = target.ask("GET", f"{COLLECTION}?limit=1")["metadata"]["resourceVersion"]
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        watching = [pool.submit(run_watch, Watch(target, watchers // 2, events, revision)) for _ in range(2)]
        pool.submit(run_writer, (target, events, every)).result()
        return sorted(delay for each in watching for delay in each.result())


_together: list[Barrier] = []
"""Of this client process: where all of them wait for each other."""


def _in_processes(run: Callable[[Load], int], loads: Sequence[Load]) -> list[int]:
    spawning = get_context("spawn")
    barrier = spawning.Barrier(len(loads))
    with ProcessPoolExecutor(len(loads), spawning, initializer=_join, initargs=(barrier,)) as pool:
        return list(pool.map(run, loads))


def _join(barrier: Barrier) -> None:
    _together.append(barrier)
