"""The portal's sessions, as Secrets in root: any process on the store knows them, and to delete one ends it.

A Secret holds the API token of its session, encrypted with a key that only the session's id gives; of the id there is
but a hash, in the Secret's name. So neither a copy of the store nor a look at its Secrets lets anybody in.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portway.apis import resources
from portway.bootstrap.sessions import NAMESPACE, SESSION_HOURS, Sessions
from portway.client.contract import Client
from portway.kit import clocks
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

SECRET_TYPE = "portway.dev/session"  # noqa: S105  a type of Secret
_NONCE = 12


class StoredSessions:
    """Implements ``portal.sessions.Sessions``. ``log_ins`` made the API tokens that end with their sessions."""

    def __init__(self, system: Client, log_ins: Sessions, clock: clocks.Clock) -> None:
        self._system = system.at("root")
        self._log_ins = log_ins
        self._clock = clock

    async def open(self, token: str, *, own: bool) -> str:
        await self._sweep()
        owner = await self._log_ins.whoami(token)
        session = secrets.token_urlsafe(32)
        name, nonce = _name(session), os.urandom(_NONCE)
        expires = self._clock.now() + datetime.timedelta(hours=SESSION_HOURS)
        data = {
            "token": nonce + _cipher(session).encrypt(nonce, token.encode(), name.encode()),
            "user": owner.user.encode(),
            "own": str(own).lower().encode(),
            "expires": clocks.rfc3339(expires).encode(),
        }
        secret: Manifest = {
            "type": SECRET_TYPE,
            "metadata": {"name": name, "namespace": NAMESPACE},
            "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        }
        await self._system.create(resources.SECRETS, secret)
        return session

    async def token(self, session: str) -> str | None:
        data = await self._read(session)
        return _opened(session, data) if data and not self._is_over(data) else None

    async def end(self, session: str) -> None:
        data = await self._read(session)
        if data is None:
            return
        if data["own"] == b"true" and (token := _opened(session, data)):
            await self._log_ins.end(token)
        await self._delete(_name(session))

    async def _read(self, session: str) -> dict[str, bytes] | None:
        try:
            secret = await self._system.get(resources.SECRETS, _name(session), NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise
            return None
        return _data(secret)

    async def _sweep(self) -> None:
        """Remove what is over; a log-in is seldom enough for that."""
        listed = await self._system.list(resources.SECRETS, NAMESPACE, fields=f"type={SECRET_TYPE}")
        for secret in listed.items:
            if self._is_over(_data(secret)):
                await self._delete(secret["metadata"]["name"])

    async def _delete(self, name: str) -> None:
        try:
            await self._system.delete(resources.SECRETS, name, NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise

    def _is_over(self, data: dict[str, bytes]) -> bool:
        return clocks.parse_rfc3339(data["expires"].decode()) <= self._clock.now()


def _data(secret: Manifest) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def _name(session: str) -> str:
    return "session-" + hashlib.sha256(session.encode()).hexdigest()[:40]


def _cipher(session: str) -> AESGCM:
    kdf = HKDF(hashes.SHA256(), 32, salt=None, info=b"portway portal session")
    return AESGCM(kdf.derive(session.encode()))


def _opened(session: str, data: dict[str, bytes]) -> str | None:
    sealed = data["token"]
    try:
        return _cipher(session).decrypt(sealed[:_NONCE], sealed[_NONCE:], _name(session).encode()).decode()
    except (InvalidTag, ValueError):
        return None
