"""Tokens of service accounts: JSON Web Tokens with upstream's claims.

A token names the workspace of its account in claim ``kubernetes.io.clusterName`` and dies with the account, and with
the Secret it is bound to when it is bound to one. Source of the claims: k8s.io/kubernetes pkg/serviceaccount.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from portway.apiserver import clocks, objects
from portway.apiserver.signingkeys import ALGORITHM, LONGEST_TOKEN, SigningKeys
from portway.apiserver.storing import Storage
from portway.apiserver.users import ACCOUNT, AUTHENTICATED, User, account_groups
from portway.kit import lazily
from portway.krm.errors import Cause, StatusError, bad_request, conflict, invalid, not_found
from portway.krm.identity import Manifest
from portway.store.contract import Key, Record

if TYPE_CHECKING:
    import jwt
else:
    jwt = lazily.module("jwt")

IN_CLUSTER = "https://kubernetes.default.svc"
"""The audience that clients in pods of other clusters name for their API server."""
CLUSTER_EXTRA = "authentication.kcp.io/cluster-name"
"""What kcp calls the workspace of an account among the extras of a user."""
SHORTEST_SECONDS = 600
_LEEWAY = timedelta(seconds=60)
"""What is being deleted still vouches for its tokens this long, as upstream."""
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Bound:
    """An object whose end is the end of the token."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Account:
    cluster: str
    namespace: str
    name: str
    uid: str

    def user(self, token_id: str = "") -> User:
        groups = (*account_groups(self.namespace), AUTHENTICATED)
        extra = {CLUSTER_EXTRA: (self.cluster,)}
        if token_id:
            extra["authentication.kubernetes.io/credential-id"] = (f"JTI={token_id}",)
        return User(f"{ACCOUNT}:{self.namespace}:{self.name}", groups, self.uid, extra, self.cluster)


@dataclass(frozen=True, slots=True)
class Claims:
    """What of a token with a good signature is looked at again with each use."""

    account: Account
    bound: Bound | None
    id: str
    audiences: tuple[str, ...]
    begins: float
    ends: float


