"""A log-in at a provider, kept in a file (0600): the ID token, and the refresh token that brings the next one.

kubectl and the commands here take the ID token from it; whoever finds it over renews it first, one at a time, as a
provider may take back a refresh token that is used twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portway.cli.errors import CommandError
from portway.client.plugins import Plugin
from portway.kit import lazily
from portway.kit.locks import exclusively

if TYPE_CHECKING:
    import httpx

    from portway.client import kubeconfig
else:
    httpx = lazily.module("httpx")
    kubeconfig = lazily.module("portway.client.kubeconfig")

ARGUMENTS = ("token", "get", "--login")
"""Of ``portway``, before the file: the exec plugin that kubectl runs."""
_RENEW_SECONDS = 20
"""So long before its end a token is not given away any more: the request it is for takes time too."""


@dataclass(frozen=True, slots=True)
class Login:
    server: str
    ca: str
    """PEM text of the server's authority; empty for the machine's."""
    issuer: str
    id_token: str
    refresh_token: str

    @property
    def ends(self) -> datetime:
        """As the ID token says; it is for the server to verify."""
        try:
            return datetime.fromtimestamp(float(self._claims["exp"]), UTC)
        except (ValueError, KeyError, TypeError, OverflowError):
            return datetime.fromtimestamp(0, UTC)

    @property
    def person(self) -> tuple[Any, Any]:
        """Provider and subject, as the ID token says; a renewed one is of the same (OpenID Connect Core, 12.2)."""
        return self._claims.get("iss"), self._claims.get("sub")

    @property
    def _claims(self) -> dict[str, Any]:
        try:
            part = self.id_token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (ValueError, IndexError):
            return {}
        return claims if isinstance(claims, dict) else {}

    def lasts(self, seconds: float = 0.0) -> bool:
        return (self.ends - datetime.now(UTC)).total_seconds() > seconds


def file_of(folder: Path, server: str, issuer: str) -> Path:
    """One file for each server and provider."""
    return folder / f"{hashlib.sha256(f'{server} {issuer}'.encode()).hexdigest()[:16]}.json"


def keep(file: Path, login: Login) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusively(file):
        kubeconfig.write(file, json.dumps(asdict(login)))


def plugin(command: tuple[str, ...], file: Path) -> Plugin:
    """What a kubeconfig names to have the log-in used. ``command`` runs ``portway``."""
    hint = "Portway is not installed here; log in where it is."
    return Plugin(command[0], (*command[1:], *ARGUMENTS, str(file)), install_hint=hint)


def behind(given: Plugin) -> Path | None:
    """The file, of a plugin that is ``portway`` itself."""
    return Path(given.args[-1]) if given.args[-4:-1] == ARGUMENTS else None


def kept(file: Path) -> Login | None:
    """With an ID token that is good for a while; None when it needs to be renewed. Raises CommandError."""
    login = _read(file)
    return login if login.lasts(_RENEW_SECONDS) else None


def fresh(file: Path) -> Login:
    """As ``kept``, renewed if need be. Raises CommandError."""
    login = kept(file)
    if login is not None:
        return login
    with exclusively(file):
        login = _read(file)
        if login.lasts(_RENEW_SECONDS):
            return login  # somebody else was faster
        try:
            renewed = _renewed(login)
        except _Later as error:
            if login.lasts():
                return login
            raise CommandError(f"The log-in cannot be renewed: {error}.") from None
        kubeconfig.write(file, json.dumps(asdict(renewed)))
        return renewed


class _Later(Exception):
    """It may go another time."""


def _renewed(login: Login) -> Login:
    trust = ssl.create_default_context(cadata=login.ca) if login.ca else True
    asked = {"issuer": login.issuer, "refresh_token": login.refresh_token}
    try:
        with httpx.Client(verify=trust, timeout=30.0, trust_env=False) as http:
            answer = http.post(f"{login.server}/session/oidc/refresh", json=asked)
            found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _Later(f"{login.server} does not answer: {error}") from None
    if answer.status_code == 200:
        renewed = replace(login, id_token=str(found["id_token"]), refresh_token=str(found["refresh_token"]))
        if renewed.person != login.person:
            raise CommandError(
                f"{login.issuer} answered with the token of somebody else, which is not used. "
                f"Log in again: portway login {login.server} --oidc"
            )
        return renewed
    why = found.get("error_description") or answer.status_code
    if answer.status_code >= 500:
        raise _Later(str(why))
    raise CommandError(
        f"The log-in at {login.issuer} is over ({why}). Log in again: portway login {login.server} --oidc"
    )


def _read(file: Path) -> Login:
    try:
        return Login(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise CommandError(f"There is no log-in in {file} any more; use `portway login URL --oidc`.") from None
    except (OSError, ValueError, TypeError) as error:
        raise CommandError(f"{file} cannot be read ({error}); log in again with `portway login URL --oidc`.") from None
