"""Where a PostgreSQL server answers and who administers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from portway.drivers.contract import Refused


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An administrator's access. ``host`` and ``port`` are also what the bindings of databases say."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    database: str = "postgres"
    query: str = ""
    """Extra parameters as in a DSN, for example ``sslmode=require``; kept in the URIs of bindings."""

    def uri(self, username: str, password: str, database: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        tail = f"?{self.query}" if self.query else ""
        return (
            f"postgresql://{quote(username, safe='')}:{quote(password, safe='')}"
            f"@{host}:{self.port}/{quote(database, safe='')}{tail}"
        )

    @property
    def dsn(self) -> str:
        return self.uri(self.username, self.password, self.database)


def parse_dsn(dsn: str) -> Endpoint:
    """``postgresql://user:password@host:port/database?sslmode=…``; Refused says what is missing (never the
    value).
    """
    try:
        parts = urlsplit(dsn)
        port = parts.port or 5432
    except ValueError:
        raise Refused("InvalidDSN", "the PostgreSQL DSN has a port that is not a number") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise Refused("InvalidDSN", "the PostgreSQL DSN must start with postgresql://")
    if not parts.hostname or not parts.username:
        raise Refused("InvalidDSN", "the PostgreSQL DSN must name a host and a user")
    return Endpoint(
        host=parts.hostname,
        port=port,
        username=unquote(parts.username),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")) or "postgres",
        query=parts.query,
    )
