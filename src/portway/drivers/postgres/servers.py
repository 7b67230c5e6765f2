"""The PostgreSQL server behind the driver: one of our own that outlives the control plane, or a configured
one.

State of the embedded server, under ``Settings.home``: ``data/``, ``password`` (0600), ``port``,
``server.log``, ``start.lock``. ``start`` is idempotent: it adopts the running server, starts a stopped one,
makes a missing one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import asyncpg

from portway.drivers import pids, ports
from portway.drivers.contract import DriverError, Refused
from portway.drivers.postgres import binaries, endpoints, scram
from portway.drivers.postgres.endpoints import Endpoint

_SUPERUSER = "portway"
_POLL_SECONDS = 0.02
_STARTS = 4
_LOG_LIMIT_BYTES = 10_000_000

# Durable (fsync stays on), small, and silent about statements.
_CONFIGURATION = """\
# Written by Portway at every start; put your own settings into custom.conf beside this file.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = scram-sha-256
max_connections = 200
shared_buffers = 64MB
dynamic_shared_memory_type = posix
wal_level = minimal
max_wal_senders = 0
max_wal_size = 512MB
log_timezone = UTC
timezone = UTC
log_checkpoints = off
log_line_prefix = '%m [%p] %u@%d '
jit = off
include_if_exists = 'custom.conf'
"""


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    """Folder of the embedded server; made when missing."""
    dsn: str = field(default="", repr=False)
    """``postgresql://…`` of an administrator on an existing server; then nothing is started."""
    binaries: Path | None = None
    """Folder with initdb, postgres and pg_ctl; by default those of the wheel, then the system's."""
    start_timeout: float = 60.0
    """Seconds until the server must answer; crash recovery can take long."""


class Server(Protocol):
    async def start(self) -> Endpoint:
        """Makes it run and answer. DriverError for passing trouble, Refused when a person must act."""

    async def stop(self) -> None: ...


def open_server(settings: Settings) -> Server:
    if settings.dsn:
        return ConfiguredServer(endpoints.parse_dsn(settings.dsn))
    return EmbeddedServer(settings)


