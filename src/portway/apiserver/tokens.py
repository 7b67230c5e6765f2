"""Static bearer tokens: Secrets of type ``portway.dev/token`` in root's namespace ``portway-system``.

Only the SHA-256 of a token is stored. A token is 256 random bits, so a fast hash without salt is right.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portway.apiserver import clocks, objects
from portway.apiserver.following import Follower
from portway.apiserver.routing import ROOT
from portway.apiserver.users import User, authenticated, split_account
from portway.kit import namelists
from portway.krm.errors import StatusError, unauthorized
from portway.krm.identity import Manifest
from portway.store.contract import Conflict, Key, Put, Reads, StoreError

NAMESPACE = "portway-system"
SECRET_TYPE = "portway.dev/token"  # noqa: S105  a Secret's type, not a secret
PREFIX = "pw_"
LAST_USED = "portway.dev/last-used"
USE_HOURS = 1
"""A use is written down only when the one before is older: a request must not cost a write."""
USE_SECONDS = 60.0

log = logging.getLogger(__name__)

CreateSecret = Callable[[Manifest], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Stored:
    hash: str
    user: str
    groups: tuple[str, ...]
    expires: datetime | None
    key: Key


def is_vault(cluster: str, namespace: str) -> bool:
    """Where tokens and keys are: for members of system:masters alone, whatever roles, claims and policies say."""
    return cluster == ROOT and namespace == NAMESPACE


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Tokens:
    """Finds the owner of a token, and mints new ones through ``create`` (which stores the Secret)."""

    def __init__(self, cache: Reads, create: CreateSecret, now: clocks.Now) -> None:
        self._create = create
        self._now = now
        self._by_hash: dict[str, Stored] = {}
        self._hash_of: dict[str, str] = {}
        self._reads = cache
        self._uses: dict[Key, datetime] = {}
        self.follower: Follower[Stored] = Follower(
            cache, "secrets", _parse, self._changed, cluster="root", namespace=NAMESPACE
        )

    def owner(self, token: str) -> User | None:
        stored = self._by_hash.get(digest(token))
        if stored is None or (stored.expires is not None and stored.expires <= self._now()):
            return None
        if stored.key not in self._uses:
            self._uses[stored.key] = self._now()
        return authenticated(stored.user, stored.groups)

    async def keep_uses(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Write down now and then which tokens are in use, until cancelled: each at most once in ``USE_HOURS``."""
        while True:
            await sleep(USE_SECONDS)
            try:
                await self.write_uses()
            except StoreError as error:
                log.warning("uses of tokens are written down later", extra={"error": str(error)})

    async def write_uses(self) -> None:
        uses, self._uses = self._uses, {}
        for key, moment in uses.items():
            record = self._reads.get(key)
            if record is None:
                continue
            manifest = objects.decode(record.value)
            annotations = manifest["metadata"].get("annotations") or {}
            before = annotations.get(LAST_USED)
            if before and moment - clocks.read(before) < timedelta(hours=USE_HOURS):
                continue
            manifest["metadata"]["annotations"] = {**annotations, LAST_USED: clocks.stamp(moment)}
            with contextlib.suppress(Conflict):  # somebody changed or revoked it: its next use comes
                await self._reads.commit([Put(key, objects.encoder(manifest, key.cluster), record.revision)])

    async def mint(
        self, user: str, groups: Sequence[str] = (), ttl: timedelta | None = None, description: str = ""
    ) -> str:
        token = PREFIX + secrets.token_urlsafe(32)
        data = {"hash": digest(token), "user": user, "groups": namelists.joined(groups), "description": description}
        if ttl is not None:
            data["expires"] = clocks.stamp(self._now() + ttl)
        secret: Manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"token-{secrets.token_hex(8)}", "namespace": NAMESPACE},
            "type": SECRET_TYPE,
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
        }
        await self._create(secret)
        return token

    def _changed(self, key: Key) -> None:
        old = self._hash_of.pop(key.name, None)
        if old is not None:
            self._by_hash.pop(old, None)
        stored = self.follower.get(key.cluster, key.name, key.namespace)
        if stored is not None:
            self._by_hash[stored.hash] = stored
            self._hash_of[key.name] = stored.hash


def _parse(key: Key, _revision: int, manifest: Manifest) -> Stored | None:
    if manifest.get("type") != SECRET_TYPE:
        return None
    data = manifest.get("data") or {}
    values = {key: base64.b64decode(value).decode() for key, value in data.items()}
    expires = values.get("expires")
    if split_account(values.get("user", "")):
        return None  # such a name means one account in one workspace; here it would mean one in each
    return Stored(
        hash=values.get("hash", ""),
        user=values.get("user", ""),
        groups=namelists.parted(values.get("groups", "")),
        expires=clocks.read(expires) if expires else None,
        key=key,
    )


class OneTimeTokens:
    """Log-in tokens of this process: each may be exchanged once, before it expires, for a session token."""

    def __init__(self, tokens: Tokens, now: clocks.Now) -> None:
        self._tokens = tokens
        self._now = now
        self._issued: dict[str, tuple[str, tuple[str, ...], datetime]] = {}

    def issue(self, user: str, groups: Sequence[str] = (), ttl: timedelta = timedelta(minutes=15)) -> str:
        now = self._now()
        self._issued = {key: entry for key, entry in self._issued.items() if entry[2] > now}
        token = secrets.token_urlsafe(32)
        self._issued[digest(token)] = (user, tuple(groups), now + ttl)
        return token

    async def exchange(self, token: str, session: timedelta = timedelta(hours=12)) -> str:
        """A session token for the same user. Raises StatusError 401 when unknown, used or expired."""
        found = self._issued.pop(digest(token), None)
        if found is None or found[2] <= self._now():
            raise unauthorized("the log-in token is unknown, was used before or has expired: ask for a new one")
        user, groups, _ = found
        return await self._tokens.mint(user, groups, session, "portal session")


def bearer(authorization: str) -> str:
    """The token of an Authorization header; empty when there is none. Raises StatusError 401 for other schemes."""
    if not authorization:
        return ""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise StatusError(401, "Unauthorized", "Unauthorized")
    return token.strip()
