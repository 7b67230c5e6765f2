"""Settings of the control plane. The environment is read here, once, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portway.bootstrap.errors import StartError

HOST = "127.0.0.1"
"""Portway listens on loopback only."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field is documented in docs/reference/settings.md, with its unit."""

    home: Path
    """PORTWAY_HOME: folder of all state."""
    port: int
    """PORTWAY_PORT: TCP port of API and portal on 127.0.0.1."""
    postgres_url: str
    """PORTWAY_POSTGRES_URL: administrator's URL of a PostgreSQL server to use instead of the embedded one."""
    postgres_bin: str
    """PORTWAY_POSTGRES_BIN: folder with initdb and postgres to use instead of the packaged ones."""
    store_url: str = ""
    """PORTWAY_STORE_URL: URL of the PostgreSQL database that holds the objects; default: SQLite in home."""

    @property
    def address(self) -> str:
        """Base URL of portal and API for browsers."""
        return f"http://{HOST}:{self.port}"

    @property
    def portal_address(self) -> str:
        """The portal is opened by name: cookies ignore ports, and workloads answer on ports of 127.0.0.1."""
        return f"http://localhost:{self.port}"

    @property
    def secure_address(self) -> str:
        """Base URL of the API over TLS: kubectl sends no token over plain HTTP."""
        return f"https://{HOST}:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def ca_certificate(self) -> Path:
        return self.home / "pki" / "ca.crt"

    @property
    def log_file(self) -> Path:
        return self.home / "logs" / "portway.log"


def read(environment: Mapping[str, str]) -> Settings:
    """Raises StartError when a value cannot be used."""
    port = environment.get("PORTWAY_PORT", "8700")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise StartError(f"PORTWAY_PORT is {port!r}, expected a TCP port from 1 to 65535.")
    return Settings(
        home=Path(environment.get("PORTWAY_HOME") or ".portway").expanduser().absolute(),
        port=int(port),
        postgres_url=environment.get("PORTWAY_POSTGRES_URL", ""),
        store_url=_store_url(environment.get("PORTWAY_STORE_URL", "")),
        postgres_bin=environment.get("PORTWAY_POSTGRES_BIN", ""),
    )


def _store_url(text: str) -> str:
    if text and not text.startswith(("postgresql://", "postgres://")):
        raise StartError("PORTWAY_STORE_URL is expected to begin with postgresql://; leave it out for SQLite.")
    return text