class ConfiguredServer:
    """Somebody else's server: never started or stopped here."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def start(self) -> Endpoint:
        return self._endpoint

    async def stop(self) -> None:
        return None


class EmbeddedServer:
    """One server per home folder, whoever starts it; safe to call from several processes at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.home.absolute()
        self._data = self.folder / "data"
        self._log = self.folder / "server.log"
        self._lock = asyncio.Lock()

    async def start(self) -> Endpoint:
        async with self._lock:
            adopted = await self._adopt()
            if adopted is not None:
                return adopted
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                with (self.folder / "start.lock").open("w") as lock:
                    await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
                    return await self._adopt() or await self._start_stopped()
            except OSError as error:
                raise DriverError("PostgresFailed", f"PostgreSQL did not start in {self.folder}: {error}") from error

    async def stop(self) -> None:
        """Fast shutdown: running transactions are rolled back, nothing is lost. No server is success."""
        identity = self._postmaster()
        if identity is None:
            return
        for number, patience in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            identity.send(number)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not identity.alive:
                    return
                await asyncio.sleep(_POLL_SECONDS)
        raise DriverError("PostgresFailed", f"PostgreSQL (process {identity.pid}) does not stop")

    async def _start_stopped(self) -> Endpoint:
        programs = await asyncio.to_thread(binaries.find, self._settings.binaries)
        confinement = await asyncio.to_thread(binaries.confinement)
        await asyncio.to_thread(self._initialize, programs, confinement)
        deadline = time.monotonic() + self._settings.start_timeout
        refused_ports: set[int] = set()
        said = ""
        for _ in range(_STARTS):
            port = self._choose_port(refused_ports)
            offset = await asyncio.to_thread(self._launch, programs, confinement, port)
            endpoint = await self._await_ready(deadline)
            if endpoint is not None:
                await _close_to_public(endpoint)
                return endpoint
            said = self._said_since(offset)
            if "Address already in use" in said:
                refused_ports.add(port)
            # Else the usual cause is what kill -9 left: children that still hold the shared memory for a
            # moment.
            await asyncio.sleep(0.3)
        raise DriverError("PostgresFailed", f"PostgreSQL did not start: {_last_line(said)} (log: {self._log})")

    async def _adopt(self) -> Endpoint | None:
        if self._postmaster() is None:
            return None
        return await self._await_ready(time.monotonic() + self._settings.start_timeout)

    async def _await_ready(self, deadline: float) -> Endpoint | None:
        """None when the server process ends before it answers."""
        begun = time.monotonic()
        while time.monotonic() < deadline:
            endpoint = self._endpoint()
            if endpoint is not None and await self._answers(endpoint):
                return endpoint
            if self._postmaster() is None and time.monotonic() - begun > 0.5:
                return None
            await asyncio.sleep(_POLL_SECONDS)
        raise DriverError("PostgresNotReady", f"PostgreSQL has not answered yet (log: {self._log})", retry_after=5)

    async def _answers(self, endpoint: Endpoint) -> bool:
        try:
            connection = await connect(endpoint, timeout=5)
        except asyncpg.InvalidPasswordError:
            raise Refused(
                "WrongPassword",
                f"the password in {self.folder / 'password'} is not that of the server on {endpoint.port}",
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            folder = await connection.fetchval("SHOW data_directory")
        finally:
            await connection.close()
        return await asyncio.to_thread(self._data.samefile, str(folder))

    def _endpoint(self) -> Endpoint | None:
        try:
            port = int((self.folder / "port").read_text())
            password = (self.folder / "password").read_text().strip()
        except (FileNotFoundError, ValueError):
            return None
        return Endpoint("127.0.0.1", port, _SUPERUSER, password)

    def _postmaster(self) -> pids.ProcessIdentity | None:
        """The process of the lock file, if it is alive and really ours: a pid may have been given to
        another.
        """
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        command = pids.command_line(pid)
        if "postgres" not in command or str(self._data) not in command:
            return None
        return pids.identify(pid)

    def _initialize(self, programs: binaries.Binaries, confinement: binaries.Confinement) -> None:
        version = self._data / "PG_VERSION"
        if version.exists():
            major = version.read_text().strip()
            if major != str(programs.major):
                raise Refused(
                    "WrongVersion",
                    f"{self._data} was made by PostgreSQL {major}, the programs in {programs.folder} are version "
                    f"{programs.major}: configure programs of version {major}, or move the folder away",
                )
            if not (self.folder / "password").exists():
                raise Refused(
                    "MissingPassword",
                    f"{self.folder / 'password'} is missing: restore it, or move the data away",
                )
            return
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        confinement.own(fresh)
        password = self.folder / "password"
        _write_private(password, scram.new_password())
        confinement.own(password)
        self._must(confinement, [
            programs.path("initdb"), "-D", str(fresh), "-U", _SUPERUSER, "--auth=scram-sha-256",
            f"--pwfile={password}", "--encoding=UTF8", "--locale=C", *_locale_provider(programs.major),
            "--no-sync", "--no-instructions",
        ])  # fmt: skip
        self._must(confinement, [programs.path("initdb"), "-D", str(fresh), "--sync-only"])
        fresh.rename(self._data)

    def _launch(self, programs: binaries.Binaries, confinement: binaries.Confinement, port: int) -> int:
        """Returns where in the log this start begins."""
        self._forget_stale_lock()
        for path, text in (
            (self._data / "postgresql.conf", _CONFIGURATION.format(port=port)),
            (self.folder / "port", f"{port}\n"),
        ):
            path.write_text(text)
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        self._log.touch(mode=0o600)
        confinement.own(self._data / "postgresql.conf", self._log)
        offset = self._log.stat().st_size
        # pg_ctl makes it a session of its own, whose parent is init.
        arguments = [
            programs.path("pg_ctl"),
            "-D",
            str(self._data),
            "-l",
            str(self._log),
            "-W",
            "-s",
            "start",
        ]
        self._must(confinement, arguments)
        return offset

    def _must(self, confinement: binaries.Confinement, arguments: list[str]) -> None:
        name = Path(arguments[0]).name
        try:
            done = confinement.run(arguments, self.folder, self._settings.start_timeout)
        except subprocess.TimeoutExpired:
            raise DriverError(
                "PostgresFailed", f"{name} took longer than {self._settings.start_timeout:.0f} s"
            ) from None
        if done.returncode != 0:
            raise DriverError("PostgresFailed", f"{name} failed: {_last_line(done.stdout)} (folder: {self.folder})")

    def _forget_stale_lock(self) -> None:
        if self._postmaster() is None:
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _choose_port(self, refused: set[int]) -> int:
        with suppress(FileNotFoundError, ValueError):
            kept = int((self.folder / "port").read_text())
            if kept not in refused and ports.is_free(kept):
                return kept
        return ports.free_port(str(self.folder), taken=refused)

    def _said_since(self, offset: int) -> str:
        with self._log.open("rb") as log:
            log.seek(offset)
            return log.read(65536).decode(errors="replace")


async def connect(endpoint: Endpoint, *, database: str = "", timeout: float = 10) -> asyncpg.Connection:
    return await asyncpg.connect(endpoint.dsn, database=database or endpoint.database, timeout=timeout)


async def _close_to_public(endpoint: Endpoint) -> None:
    """Tenants may enter their own databases only."""
    connection = await connect(endpoint)
    try:
        await connection.execute("REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC")
    finally:
        await connection.close()


def _locale_provider(major: int) -> tuple[str, ...]:
    # The builtin provider sorts the same on every machine; older servers have only the C library's.
    return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if major >= 17 else ()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (telling or lines or ["it said nothing"])[-1]
