"""Creates and replaces objects from many coroutines, and prints ``name revision`` after each acknowledgement."""

from __future__ import annotations

import asyncio
import sys

from portway.store.caching import Cache
from portway.store.contract import Key, Put
from portway.store.postgres import PostgresStore
from portway.store.sqlite import SqliteStore


async def write(cache: Cache, prefix: str) -> None:
    for number in range(100_000):
        key = Key("configmaps", "root", "default", f"{prefix}-{number}")
        for _ in range(2):
            present = cache.get(key)
            expect = present.revision if present else 0
            [record] = await cache.commit([Put(key, lambda revision: b'{"at":%d}' % revision, expect)])
            sys.stdout.write(f"{key.name} {record.revision}\n")
            sys.stdout.flush()


async def main(path: str, round_number: str) -> None:
    cache = Cache(PostgresStore(path) if path.startswith("postgresql:") else SqliteStore(path))
    await cache.start()
    async with asyncio.TaskGroup() as group:
        for writer in range(8):
            group.create_task(write(cache, f"r{round_number}-w{writer}"))


asyncio.run(main(*sys.argv[1:]))
