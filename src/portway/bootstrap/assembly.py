"""Puts the control plane together: store, API, drivers, controllers, portal. The only place that knows them all."""

from __future__ import annotations

import datetime
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from portway.apiserver.app import ApiServer
from portway.apiserver.sealing import Envelope, SealError
from portway.apiserver.settings import Settings as ApiSettings
from portway.bootstrap import (
    administrators,
    auditlogs,
    bundled,
    certificates,
    doors,
    keyrings,
    kinds,
    leading,
    parts,
    side,
    stores,
)
from portway.bootstrap.dispatching import API_PREFIXES, SIDE_PREFIXES, App, Dispatcher
from portway.bootstrap.errors import StartError
from portway.bootstrap.jobs import AgentJobs
from portway.bootstrap.listening import Server
from portway.bootstrap.planning import PlanOnDryRun
from portway.bootstrap.reporting import Reporter
from portway.bootstrap.repositories import GitAccess, HostedRepositories
from portway.bootstrap.securing import SecureOnly
from portway.bootstrap.sessions import Sessions
from portway.bootstrap.settings import Settings
from portway.bootstrap.signingon import SignOn
from portway.bootstrap.sources import GitSources
from portway.bootstrap.vetting import VetOnWrite
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.controllers import composing
from portway.drivers.contract import Driver
from portway.drivers.git.driver import GitDriver
from portway.drivers.git.hosting import Hosting
from portway.drivers.git.http import GitServer
from portway.drivers.git.places import Places
from portway.drivers.postgres.driver import PostgresDriver
from portway.drivers.process.driver import ProcessDriver
from portway.index.following import Index
from portway.kit.backgrounds import Background, background
from portway.kit.clocks import SystemClock
from portway.portal.application import create_app
from portway.portal.dependencies import Deps
from portway.portal.dependencies import Settings as PortalSettings
from portway.runtime.leases import LeaderLease
from portway.runtime.running import ControllerRuntime


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
            tasks.start(leading.lead(_lease(system, "housekeeping"), server.keep_house), "housekeeping")
        yield Api(server, system, token, planning, vetting)


def _lease(system: RestClient, work: str) -> LeaderLease:
    return LeaderLease(system.at("root"), f"portway-{work}", SystemClock())


def _calm_collector() -> None:
    """What is loaded stays, so it is never looked at again; a request makes thousands of objects and few cycles."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What runs, for those who start it."""

    api: Api
    sessions: Sessions


@asynccontextmanager
async def open_control_plane(
    settings: Settings, report: Reporter, listener: socket.socket
) -> AsyncIterator[ControlPlane]:
    """Everything running and answering; all of it stopped in the right order when the block is left."""
    context = _tls(settings)
    async with AsyncExitStack() as stack:
        with report.step("API") as note:
            api = await stack.enter_async_context(open_api(settings))
            note.text = settings.secure_address
        await parts.start(settings, report)
        places = Places(settings.home / "git", settings.address)
        drivers = await stack.enter_async_context(_open_drivers(settings, places))
        repositories = HostedRepositories(Hosting(places))
        clock = SystemClock()
        runtime = ControllerRuntime(
            api.system,
            clock=clock,
            lease=_lease(api.system, "controllers") if settings.store_url else None,  # SQLite admits one process
        )
        given = composing.Collaborators(
            drivers=drivers,
            repositories=repositories,
            jobs=AgentJobs(parts.node_agent(settings)),
            sources=GitSources(Hosting(places), settings.home / "sources"),
            runs=settings.home / "runs",
        )
        composed = composing.compose(runtime, given, clock)
        api.planning.planner = composed.planner
        api.vetting.vetting = composed.vetting
        index = Index()
        sessions = Sessions(api.system)
        access = GitAccess(api.system, sessions, composed.pushes)
        git = GitServer(places, access.authorize, access.pushed)
        sign_on = SignOn(api.server.context.authenticator.providers, sessions, settings.portal_address)
        portal = _portal(settings, api, index, sessions, repositories, sign_on=sign_on)
        app: App = Dispatcher(api.server, git, _side(settings, api, sessions, sign_on), portal)
        if not settings.is_local:
            app = SecureOnly(app, API_PREFIXES | SIDE_PREFIXES | {"git"})
        tasks = await stack.enter_async_context(background())
        _start(tasks, runtime, composed, index)
        tasks.start(Server(app, listener, context).serve(), "listen")
        with report.step("portal") as note:
            await index.ready.wait()
            note.text = settings.portal_address
        yield ControlPlane(api, sessions)


def _tls(settings: Settings) -> ssl.SSLContext:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise StartError("PORTWAY_TLS_CERTIFICATE and PORTWAY_TLS_KEY go together: give both, or neither.")
    own = None
    if settings.tls_certificate is not None and settings.tls_key is not None:
        own = certificates.Own(settings.tls_certificate, settings.tls_key)
    names = settings.names if settings.is_local else (settings.local_host, socket.gethostname(), *settings.names)
    return certificates.server_context(settings.home / "pki", datetime.datetime.now(datetime.UTC), names, own)


def _start(tasks: Background, runtime: ControllerRuntime, composed: composing.Controllers, index: Index) -> None:
    tasks.start(runtime.run(composed.controllers), "controllers")
    tasks.start(index.run(runtime.client), "index")


@asynccontextmanager
async def _open_drivers(settings: Settings, places: Places) -> AsyncIterator[Mapping[str, Driver]]:
    postgres = PostgresDriver(parts.database_server(settings))
    try:
        yield {
            "postgres": postgres,
            "process": ProcessDriver(parts.node_agent(settings)),
            "git": GitDriver(places),
        }
    finally:
        await postgres.close()


def _portal(
    settings: Settings, api: Api, index: Index, sessions: Sessions, repositories: HostedRepositories, *, sign_on: SignOn
) -> Starlette:
    log_in = doors.LogIn(sessions)
    return create_app(
        Deps(
            client=api.system,
            index=index,
            login=log_in.redeem,
            logout=log_in.end,
            doors=sign_on.doors,
            logs=doors.WorkloadLogs(api.system, parts.node_agent(settings)),
            read_tree=repositories.read_tree,
            settings=PortalSettings(docs=bundled.folder("docs")),
        )
    )


def _side(settings: Settings, api: Api, sessions: Sessions, sign_on: SignOn) -> Starlette:
    logs = doors.WorkloadLogs(api.system, parts.node_agent(settings))
    return side.create_app(api.system, sessions, logs, settings.portal_address, sign_on)
