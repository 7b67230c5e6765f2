"""Driver for type ``postgres``: a role and a database of the same name, which only that role may enter.

Inputs: see ``_SCHEMA``. ``Target.secrets["password"]`` is the password of the existing binding Secret;
without it a new password is set by ``apply``. Outputs: host, port, name, database, username, version, size.
The database stays closed to everybody (``ALLOW_CONNECTIONS false``) until it is complete, so a crash leaves
nothing half open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from portway.drivers import naming
from portway.drivers.contract import (
    Applied,
    DriverError,
    Health,
    Observation,
    Plan,
    Refused,
    Step,
    Target,
    Verb,
)
from portway.drivers.postgres import scram, sql
from portway.drivers.postgres.endpoints import Endpoint
from portway.drivers.postgres.servers import Server, connect

_INTEGER = {"anyOf": [{"type": "integer", "minimum": -1}, {"type": "string", "pattern": r"^(-?\d+|.*\$\{.+\}.*)$"}]}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "version": {
            "type": ["string", "integer"],
            "description": "Major version the server must have, for example 18.",
        },
        "extensions": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "Extensions to create in the database.",
        },
        "connection_limit": {
            **_INTEGER,
            "description": "Most connections at once; -1 is no limit (the default).",
        },
        "owner": {"type": "string", "description": "Who answers for it; written as the database's comment."},
    },
}
_MOST_CONNECTIONS = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """Inputs, parsed once."""

    name: str
    version: str
    extensions: tuple[str, ...]
    connection_limit: int
    comment: str

    @classmethod
    def of(cls, target: Target) -> Wanted:
        inputs = target.inputs
        unknown = sorted(set(inputs) - set(_SCHEMA["properties"]))
        if unknown:
            known = ", ".join(_SCHEMA["properties"])
            raise Refused("InvalidInputs", f"unknown input {unknown[0]!r}; driver postgres knows {known}")
        try:
            given = inputs.get("connection_limit")
            limit = -1 if given is None or given == "" else int(given)
        except (TypeError, ValueError):
            raise Refused("InvalidInputs", f"connection_limit must be a number, not {given!r}") from None
        extensions = inputs.get("extensions") or ()
        if isinstance(extensions, str) or not all(isinstance(one, str) for one in extensions):
            raise Refused("InvalidInputs", "extensions must be a list of names")
        return cls(
            name=naming.external_name(target.uid, naming.last_segment(target.workspace), target.name),
            version=str(inputs.get("version") or ""),
            extensions=tuple(sorted(set(extensions))),
            connection_limit=max(limit, -1),
            comment=str(inputs.get("owner") or ""),
        )


class PostgresDriver:
    """Keeps warm connections to the server and starts it again when it was lost. ``close`` it at the end."""

    name = "postgres"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = asyncio.Lock()
        self._opened: tuple[asyncpg.Pool, Endpoint, bool] | None = None

    def schema(self) -> Mapping[str, Any]:
        return _SCHEMA

    async def close(self) -> None:
        if self._opened is not None:
            pool, _, _ = self._opened
            self._opened = None
            pool.terminate()

    async def observe(self, target: Target) -> Observation:
        wanted = Wanted.of(target)
        async with self._session() as session:
            return await session.observe(wanted, target)

    async def plan(self, target: Target, observed: Observation) -> Plan:
        wanted = Wanted.of(target)
        drift = observed.drift
        if not observed.exists:
            return Plan((Step(Verb.CREATE, f"create role and database {wanted.name}", after=_described(wanted)),))
        steps = []
        if "database" in drift:
            steps.append(Step(Verb.CREATE, f"create the missing parts of database {wanted.name}"))
        settings = {field: pair for field, pair in drift.items() if field != "database"}
        if settings:
            steps.append(
                Step(
                    Verb.UPDATE,
                    f"change {', '.join(settings)} of database {wanted.name}",
                    before={field: found for field, (_, found) in settings.items()},
                    after={field: value for field, (value, _) in settings.items()},
                )
            )
        return Plan(tuple(steps))

    async def apply(self, target: Target, plan: Plan) -> Applied:  # noqa: ARG002 - reality decides, not the plan
        wanted = Wanted.of(target)
        password = target.secrets.get("password", "")
        if not password.isascii():
            raise Refused("InvalidPassword", "the password in the binding Secret must be ASCII")
        async with self._session() as session:
            password = await session.make(wanted, password)
            observation = await session.observe(wanted, replace(target, secrets={}, known={}))
            return Applied(observation, _binding(session.endpoint, wanted, password))

    async def destroy(self, target: Target) -> None:
        wanted = Wanted.of(replace(target, inputs={}))
        async with self._session() as session:
            await session.drop(wanted)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[_Session]:
        try:
            pool, endpoint, superuser = await self._open()
            async with pool.acquire(timeout=30) as connection:
                yield _Session(connection, endpoint, superuser)
        except (
            OSError,
            asyncpg.InterfaceError,
            asyncpg.PostgresConnectionError,
            asyncpg.CannotConnectNowError,
        ) as error:
            await self.close()
            raise DriverError("ServerUnreachable", f"PostgreSQL does not answer: {error}", retry_after=1) from error
        except TimeoutError as error:
            raise DriverError("ServerBusy", "PostgreSQL did not answer in time", retry_after=5) from error
        except asyncpg.DiskFullError as error:
            raise DriverError("DiskFull", f"the disk of PostgreSQL is full: {error}", retry_after=60) from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise DriverError(
                "NotPermitted", f"PostgreSQL refuses its administrator: {error}", retry_after=60
            ) from error
        except asyncpg.PostgresError as error:
            raise DriverError("PostgresError", f"PostgreSQL: {error}") from error

    async def _open(self) -> tuple[asyncpg.Pool, Endpoint, bool]:
        async with self._lock:
            if self._opened is None:
                endpoint = await self._server.start()
                pool = await asyncpg.create_pool(
                    endpoint.dsn,
                    min_size=0,  # a floor would reconnect noisily behind our back while the server is away
                    max_size=_MOST_CONNECTIONS,
                    max_inactive_connection_lifetime=0,  # once made, connections stay warm
                    timeout=10,
                    command_timeout=120,
                )
                superuser = await pool.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
                self._opened = (pool, endpoint, bool(superuser))
            return self._opened


@dataclass(frozen=True, slots=True)
class _Session:
    connection: asyncpg.Connection
    endpoint: Endpoint
    superuser: bool

    async def found(self, wanted: Wanted) -> asyncpg.Record:
        return await self.connection.fetchrow(sql.FIND_AS_SUPERUSER if self.superuser else sql.FIND, wanted.name)

    async def observe(self, wanted: Wanted, target: Target) -> Observation:
        found = await self.found(wanted)
        address = f"{self.endpoint.host}:{self.endpoint.port}"
        handle = {"database": wanted.name, "role": wanted.name, "address": address}
        if not found["role"] and not found["database"]:
            return Observation(exists=False, handle=handle)
        drift = _drift(wanted, found, target.secrets.get("password"))
        if wanted.extensions and "database" not in drift:
            missing = set(wanted.extensions) - await self._extensions(wanted)
            if missing:
                drift["extensions"] = (list(wanted.extensions), sorted(set(wanted.extensions) - missing))
        if target.known.get("address", address) != address:
            drift["address"] = (address, target.known["address"])
        complete = "database" not in drift
        return Observation(
            exists=True,
            health=Health.HEALTHY if complete else Health.PROGRESSING,
            message="" if complete else f"database {wanted.name} is {drift['database'][1]}",
            outputs=self._outputs(wanted, found) if complete else {},
            handle=handle,
            drift=drift,
        )

    async def make(self, wanted: Wanted, password: str) -> str:
        """Brings role and database to what is wanted from wherever they are; returns the password that
        works.
        """
        found = await self.found(wanted)
        await self._check_possible(wanted, found)
        known = bool(password) and found["role"] and _same_password(found["verifier"], password)
        if not known:
            password = password or scram.new_password()
            verb = sql.alter_role if found["role"] else sql.create_role
            await self.connection.execute(verb(wanted.name, scram.verifier(password), grant=not self.superuser))
        elif not found["can_login"]:
            await self.connection.execute(sql.allow_login(wanted.name))
        if found["database"] and found["connection_limit"] == sql.BEING_DROPPED:
            await self.connection.execute(sql.drop_database(wanted.name))
        if not found["database"] or found["connection_limit"] == sql.BEING_DROPPED:
            await self.connection.execute(sql.create_database(wanted.name))
        await self.connection.execute(sql.open_database(wanted.name, wanted.connection_limit, wanted.comment))
        await self._create_extensions(wanted)
        return password

    async def drop(self, wanted: Wanted) -> None:
        found = await self.found(wanted)
        if found["role"]:
            await self.connection.execute(sql.forbid_login(wanted.name))
        if found["database"]:
            await self.connection.execute(sql.drop_database(wanted.name))
        if found["role"]:
            await self.connection.execute(sql.drop_role(wanted.name))

    async def _check_possible(self, wanted: Wanted, found: asyncpg.Record) -> None:
        if wanted.version and wanted.version.split(".")[0] != found["version"].split(".")[0]:
            raise Refused(
                "VersionNotOffered",
                f"PostgreSQL {wanted.version} was asked for, the server is version {found['version']}: "
                "change the version, or match a definition whose server has it",
            )
        if not wanted.extensions:
            return
        offered = {row["name"] for row in await self.connection.fetch("SELECT name FROM pg_available_extensions")}
        missing = sorted(set(wanted.extensions) - offered)
        if missing:
            raise Refused(
                "ExtensionNotOffered",
                f"the server has no extension {', '.join(missing)}; it offers {', '.join(sorted(offered))}",
            )

    async def _create_extensions(self, wanted: Wanted) -> None:
        if not wanted.extensions:
            return
        inside = await connect(self.endpoint, database=wanted.name)
        try:
            for extension in wanted.extensions:
                await inside.execute(sql.create_extension(extension))
        finally:
            await inside.close()

    async def _extensions(self, wanted: Wanted) -> set[str]:
        inside = await connect(self.endpoint, database=wanted.name)
        try:
            return {row["extname"] for row in await inside.fetch("SELECT extname FROM pg_extension")}
        finally:
            await inside.close()

    def _outputs(self, wanted: Wanted, found: asyncpg.Record) -> dict[str, Any]:
        return {
            "host": self.endpoint.host,
            "port": self.endpoint.port,
            "name": wanted.name,
            "database": wanted.name,
            "username": wanted.name,
            "version": found["version"].split(" ")[0],
            "size": found["size"],
        }


def _drift(wanted: Wanted, found: asyncpg.Record, password: str | None) -> dict[str, tuple[Any, Any]]:
    drift: dict[str, tuple[Any, Any]] = {}
    state = _state(found)
    if state != "complete":
        drift["database"] = ("complete", state)
        return drift
    if found["owner"] != wanted.name:
        drift["owner"] = (wanted.name, found["owner"])
    if found["connection_limit"] != wanted.connection_limit:
        drift["connection_limit"] = (wanted.connection_limit, found["connection_limit"])
    if (found["comment"] or "") != wanted.comment:
        drift["comment"] = (wanted.comment, found["comment"] or "")
    if found["public"]:
        drift["access"] = ("its role only", "every role")
    if not found["can_login"]:
        drift["login"] = (True, False)
    if password and found["verifier"] is not None and not _same_password(found["verifier"], password):
        drift["password"] = ("as in the Secret", "another")
    return drift


def _state(found: asyncpg.Record) -> str:
    if not found["role"]:
        return "without its role"
    if not found["database"]:
        return "missing"
    if found["connection_limit"] == sql.BEING_DROPPED:
        return "half deleted"
    return "complete" if found["open"] else "not open yet"


def _same_password(verifier: str | None, password: str) -> bool:
    """An administrator who is not superuser cannot see verifiers: then the Secret is believed."""
    return verifier is None or (password.isascii() and scram.matches(password, verifier))


def _binding(endpoint: Endpoint, wanted: Wanted, password: str) -> dict[str, str]:
    return {
        "type": "postgresql",
        "provider": "portway",
        "host": endpoint.host,
        "port": str(endpoint.port),
        "username": wanted.name,
        "password": password,
        "database": wanted.name,
        "uri": endpoint.uri(wanted.name, password, wanted.name),
    }


def _described(wanted: Wanted) -> dict[str, Any]:
    described: dict[str, Any] = {"database": wanted.name, "username": wanted.name}
    if wanted.extensions:
        described["extensions"] = list(wanted.extensions)
    if wanted.connection_limit >= 0:
        described["connection_limit"] = wanted.connection_limit
    return described
