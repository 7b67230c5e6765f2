"""The stores alone, without the API server over them: `python -m benchmarks.stores [directory]`.

2 KB objects, every write durable. The directory decides which disk is measured: SQLite's file and the data of a
PostgreSQL server that is started for this. Two processes on one database are measured too.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from portway.drivers.postgres import servers
from portway.store.caching import Cache
from portway.store.contract import Event, Key, Put, Record, Store
from portway.store.postgres import PostgresStore
from portway.store.sqlite import SqliteStore

OBJECTS = 10_000
WATCHERS = 200
WATCHED_WRITES = 200
RESOURCE = "things.example.org"
FILL = b"x" * 1_900


def encode(revision: int) -> bytes:
    return b'{"metadata":{"resourceVersion":"%d"},"fill":"%s"}' % (revision, FILL)


def show(name: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{name:<44} {value:>12,.2f} {unit}\n")


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


async def create_all(cache: Cache, connections: int, prefix: str) -> None:
    async def connection(first: int) -> None:
        for number in range(first, OBJECTS, connections):
            await cache.commit([Put(Key(RESOURCE, "root", "default", f"{prefix}{number:06}"), encode, 0)])

    start = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for first in range(connections):
            tasks.create_task(connection(first))
    show(f"creates, {connections} connections", OBJECTS / (time.perf_counter() - start), "/s")


async def list_all(cache: Cache) -> None:
    start = time.perf_counter()
    page = await cache.list(RESOURCE, "root", None, limit=OBJECTS)
    b",".join([record.value for record in page.records])
    show(f"list of {OBJECTS:,} as one body", (time.perf_counter() - start) * 1e3, "ms")
    after: Record | None = None
    start = time.perf_counter()
    for _ in range(20):
        part = await cache.list(
            RESOURCE, "root", None, limit=500, after=after.key if after else None, revision=page.revision
        )
        after = part.records[-1]
    show("page of 500", (time.perf_counter() - start) / 20 * 1e3, "ms")


async def fan_out(cache: Cache) -> None:
    written: dict[int, float] = {}
    delays: list[float] = []

    async def watcher() -> None:
        seen = 0
        async for event in cache.watch(RESOURCE, None, None, start):
            if isinstance(event, Event):
                delays.append(time.perf_counter() - written[event.record.revision])
                seen += 1
                if seen == WATCHED_WRITES:
                    return

    def stamped(revision: int) -> bytes:
        written[revision] = time.perf_counter()
        return encode(revision)

    start = cache.revision
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WATCHERS):
            tasks.create_task(watcher())
        for number in range(WATCHED_WRITES):
            await cache.commit([Put(Key(RESOURCE, "root", "watched", f"n{number}"), stamped, 0)])
            await asyncio.sleep(0.01)
    show(f"{WATCHERS} watchers, 100 writes/s: p50", percentile(delays, 0.5) * 1e3, "ms")
    show(f"{WATCHERS} watchers, 100 writes/s: p99", percentile(delays, 0.99) * 1e3, "ms")


async def measure(make: Callable[[], Store]) -> None:
    cache = Cache(make())
    await cache.start()
    await create_all(cache, 1, "a")
    await create_all(cache, 16, "b")
    await list_all(cache)
    await fan_out(cache)
    await cache.close()
    start = time.perf_counter()
    cache = Cache(make())
    await cache.start()
    show(f"start with {2 * OBJECTS:,} objects", (time.perf_counter() - start) * 1e3, "ms")
    await cache.close()


async def share(dsn: str) -> None:
    """Two caches, as of two processes, on one database."""
    writer, reader = Cache(PostgresStore(dsn)), Cache(PostgresStore(dsn))
    await writer.start()
    await reader.start()
    seen, fresh = [], []
    for number in range(WATCHED_WRITES):
        watch = reader.watch(RESOURCE, None, None, reader.revision)
        waiting = asyncio.ensure_future(watch.batch())
        await asyncio.sleep(0)
        await writer.commit([Put(Key(RESOURCE, "root", "shared", f"n{number}"), encode, 0)])
        start = time.perf_counter()
        await waiting
        seen.append(time.perf_counter() - start)
        await watch.aclose()
        start = time.perf_counter()
        await reader.fresh()
        fresh.append(time.perf_counter() - start)
    show("acknowledged → seen by another: p50", percentile(seen, 0.5) * 1e3, "ms")
    show("acknowledged → seen by another: p99", percentile(seen, 0.99) * 1e3, "ms")
    show("making a read fresh: p50", percentile(fresh, 0.5) * 1e3, "ms")
    await writer.close()
    await reader.close()


async def measure_all(directory: Path) -> None:
    sys.stdout.write("SQLite\n")
    await measure(lambda: SqliteStore(directory / "store.db"))
    server = servers.EmbeddedServer(servers.Settings(directory / "postgres"))
    dsn = (await server.start()).dsn
    try:
        sys.stdout.write("PostgreSQL\n")
        await measure(lambda: PostgresStore(dsn))
        await share(dsn)
    finally:
        await server.stop()


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as directory:
        asyncio.run(measure_all(Path(directory)))


if __name__ == "__main__":
    main()
