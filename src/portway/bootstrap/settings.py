"""Settings of the control plane. The environment is read here, once, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from portway.bootstrap.errors import StartError

if TYPE_CHECKING:
    from portway.apiserver.oidc import Issuer

HOST = "127.0.0.1"
"""Where Portway listens unless told otherwise."""
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  names of it


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field is documented in docs/reference/settings.md, with its unit."""

    home: Path
    """PORTWAY_HOME: folder of all state."""
    port: int
    """PORTWAY_PORT: TCP port of API and portal."""
    postgres_url: str
    """PORTWAY_POSTGRES_URL: administrator's URL of a PostgreSQL server to use instead of the embedded one."""
    postgres_bin: str
    """PORTWAY_POSTGRES_BIN: folder with initdb and postgres to use instead of the packaged ones."""
    store_url: str = ""
    """PORTWAY_STORE_URL: URL of the PostgreSQL database that holds the objects; default: SQLite in home."""
    host: str = HOST
    """PORTWAY_HOST: IP address to listen on; beyond loopback only TLS is answered to other machines."""
    names: tuple[str, ...] = ()
    """PORTWAY_NAMES: further names and addresses of the server, for its certificate; others are told the first."""
    tls_certificate: Path | None = None
    """PORTWAY_TLS_CERTIFICATE: PEM file with the server's certificate and its chain, instead of one made here."""
    tls_key: Path | None = None
    """PORTWAY_TLS_KEY: PEM file with the key of that certificate."""
    home_groups: tuple[str, ...] = ("system:authenticated",)
    """PORTWAY_HOME_GROUPS: groups whose members get a home workspace when they first ask for it."""
    audit_policy: Path | None = None
    """PORTWAY_AUDIT_POLICY: file with an audit.k8s.io/v1 Policy instead of the built-in one."""
    audit_megabytes: int = 100
    """PORTWAY_AUDIT_MEGABYTES: size at which the audit log is moved aside."""
    audit_files: int = 10
    """PORTWAY_AUDIT_FILES: how many moved aside audit logs are kept."""
    issuers: tuple[Issuer, ...] = ()
    """PORTWAY_OIDC_…, PORTWAY_AUTHENTICATION_CONFIG: OpenID Connect providers people log in with."""

    @property
    def local_host(self) -> str:
        """How this machine itself reaches it."""
        return HOST if self.host in _EVERYWHERE else self.host

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return ip_address(self.host).is_loopback

    @property
    def address(self) -> str:
        """Base URL of portal and API for browsers."""
        return f"http://{_in_url(self.local_host)}:{self.port}"

    @property
    def portal_address(self) -> str:
        """The portal is opened by name: cookies ignore ports, and workloads answer on ports of 127.0.0.1."""
        return f"http://localhost:{self.port}" if self.is_local else self.external_address

    @property
    def external_address(self) -> str:
        """Base URL that other machines are told."""
        return f"https://{_in_url(self.names[0] if self.names else self.local_host)}:{self.port}"

    @property
    def secure_address(self) -> str:
        """Base URL of the API over TLS: kubectl sends no token over plain HTTP."""
        return f"https://{_in_url(self.local_host)}:{self.port}"

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
        host=_host(environment.get("PORTWAY_HOST") or HOST),
        names=_listed(environment.get("PORTWAY_NAMES", "")),
        tls_certificate=_file(environment, "PORTWAY_TLS_CERTIFICATE"),
        tls_key=_file(environment, "PORTWAY_TLS_KEY"),
        home_groups=_listed(environment.get("PORTWAY_HOME_GROUPS", "system:authenticated")),
        audit_policy=_file(environment, "PORTWAY_AUDIT_POLICY"),
        audit_megabytes=_count(environment, "PORTWAY_AUDIT_MEGABYTES", "100"),
        audit_files=_count(environment, "PORTWAY_AUDIT_FILES", "10"),
        issuers=_issuers(environment),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _issuers(environment: Mapping[str, str]) -> tuple[Issuer, ...]:
    if not any(environment.get(name) for name in ("PORTWAY_OIDC_ISSUER", "PORTWAY_AUTHENTICATION_CONFIG")):
        return ()
    from portway.bootstrap import issuers  # heavy: most commands start without it

    return issuers.read(environment)


def _host(text: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError:
        raise StartError(f"PORTWAY_HOST is {text!r}, expected an IP address of this machine, or 0.0.0.0.") from None


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _file(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name, "")
    if not text:
        return None
    file = Path(text).expanduser().absolute()
    if not file.is_file():
        raise StartError(f"{name}: there is no file {file}.")
    return file


def _count(environment: Mapping[str, str], name: str, default: str) -> int:
    text = environment.get(name, default)
    if not text.isdigit() or int(text) < 1:
        raise StartError(f"{name} is {text!r}, expected a whole number from 1.")
    return int(text)


def _store_url(text: str) -> str:
    if text and not text.startswith(("postgresql://", "postgres://")):
        raise StartError("PORTWAY_STORE_URL is expected to begin with postgresql://; leave it out for SQLite.")
    return text
