"""Puts the control plane together: store, API, drivers, controllers, portal. The only place that knows them all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from portway.apiserver.app import ApiServer
from portway.apiserver.settings import Settings as ApiSettings
from portway.bootstrap import administrators, kinds
from portway.bootstrap.errors import StartError
from portway.bootstrap.planning import PlanOnDryRun
from portway.bootstrap.settings import Settings
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.store.caching import Cache
from portway.store.contract import StoreError
from portway.store.sqlite import SqliteStore


@dataclass(frozen=True, slots=True)
class Api:
    """The API and a client of the control plane itself."""

    server: ApiServer
    system: RestClient
    admin_token: str


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[Api]:
    """Store and API server with Portway's kinds installed; closed in the right order."""
    planning = PlanOnDryRun()
    async with AsyncExitStack() as stack:
        cache = await _open_cache(settings.home / "store.db")
        stack.push_async_callback(cache.close)
        own = ApiSettings(ca_certificate=settings.ca_certificate.read_text(), external_url=settings.secure_address)
        server = ApiServer(cache, own, plan_admissions=[planning])
        await server.start()
        stack.push_async_callback(server.close)
        system = RestClient(InProcessTransport(server), "root", server.boot_token)
        await kinds.install(system)
        token = await administrators.ensure_token(system, settings.home)
        yield Api(server, system, token)


async def _open_cache(file: Path) -> Cache:
    cache = Cache(SqliteStore(file))
    try:
        await cache.start()
    except StoreError as error:
        raise StartError(f"The store cannot be opened: {error}.") from error
    return cache
