"""Which store holds the objects, and how it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from portway.bootstrap.errors import StartError
from portway.bootstrap.settings import Settings
from portway.store.caching import Cache
from portway.store.contract import StoreError
from portway.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from portway.store.postgres import PostgresStore

SHARED_ISSUER = "https://portway.default.svc"
"""Of service-account tokens when several processes, each with an address of its own, must accept them."""


def of(settings: Settings) -> SqliteStore | PostgresStore:
    if settings.store_url:
        from portway.store.postgres import PostgresStore  # its client is needed for it only

        return PostgresStore(settings.store_url)
    return SqliteStore(settings.home / "store.db")


@asynccontextmanager
async def starting(store: SqliteStore | PostgresStore) -> AsyncIterator[None]:
    """Of several processes on one store, one at a time makes what must exist once. Raises StartError."""
    if isinstance(store, SqliteStore):
        yield
        return
    turn = store.starting()
    try:
        await turn.__aenter__()
    except StoreError as error:
        raise _not_opened(error) from error
    try:
        yield
    finally:
        await turn.__aexit__(None, None, None)


async def open_cache(store: SqliteStore | PostgresStore) -> Cache:
    """Raises StartError."""
    cache = Cache(store)
    try:
        await cache.start()
    except StoreError as error:
        raise _not_opened(error) from error
    return cache


def _not_opened(error: StoreError) -> StartError:
    return StartError(f"The store cannot be opened: {error}.")
