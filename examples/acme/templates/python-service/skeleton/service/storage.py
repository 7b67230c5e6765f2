"""Where the ${{ values.records }} are kept: PostgreSQL, or memory when no database is given."""

from __future__ import annotations

import itertools
from typing import Protocol

import asyncpg

TABLE = """
CREATE TABLE IF NOT EXISTS ${{ values.records }} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL,
    total numeric(12, 2) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)
"""


class Storage(Protocol):
    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def ping(self) -> None: ...
    async def add(self, customer: str, total: float) -> dict: ...
    async def get(self, number: int) -> dict | None: ...
    async def newest(self, limit: int) -> list[dict]: ...


class MemoryStorage:
    def __init__(self) -> None:
        self._rows: dict[int, dict] = {}
        self._numbers = itertools.count(1)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None: ...

    async def add(self, customer: str, total: float) -> dict:
        row = {"id": next(self._numbers), "customer": customer, "total": total}
        self._rows[row["id"]] = row
        return row

    async def get(self, number: int) -> dict | None:
        return self._rows.get(number)

    async def newest(self, limit: int) -> list[dict]:
        return list(reversed(self._rows.values()))[:limit]


class PostgresStorage:
    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=5)
        await self._pool.execute(TABLE)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    async def ping(self) -> None:
        await self._pool.execute("SELECT 1")

    async def add(self, customer: str, total: float) -> dict:
        query = "INSERT INTO ${{ values.records }} (customer, total) VALUES ($1, $2::float8) RETURNING *"
        return _plain(await self._pool.fetchrow(query, customer, total))

    async def get(self, number: int) -> dict | None:
        row = await self._pool.fetchrow("SELECT * FROM ${{ values.records }} WHERE id = $1", number)
        return None if row is None else _plain(row)

    async def newest(self, limit: int) -> list[dict]:
        rows = await self._pool.fetch("SELECT * FROM ${{ values.records }} ORDER BY id DESC LIMIT $1", limit)
        return [_plain(row) for row in rows]


def open_storage(url: str | None) -> Storage:
    return PostgresStorage(url) if url else MemoryStorage()


def _plain(row: asyncpg.Record) -> dict:
    return {"id": row["id"], "customer": row["customer"], "total": float(row["total"])}
