"""Tokens of service accounts: JSON Web Tokens signed with a key that lives as a Secret in root.

A token names the workspace of its account in claim ``kubernetes.io.cluster`` and dies with the account.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

import orjson

from portway.apiserver import clocks
from portway.apiserver.users import AUTHENTICATED, User
from portway.krm.identity import Manifest
from portway.store.contract import Key, Reads

ISSUER = "https://kubernetes.default.svc"
KEY_SECRET = "service-account-key"  # noqa: S105  the name of a Secret
PREFIX = "system:serviceaccount"


@dataclass(frozen=True, slots=True)
class Account:
    cluster: str
    namespace: str
    name: str
    uid: str

    @property
    def user(self) -> User:
        groups = (f"{PREFIX}s", f"{PREFIX}s:{self.namespace}", AUTHENTICATED)
        extra = {"authentication.kcp.io/cluster-name": (self.cluster,)}
        return User(f"{PREFIX}:{self.namespace}:{self.name}", groups, self.uid, extra, self.cluster)


class ServiceAccountTokens:
    def __init__(self, cache: Reads, now: clocks.Now, lifetime: int) -> None:
        self._cache = cache
        self._now = now
        self._lifetime = lifetime
        self._key = b""

    def use_key(self, key: bytes) -> None:
        self._key = key

    def issue(self, account: Account, spec: Manifest) -> Manifest:
        """The status of a TokenRequest. ``spec``: audiences, expirationSeconds."""
        issued = int(self._now().timestamp())
        expires = issued + max(int(spec.get("expirationSeconds") or self._lifetime), 600)
        claims = {
            "iss": ISSUER,
            "sub": account.user.name,
            "aud": spec.get("audiences") or [ISSUER],
            "iat": issued,
            "nbf": issued,
            "exp": expires,
            "kubernetes.io": {
                "cluster": account.cluster,
                "namespace": account.namespace,
                "serviceaccount": {"name": account.name, "uid": account.uid},
            },
        }
        moment = clocks.read(_iso(expires))
        return {"token": self._sign(claims), "expirationTimestamp": clocks.stamp(moment)}

    def owner(self, token: str) -> User | None:
        claims = self._verified(token)
        if claims is None or not claims["nbf"] <= self._now().timestamp() < claims["exp"]:
            return None
        if ISSUER not in claims.get("aud", ()):
            return None
        about = claims["kubernetes.io"]
        named = about["serviceaccount"]
        account = Account(about["cluster"], about["namespace"], named["name"], named["uid"])
        record = self._cache.get(Key("serviceaccounts", account.cluster, account.namespace, account.name))
        if record is None or orjson.loads(record.value)["metadata"].get("uid") != account.uid:
            return None
        return account.user

    def _sign(self, claims: Manifest) -> str:
        head = _b64(orjson.dumps({"alg": "HS256", "typ": "JWT"}))
        body = f"{head}.{_b64(orjson.dumps(claims))}"
        return f"{body}.{_b64(self._mac(body))}"

    def _verified(self, token: str) -> Manifest | None:
        body, _, signature = token.rpartition(".")
        if not self._key or body.count(".") != 1:
            return None
        if not hmac.compare_digest(_b64(self._mac(body)), signature):
            return None
        claims: Manifest = orjson.loads(_unb64(body.partition(".")[2]))
        return claims

    def _mac(self, body: str) -> bytes:
        return hmac.new(self._key, body.encode(), hashlib.sha256).digest()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _iso(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat()