class ServiceAccountTokens:
    def __init__(self, storage: Storage, keys: SigningKeys, now: clocks.Now, issuer: str, lifetime: int) -> None:
        self._storage = storage
        self.keys = keys
        self._now = now
        self._lifetime = lifetime
        self.issuer = issuer
        self.audiences = (issuer, IN_CLUSTER)
        """Who this API is: tokens for others are refused here."""
        self._read: dict[bytes, Claims] = {}
        self._seen: dict[Key, tuple[Record, Manifest]] = {}
        """Objects that tokens speak for, and their metadata as of that record."""

    def issue(self, account: Account, spec: Manifest) -> Manifest:
        """The status of a TokenRequest; fills in and shortens ``spec``. Raises StatusError."""
        seconds = spec.setdefault("expirationSeconds", self._lifetime)
        _check_seconds(seconds)
        seconds = spec["expirationSeconds"] = min(seconds, int(LONGEST_TOKEN.total_seconds()))
        audiences = spec["audiences"] = spec.get("audiences") or [self.issuer]
        reference = spec.get("boundObjectRef")
        bound = self._bound(account, reference) if reference else None
        issued = int(self._now().timestamp())
        expires = issued + seconds
        about: Manifest = {
            "clusterName": account.cluster,
            "namespace": account.namespace,
            "serviceaccount": {"name": account.name, "uid": account.uid},
        }
        if bound is not None:
            about["secret"] = {"name": bound.name, "uid": bound.uid}
        claims = {
            "aud": audiences,
            "exp": expires,
            "iat": issued,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": about,
            "nbf": issued,
            "sub": account.user().name,
        }
        key = self.keys.current
        token = jwt.encode(claims, key.private, ALGORITHM, headers={"kid": key.id})
        return {"token": token, "expirationTimestamp": clocks.stamp(datetime.fromtimestamp(expires, UTC))}

    def owner(self, token: str, audiences: tuple[str, ...] = ()) -> User | None:
        """``audiences`` empty means this API."""
        claims = self.claims(token)
        if claims is None or not set(claims.audiences) & set(audiences or self.audiences):
            return None
        return claims.account.user(claims.id)

    def claims(self, token: str) -> Claims | None:
        """None when the token is not ours, is over, or what it speaks for is gone."""
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._read.get(digest)
        if claims is None:
            claims = self._verified(token)
            if claims is None:
                return None
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[digest] = claims
        now = self._now()
        if not claims.begins <= now.timestamp() < claims.ends or not self._lives(claims, now):
            self._read.pop(digest, None)
            return None
        return claims

    def _lives(self, claims: Claims, now: datetime) -> bool:
        account = claims.account
        if not self._is_there("serviceaccounts", account, account.name, account.uid, now):
            return False
        bound = claims.bound
        return bound is None or self._is_there("secrets", account, bound.name, bound.uid, now)

    def _is_there(self, resource: str, account: Account, name: str, uid: str, now: datetime) -> bool:
        record = self._storage.get(Key(resource, account.cluster, account.namespace, name))
        if record is None:
            return False
        fields = self._fields(record)
        ending = fields.get("deletionTimestamp")
        return fields.get("uid") == uid and not (ending and clocks.read(ending) + _LEEWAY < now)

    def _fields(self, record: Record) -> Manifest:
        seen = self._seen.get(record.key)
        if seen is not None and seen[0] is record:
            return seen[1]
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        fields: Manifest = objects.decode(record.value)["metadata"]
        self._seen[record.key] = (record, fields)
        return fields

    def _bound(self, account: Account, reference: Manifest) -> Bound:
        kind, name, uid = (str(reference.get(field) or "") for field in ("kind", "name", "uid"))
        version = reference.get("apiVersion") or "v1"
        group, _, plain = version.rpartition("/")
        if not group and kind in ("Pod", "Node"):
            raise not_found(f"{kind.lower()}s", name)  # there are none here
        if group or kind != "Secret":
            raise bad_request(f"cannot bind token to object of type {group}/{plain}, Kind={kind}")
        record = self._storage.get(Key("secrets", account.cluster, account.namespace, name))
        if record is None:
            raise not_found("secrets", name)
        actual = objects.decode(record.value)["metadata"]["uid"]
        if uid and uid != actual:
            raise conflict(
                "secrets",
                name,
                f"the UID in the bound object reference ({uid}) does not match the UID in record. "
                "The object might have been deleted and then recreated",
            )
        return Bound(name, actual)

    def _verified(self, token: str) -> Claims | None:
        try:
            key = self.keys.find(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key.public,
                [ALGORITHM],
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
                issuer=self.issuer,
            )
            about = claims["kubernetes.io"]
            named, secret = about["serviceaccount"], about.get("secret")
            return Claims(
                Account(about["clusterName"], about["namespace"], named["name"], named["uid"]),
                Bound(secret["name"], secret["uid"]) if secret else None,
                claims.get("jti", ""),
                tuple(claims["aud"]),
                claims["nbf"],
                claims["exp"],
            )
        except (jwt.PyJWTError, KeyError, TypeError, AttributeError, ValueError):
            return None


def _check_seconds(seconds: object) -> None:
    if not isinstance(seconds, int) or seconds < SHORTEST_SECONDS:
        raise _wrong_seconds(seconds, "may not specify a duration less than 10 minutes")
    if seconds > 1 << 32:
        raise _wrong_seconds(seconds, "may not specify a duration larger than 2^32 seconds")


def _wrong_seconds(seconds: object, why: str) -> StatusError:
    cause = Cause("FieldValueInvalid", f"Invalid value: {seconds}: {why}", "spec.expirationSeconds")
    return invalid("TokenRequest", "", (cause,), "authentication.k8s.io")
