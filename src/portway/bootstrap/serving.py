"""The API alone: store, API server and Portway's own kinds. All else of the control plane is a client of it.

Imports nothing of drivers, controllers and portal, so that a process that only serves the API starts fast and small.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from portway.apiserver.app import ApiServer
from portway.apiserver.sealing import Envelope, SealError
from portway.apiserver.settings import Settings as ApiSettings
from portway.bootstrap import administrators, auditlogs, keyrings, kinds, leading, stores
from portway.bootstrap.errors import StartError
from portway.bootstrap.planning import PlanOnDryRun
from portway.bootstrap.settings import Settings
from portway.bootstrap.vetting import VetOnWrite
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.kit.backgrounds import background
from portway.kit.clocks import SystemClock
from portway.runtime.leases import LeaderLease


@dataclass(frozen=True, slots=True)
class Api:
    """The API and a client of the control plane itself."""

    server: ApiServer
    system: RestClient
    admin_token: str
    planning: PlanOnDryRun
    vetting: VetOnWrite


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[Api]:
    """Store and API server with Portway's kinds installed; closed in the right order."""
    planning, vetting = PlanOnDryRun(), VetOnWrite()
    gc.disable()  # loading makes objects that stay: nothing to find among them
    async with AsyncExitStack() as stack:
        stack.callback(gc.enable)
        store = stores.of(settings)
        own = ApiSettings(
            ca_certificate=settings.ca_certificate.read_text(),
            external_url=settings.external_address,
            issuer=stores.SHARED_ISSUER if settings.store_url else settings.external_address,
            issuers=settings.issuers,
            home_groups=settings.home_groups,
            housekeeping=not settings.store_url,
        )
        envelope = Envelope(keyrings.open_keyring(settings.home))
        async with stores.starting(store):
            cache = await stores.open_cache(store)
            stack.push_async_callback(cache.close)
            auditor = stack.enter_context(auditlogs.open_auditor(settings))
            server = ApiServer(cache, own, sealer=envelope, plan_admissions=[vetting, planning], auditor=auditor)
            try:
                await server.start()
            except SealError as error:
                keys = settings.home / "keys"
                raise StartError(f"{error}. Put the files of {keys} back from a backup.") from error
            stack.push_async_callback(server.close)
            system = RestClient(InProcessTransport(server), "root", server.boot_token)
            await kinds.install(system)
            token = await administrators.ensure_token(system, settings.home, shared=bool(settings.store_url))
        _calm_collector()
        if settings.store_url:
            tasks = await stack.enter_async_context(background())
            tasks.start(leading.lead(lease(system, "housekeeping"), server.keep_house), "housekeeping")
        yield Api(server, system, token, planning, vetting)


def lease(system: RestClient, work: str) -> LeaderLease:
    return LeaderLease(system.at("root"), f"portway-{work}", SystemClock())


def _calm_collector() -> None:
    """What is loaded stays, so it is never looked at again; a request makes thousands of objects and few cycles."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
